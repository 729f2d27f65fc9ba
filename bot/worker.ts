import type { ChatopsContext, CommandResult, IncomingComment } from '../src/chatops/context.ts';
import { opIdOf } from '../src/chatops/operations.ts';
import { acceptedRecord, openReply, updateReply } from '../src/chatops/reply-life.ts';
import { UserError } from '../src/errors.ts';
import { GitHubUnavailable } from '../src/github/port.ts';
import type { ContextSource } from './context.ts';
import type { BotEvent } from './events.ts';
import { Eyes } from './eyes.ts';
import type { AppClients } from './github.ts';
import type { Handled, HandlerContext, Handlers } from './handlers.ts';
import type { Inbox, Job } from './inbox.ts';
import { type BotLog, faultText } from './log.ts';
import type { BotMetrics } from './metrics.ts';

/** A fault of ours is tried so often; GitHub may be away for as long as it keeps deliveries. */
const tries = 5;
const patience = 3 * 24 * 60 * 60_000;
/** How often jobs are looked for that have become due. */
const beat = 500;

export interface WorkerOptions {
  inbox: Inbox;
  clients: AppClients;
  contexts: Pick<ContextSource, 'of'>;
  handlers: Handlers;
  metrics: BotMetrics;
  log: BotLog;
  concurrency: number;
  now?: () => Date;
}

/** Works off the inbox: lanes in parallel up to a bound, each serially; what fails is tried again, later and later. */
export class Worker {
  private readonly options: WorkerOptions;
  private readonly now: () => Date;
  private readonly eyes: Eyes;
  private readonly running = new Set<Promise<void>>();
  /** Until when GitHub wants to hear nothing, in milliseconds, by installation. */
  private readonly paused = new Map<number, number>();
  private timer: NodeJS.Timeout | null = null;

  constructor(options: WorkerOptions) {
    this.options = options;
    this.now = options.now ?? (() => new Date());
    this.eyes = new Eyes({ clients: options.clients, seconds: options.metrics.seconds });
  }

  get active(): boolean {
    return this.timer !== null;
  }

  start(): void {
    this.timer ??= setInterval(() => this.pump(), beat);
    this.pump();
  }

  /** Begins nothing more, and resolves when what is under way has ended, or after this time. */
  async stop(milliseconds: number): Promise<void> {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
    let enough: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      enough = setTimeout(resolve, milliseconds);
    });
    await Promise.race([Promise.all(this.running), late]);
    clearTimeout(enough);
  }

  /** A job was stored: its command is seen at once, whatever is before it. */
  notice(event: BotEvent): void {
    if (event.kind === 'comment' && !this.pausedInstallations().includes(event.installation))
      this.eyes.show(event, this.now());
    setImmediate(() => this.pump());
  }

  private pump(): void {
    while (this.timer !== null && this.running.size < this.options.concurrency) {
      const job = this.options.inbox.claim({
        now: this.now(),
        pausedInstallations: this.pausedInstallations(),
      });
      if (job === null) return;
      const work = this.work(job).finally(() => {
        this.running.delete(work);
        this.pump();
      });
      this.running.add(work);
    }
  }

  private pausedInstallations(): number[] {
    const now = this.now().getTime();
    for (const [installation, until] of this.paused) if (until <= now) this.paused.delete(installation);
    return [...this.paused.keys()];
  }

  private async work(job: Job): Promise<void> {
    const { inbox, metrics, log } = this.options;
    const { kind } = job.event;
    let result = 'done';
    try {
      const { open } = await this.handle(job);
      inbox.finish(job.id, { now: this.now(), open });
    } catch (error) {
      result = await this.failed(job, error);
    }
    metrics.jobs({ kind, result });
    log.write('debug', 'job', { job: job.id, key: job.key, result, attempts: job.attempts });
  }

  private async handle(job: Job): Promise<Handled> {
    const { clients, contexts, handlers, metrics, inbox } = this.options;
    const { event } = job;
    const handler = handlers[event.kind] as (event: BotEvent, context: HandlerContext) => Promise<Handled>;
    const github = this.eyes.remembered(await clients.of(event), job);
    const handled = await handler(event, { chatops: await contexts.of(github), inbox });
    if (handled.result !== null) count(metrics, job, handled.result);
    return handled;
  }

  /** How a try that failed ends: `again`, or `parked` with the person told. */
  private async failed(job: Job, error: unknown): Promise<'again' | 'parked'> {
    const { inbox, log } = this.options;
    const now = this.now();
    const about = { job: job.id, key: job.key, attempts: job.attempts };
    if (error instanceof GitHubUnavailable && now.getTime() - job.receivedAt.getTime() < patience) {
      const wait = Math.max((error.retryAfterSeconds ?? 0) * 1000, backOff(job, 60_000));
      if (error.retryAfterSeconds !== null)
        this.paused.set(job.event.installation, now.getTime() + error.retryAfterSeconds * 1000);
      log.write('warn', error.message, { ...about, seconds: Math.round(wait / 1000) });
      inbox.retry(job.id, { due: new Date(now.getTime() + wait), error: error.message });
      return 'again';
    }
    const theirs = error instanceof UserError;
    const passing = !theirs || error.failureClass === 'infrastructure';
    log.write(theirs ? 'warn' : 'error', theirs ? error.message : faultText(error), about);
    const short = error instanceof Error ? error.message : String(error);
    if (passing && job.attempts < tries) {
      inbox.retry(job.id, { due: new Date(now.getTime() + backOff(job, 300_000)), error: short });
      return 'again';
    }
    await this.tell(job, error);
    inbox.park(job.id, { now, error: short });
    return 'parked';
  }

  /** Nobody waits for an answer that does not come. What went wrong in us stays in the log, under the job's number. */
  private async tell({ id, event }: Job, error: unknown): Promise<void> {
    if (event.kind !== 'comment') return;
    const { clients, log } = this.options;
    const summary =
      error instanceof UserError
        ? `${error.message} ${error.fix}`
        : `Something went wrong in ModelGate. Whoever runs the bot finds it in the log as job ${id}.`;
    try {
      const github = await clients.of(event);
      await failReply({ github, comment: event.comment, summary, now: this.now, logger: log });
    } catch (second) {
      log.write('warn', `no answer to job ${id}: ${second instanceof Error ? second.message : 'unknown'}`);
    }
  }
}

/** Ends the reply of a command that could not be carried out, if nothing else has ended it. */
async function failReply({
  github,
  comment,
  summary,
  now,
  logger,
}: Pick<ChatopsContext, 'github' | 'now' | 'logger'> & {
  comment: IncomingComment;
  summary: string;
}): Promise<void> {
  const opId = opIdOf(github.repository, comment, '');
  const first = acceptedRecord(comment, { opId, command: 'command', now: now() });
  const reply = await openReply(github, comment, first);
  if (reply.record.decision !== 'accepted') return;
  const end = { decision: 'failed', reason: 'internal', summary } as const;
  const result: CommandResult = { ...end, checks: [], operation: null, details: null };
  const context = { github, now, logger } as ChatopsContext;
  await updateReply(context, { reply: reply.comment, record: reply.record, result });
}

/** 1, 2, 4 … seconds, spread a little so that jobs that failed together do not come back together. */
function backOff({ id, attempts }: Job, most: number): number {
  const spread = 1 + (id % 8) / 16;
  return Math.min(most, 1000 * 2 ** Math.min(attempts - 1, 20)) * spread;
}

function count(metrics: BotMetrics, { event }: Job, { decision, reason }: CommandResult): void {
  if (event.kind === 'comment') metrics.commands({ decision, reason });
}
