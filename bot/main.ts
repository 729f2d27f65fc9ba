import { receive } from './app.ts';
import { ContextSource } from './context.ts';
import { fetchMissed } from './deliveries.ts';
import { appClients, plainOctokit } from './github.ts';
import { handlers } from './handlers.ts';
import type { Inbox } from './inbox.ts';
import { type BotLog, faultText, probotLog, redactor, secretsOf, structuredLog } from './log.ts';
import { type BotMetrics, botMetrics } from './metrics.ts';
import { startServer } from './server.ts';
import type { Settings } from './settings.ts';
import { openSqliteInbox } from './sqlite-inbox.ts';
import { clock, lookAfterSchedules, lookForEnds } from './watch.ts';
import { Worker } from './worker.ts';

const second = 1000;
const minute = 60 * second;
/** What is under way may take so long to end when the bot is stopped. */
const patience = 25 * second;

export interface RunningBot {
  url: string;
  counts: () => { jobs: number; parked: number };
  /** Takes no more deliveries, ends what is under way, closes the inbox: what is left waits there. */
  close(): Promise<void>;
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
  const inbox = await openSqliteInbox(settings.inbox);
  try {
    return await startWith({ settings, log, redact, inbox, every });
  } catch (error) {
    inbox.close();
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
  const worker = new Worker({ inbox, clients, contexts, handlers, metrics, log, concurrency });
  receive({ inbox, worker, metrics, log })(probot);

  let stopping = false;
  let known = false;
  const unready = () =>
    stopping ? 'stopping' : known ? null : 'GitHub has not yet confirmed the id and key of the app';
  const server = await startServer({ host: settings.host, port: settings.port, probot, metrics, unready });
  worker.start();
  const failed = (what: string) => (error: unknown) => log.write('warn', `${what}: ${faultText(error)}`);
  const clocks = [
    clock(every.ends, async () => lookForEnds({ inbox, worker }), failed('looking for ends')),
    clock(
      every.missed,
      async () => {
        await clients.slug();
        known = true;
        await fetchMissed({ clients, inbox, metrics, log });
      },
      failed('looking for missed deliveries'),
    ),
    clock(
      every.schedules,
      () => lookAfterSchedules({ inbox, worker, clients }),
      failed('looking after schedules'),
    ),
  ];
  log.info(`Listening at ${server.url}`);
  return {
    url: server.url,
    counts() {
      const counts = inbox.counts();
      const sum = (of: typeof counts) => of.reduce((total, { count }) => total + count, 0);
      return { jobs: sum(counts), parked: sum(counts.filter(({ state }) => state === 'parked')) };
    },
    async close() {
      stopping = true;
      await Promise.all([server.close(), ...clocks.map((one) => one.stop())]);
      await worker.stop(patience);
      inbox.close();
    },
  };
}

function watchInbox(inbox: Inbox, { metrics }: BotMetrics): void {
  metrics.gauge('modelgate_bot_inbox_jobs', 'Jobs in the inbox by state and kind.', () =>
    inbox.counts().map(({ state, kind, count }) => ({ labels: { state, kind }, value: count })),
  );
  metrics.gauge('modelgate_bot_oldest_job_seconds', 'Age of the oldest job that is not done.', () => {
    const at = inbox.oldest();
    return [{ labels: {}, value: at === null ? 0 : Math.max(0, (Date.now() - at.getTime()) / 1000) }];
  });
}
