import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandResult } from '../src/chatops/context.ts';
import type { ReplyKey } from '../src/chatops/reply-key.ts';
import { UserError } from '../src/errors.ts';
import { GitHubUnavailable } from '../src/github/port.ts';
import type { ContextSource } from './context.ts';
import type { BotEvent } from './events.ts';
import { Eyes } from './eyes.ts';
import type { AppClients } from './github.ts';
import { giveUp } from './give-up.ts';
import type { Handled, HandlerContext, Handlers } from './handlers.ts';
import type { Inbox, Job } from './inbox.ts';
import { type BotLog, faultText } from './log.ts';
import type { BotMetrics } from './metrics.ts';

/** A fault of ours is tried so often; GitHub may be away for as long as it keeps deliveries. */
const tries = 5;
const patience = 3 * 24 * 60 * 60_000;
/** What somebody waits for is told after so long, in milliseconds. */
const soon = 15 * 60_000;
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
  /** Signs what the bot says of a command. */
  replyKey: ReplyKey;
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
  private pumping: Promise<void> | null = null;
  /** Something happened while jobs were being taken: there may be more. */
  private again = false;

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

  /** Begins nothing more, and resolves when what is under way has ended, or after this time: `false`. */
  async stop(milliseconds: number): Promise<boolean> {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
    let enough: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => {
      enough = setTimeout(() => resolve(false), milliseconds);
    });
    const ended = await Promise.race([this.ended(), late]);
    clearTimeout(enough);
    return ended;
  }

  private async ended(): Promise<true> {
    await this.pumping;
    await Promise.all(this.running);
    return true;
  }

  /** A job was stored: its command is seen at once, whatever is before it. */
  notice(event: BotEvent): void {
    if (event.kind === 'comment' && !this.pausedInstallations().includes(event.installation))
      this.eyes.show(event, this.now());
    setImmediate(() => this.pump());
  }

  /** Takes what may be begun, one after another. */
  private pump(): void {
    this.again = true;
    this.pumping ??= this.take()
      .catch((error: unknown) => this.options.log.write('warn', `taking jobs: ${faultText(error)}`))
      .finally(() => {
        this.pumping = null;
        if (this.again && this.mayTake) this.pump();
      });
  }

  private get mayTake(): boolean {
    return this.timer !== null && this.running.size < this.options.concurrency;
  }

  private async take(): Promise<void> {
    while (this.again && this.mayTake) {
      this.again = false;
      const job = await this.options.inbox.claim({
        now: this.now(),
        pausedInstallations: this.pausedInstallations(),
      });
      if (job === null) continue;
      this.again = true;
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
      await this.record(() => inbox.finish(job.id, { now: this.now(), open }));
    } catch (error) {
      result = await this.failed(job, error);
    }
    metrics.jobs({ kind, result });
    log.write('debug', 'job', { job: job.id, key: job.key, result, attempts: job.attempts });
  }

  /** Until it is written the job counts as being worked on: whoever stops before leaves it to the next one. */
  private async record(write: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        return await write();
      } catch (error) {
        this.options.log.write('warn', `how a job ended is not recorded: ${faultText(error)}`);
        if (this.timer === null) return;
        await sleep(1000);
      }
    }
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
      const due = new Date(now.getTime() + wait);
      await this.record(() => inbox.retry(job.id, { due, error: error.message }));
      return 'again';
    }
    const theirs = error instanceof UserError;
    log.write(theirs ? 'warn' : 'error', theirs ? error.message : faultText(error), about);
    const short = error instanceof Error ? error.message : String(error);
    const age = now.getTime() - job.receivedAt.getTime();
    if (theirs ? mayMend(error, job) && age < patienceOf(job) : job.attempts < tries) {
      const due = new Date(now.getTime() + backOff(job, 300_000));
      await this.record(() => inbox.retry(job.id, { due, error: short }));
      return 'again';
    }
    await this.tell(job, error);
    await this.record(() => inbox.park(job.id, { now, error: short }));
    return 'parked';
  }

  /** Nobody waits for an answer that does not come. */
  private async tell(job: Job, error: unknown): Promise<void> {
    const { clients, log, replyKey } = this.options;
    try {
      await giveUp({ github: await clients.of(job.event), job, error, replyKey, now: this.now, log });
    } catch (second) {
      log.write(
        'warn',
        `no answer to job ${job.id}: ${second instanceof Error ? second.message : 'unknown'}`,
      );
    }
  }
}

/**
 * Whether somebody may mend it meanwhile: what is not reached, and for jobs that no person waits for also the
 * configuration on the default branch. A person is told at once what to mend.
 */
function mayMend(error: UserError, { event }: Job): boolean {
  return error.failureClass === 'infrastructure' || event.kind !== 'comment';
}

/** A result is worth as much tomorrow; a person, a job before an environment and the next watch come sooner. */
function patienceOf({ event }: Job): number {
  return event.kind === 'run' || event.kind === 'finish' ? patience : soon;
}

/** 1, 2, 4 … seconds, spread a little so that jobs that failed together do not come back together. */
function backOff({ id, attempts }: Job, most: number): number {
  const spread = 1 + (id % 8) / 16;
  return Math.min(most, 1000 * 2 ** Math.min(attempts - 1, 20)) * spread;
}

function count(metrics: BotMetrics, { event }: Job, { decision, reason }: CommandResult): void {
  if (event.kind === 'comment') metrics.commands({ decision, reason });
}
