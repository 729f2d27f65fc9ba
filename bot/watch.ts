import { z } from 'zod';
import { type BotEvent, repositoryOf } from './events.ts';
import type { AppClients } from './github.ts';
import type { Inbox, NewJob } from './inbox.ts';
import type { Worker } from './worker.ts';

const mostPages = 20;
/** Deliveries older than this are never sent again. */
const remembered = 30 * 24 * 60 * 60_000;

const Installations = z.array(z.object({ id: z.number().int(), suspended_at: z.string().nullish() }));
const Repositories = z.object({
  repositories: z.array(
    z.object({
      name: z.string(),
      owner: z.object({ login: z.string() }),
      archived: z.boolean().default(false),
    }),
  ),
});

interface Watching {
  inbox: Inbox;
  worker: Pick<Worker, 'notice'>;
  now?: () => Date;
}

/** Jobs that look for the end of what commands have started: a webhook that was lost hangs nothing. */
export async function lookForEnds({ inbox, worker, now = () => new Date() }: Watching): Promise<number> {
  const at = now();
  const open = await inbox.openOperations(at);
  for (const { opId, lane, event } of open) {
    const { installation, owner, repo, comment } = event;
    const about = { number: comment.number, comment: comment.id, opId };
    await put(
      { inbox, worker, at },
      {
        ...{ guid: null, key: `finish:${opId}:${at.getTime()}`, lane, priority: 2, opId: null },
        event: { kind: 'finish', installation, owner, repo, ...about },
      },
    );
  }
  await inbox.forget(new Date(at.getTime() - remembered));
  return open.length;
}

/** A job for each repository where the app is installed: its schedules are looked after. */
export async function lookAfterSchedules({
  inbox,
  worker,
  clients,
  now = () => new Date(),
}: Watching & { clients: Pick<AppClients, 'app' | 'installation'> }): Promise<number> {
  const at = now();
  let count = 0;
  const failed: unknown[] = [];
  for (const installation of await installations(clients)) {
    try {
      count += await lookAfterInstallation({ inbox, worker, clients, at }, installation);
    } catch (error) {
      // one that is broken takes nothing from the others
      failed.push(error);
    }
  }
  if (failed.length > 0)
    throw new AggregateError(failed, `${failed.length} installations cannot be looked after`);
  return count;
}

async function lookAfterInstallation(
  { inbox, worker, clients, at }: Watching & { clients: Pick<AppClients, 'installation'>; at: Date },
  installation: number,
): Promise<number> {
  let count = 0;
  const client = await clients.installation(installation);
  for (let page = 1; page <= mostPages; page++) {
    const { data } = await client.request('GET /installation/repositories', { per_page: 100, page });
    const { repositories } = Repositories.parse(data);
    for (const { name: repo, owner, archived } of repositories) {
      if (archived) continue;
      const event = { kind: 'watch', installation, owner: owner.login, repo } as const;
      const name = repositoryOf(event);
      const key = `watch:${name}:${at.getTime()}`;
      await put(
        { inbox, worker, at },
        { guid: null, key, lane: `${name} watch`, priority: 3, opId: null, event },
      );
      count += 1;
    }
    if (repositories.length < 100) break;
  }
  return count;
}

async function installations(clients: Pick<AppClients, 'app'>): Promise<number[]> {
  const client = await clients.app();
  const found: number[] = [];
  for (let page = 1; page <= mostPages; page++) {
    const { data } = await client.request('GET /app/installations', { per_page: 100, page });
    const listed = Installations.parse(data);
    found.push(...listed.filter(({ suspended_at: at }) => at == null).map(({ id }) => id));
    if (listed.length < 100) break;
  }
  return found;
}

async function put(
  { inbox, worker, at }: Watching & { at: Date },
  job: NewJob & { event: BotEvent },
): Promise<void> {
  if ((await inbox.put(job, at)) === 'stored') worker.notice(job.event);
}

/** Does something at once and then every so often, never twice at a time; `stop` waits for what is under way. */
export function clock(
  every: number,
  tick: () => Promise<unknown>,
  failed: (error: unknown) => void,
): { stop(): Promise<void> } {
  let running: Promise<unknown> | null = null;
  const run = () => {
    running ??= tick()
      .catch(failed)
      .finally(() => {
        running = null;
      });
  };
  run();
  const timer = setInterval(run, every);
  return {
    async stop() {
      clearInterval(timer);
      await running;
    },
  };
}
