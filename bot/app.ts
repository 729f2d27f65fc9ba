import { randomUUID } from 'node:crypto';
import type { Probot } from 'probot';
import { jobOf, repositoryOf } from './events.ts';
import type { Inbox } from './inbox.ts';
import { type BotLog, faultText } from './log.ts';
import type { BotMetrics } from './metrics.ts';
import type { Worker } from './worker.ts';

export interface Receiving {
  inbox: Pick<Inbox, 'put' | 'operation'>;
  worker: Pick<Worker, 'notice'>;
  metrics: Pick<BotMetrics, 'deliveries'>;
  log: BotLog;
  now?: () => Date;
}

/**
 * The Probot app: writes what was delivered into the inbox, and nothing else. It throws where that did not go well,
 * with nothing in the message but a number to look for in the log: GitHub keeps it for everybody who may see the
 * app's deliveries.
 */
export function receive({ inbox, worker, metrics, log, now = () => new Date() }: Receiving) {
  return (app: Pick<Probot, 'onAny'>): void => {
    app.onAny(async ({ id: guid, name: event, payload }) => {
      try {
        const job = jobOf({ guid, event, payload });
        if (job === null) return metrics.deliveries({ event, result: 'ignored' });
        if (job.event.kind === 'run' && job.event.opId !== null) {
          const { opId, owner, repo } = job.event;
          const operation = await inbox.operation(opId);
          // it waits for the command that started it to be through
          if (operation !== null && repositoryOf(operation.event) === repositoryOf({ owner, repo }))
            job.lane = operation.lane;
        }
        const result = await inbox.put(job, now());
        metrics.deliveries({ event, result });
        if (result === 'stored') worker.notice(job.event);
      } catch (error) {
        const reference = randomUUID();
        metrics.deliveries({ event, result: 'failed' });
        log.write('error', faultText(error), { reference, delivery: guid, event });
        throw new Error(`not stored; reference ${reference}`);
      }
    });
  };
}
