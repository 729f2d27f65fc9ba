import { setTimeout as sleep } from 'node:timers/promises';

/** GitHub allows about 80 requests a minute that make content; people use the same account of limits. */
const contentAMinute = 70;
/** What may be made at once after a quiet time. */
const burst = 30;

/** Holds an installation's requests to the pace that GitHub asks for; reading, editing and reacting do not wait. */
export class Pace {
  private readonly now: () => number;
  private tokens = burst;
  private filled: number;
  private queue: Promise<void> = Promise.resolve();

  constructor(now: () => number = () => performance.now()) {
    this.now = now;
    this.filled = now();
  }

  /** Resolves when the request may be sent, first come, first served. */
  async turn(route: string): Promise<void> {
    if (!route.startsWith('POST ') || route.endsWith('/reactions')) return;
    const mine = this.queue.then(() => this.take());
    this.queue = mine;
    await mine;
  }

  private async take(): Promise<void> {
    const perMillisecond = contentAMinute / 60_000;
    const at = this.now();
    this.tokens = Math.min(burst, this.tokens + (at - this.filled) * perMillisecond);
    this.filled = at;
    this.tokens -= 1;
    if (this.tokens < 0) await sleep(Math.ceil(-this.tokens / perMillisecond));
  }
}
