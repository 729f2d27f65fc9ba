import { replyKeyOf } from '../src/chatops/reply-key.ts';
import type { UserError } from '../src/errors.ts';
import { receive } from './app.ts';
import { ContextSource } from './context.ts';
import { fetchMissed } from './deliveries.ts';
import { appClients, plainOctokit } from './github.ts';
import { handlers } from './handlers.ts';
import type { Inbox } from './inbox.ts';
import { type BotLog, faultText, probotLog, redactor, secretsOf, structuredLog } from './log.ts';
import { type BotMetrics, botMetrics } from './metrics.ts';
import { openInbox } from './open-inbox.ts';
import { startServer } from './server.ts';
import type { Settings } from './settings.ts';
import { clock, lookAfterSchedules, lookForEnds } from './watch.ts';
import { Worker } from './worker.ts';

const second = 1000;
const minute = 60 * second;
/** What is under way may take so long to end when the bot is stopped. */
const patience = 25 * second;

export interface RunningBot {
  url: string;
  counts: () => Promise<{ jobs: number; parked: number }>;
  /** Resolves when others may work on what this one works on: end the process at once. */
  lost: Promise<UserError>;
  /**
   * Takes no more deliveries, ends what is under way, closes the inbox: what is left waits there. `false`: something
   * still goes on, which another process may begin again: end this one at once.
   */
  close(): Promise<boolean>;
}

export interface BotOptions {
  settings: Settings;
  environment: NodeJS.ProcessEnv;
  /** How often ends are looked for, missed deliveries, and schedules; in milliseconds. */
  every?: { ends: number; missed: number; schedules: number };
}

/** Starts the bot. Throws `bot_settings` (port) and `inbox_unavailable`. */
export async function startBot({
  settings,
  environment,
  every = { ends: 5 * second, missed: 5 * minute, schedules: 15 * minute },
}: BotOptions): Promise<RunningBot> {
  const redact = redactor(secretsOf(settings, environment));
  const log = structuredLog({
    redact,
    write: (line) => process.stderr.write(line),
    debug: environment.LOG_LEVEL === 'debug',
  });
  const inbox = await openInbox(settings.inbox);
  try {
    return await startWith({ settings, log, redact, inbox, every });
  } catch (error) {
    await inbox.close();
    throw error;
  }
}

async function startWith({
  settings,
  log,
  redact,
  inbox,
  every,
}: {
  settings: Settings;
  log: BotLog;
  redact: (text: string) => string;
  inbox: Inbox;
  every: NonNullable<BotOptions['every']>;
}): Promise<RunningBot> {
  const { Probot, ProbotOctokit } = await import('probot');
  const metrics = botMetrics();
  watchInbox(inbox, metrics);
  const probot = new Probot({
    ...{ appId: settings.appId, privateKey: settings.privateKey, secret: settings.webhookSecret },
    ...{ baseUrl: settings.apiUrl, log: probotLog(log), Octokit: plainOctokit(ProbotOctokit) },
  });
  await probot.ready();
  const clients = appClients(probot, { onError: metrics.githubErrors, redact });
  const contexts = new ContextSource({ settings, logger: log });
  const { concurrency } = settings;
  const worker = new Worker({
    ...{ inbox, clients, contexts, handlers, metrics, log, concurrency },
    replyKey: replyKeyOf(settings.webhookSecret),
  });
  receive({ inbox, worker, metrics, log })(probot);

  let stopping = false;
  let known = false;
  const unready = () =>
    stopping ? 'stopping' : known ? null : 'GitHub has not yet confirmed the id and key of the app';
  const server = await startServer({ host: settings.host, port: settings.port, probot, metrics, unready });
  worker.start();
  const failed = (what: string) => (error: unknown) => log.write('warn', `${what}: ${faultText(error)}`);
  const clocks = [
    clock(every.ends, () => lookForEnds({ inbox, worker }), failed('looking for ends')),
    clock(
      every.missed,
      async () => {
        await clients.slug();
        known = true;
        if (await inbox.lead()) await fetchMissed({ clients, inbox, metrics, log });
      },
      failed('looking for missed deliveries'),
    ),
    clock(
      every.schedules,
      async () => {
        if (await inbox.lead()) await lookAfterSchedules({ inbox, worker, clients });
      },
      failed('looking after schedules'),
    ),
  ];
  log.info(`Listening at ${server.url}`);
  return {
    url: server.url,
    lost: inbox.lost,
    async counts() {
      const counts = await inbox.counts();
      const sum = (of: typeof counts) => of.reduce((total, { count }) => total + count, 0);
      return { jobs: sum(counts), parked: sum(counts.filter(({ state }) => state === 'parked')) };
    },
    async close() {
      stopping = true;
      await Promise.all([server.close(), ...clocks.map((one) => one.stop())]);
      const ended = await worker.stop(patience);
      await inbox.close();
      return ended;
    },
  };
}

/** Several processes on one inbox all tell the same: it is the inbox's, not theirs. */
function watchInbox(inbox: Inbox, { metrics }: BotMetrics): void {
  metrics.gauge('modelgate_bot_inbox_jobs', 'Jobs in the inbox by state and kind.', async () =>
    (await inbox.counts()).map(({ state, kind, count }) => ({ labels: { state, kind }, value: count })),
  );
  metrics.gauge('modelgate_bot_oldest_job_seconds', 'Age of the oldest job that is not done.', async () => {
    const at = await inbox.oldest();
    return [{ labels: {}, value: at === null ? 0 : Math.max(0, (Date.now() - at.getTime()) / 1000) }];
  });
}
