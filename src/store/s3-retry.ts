import { setTimeout as sleep } from 'node:timers/promises';
import { failureOf } from './s3-errors.ts';

export interface RetryPolicy {
  /** Requests in all, the first one included. */
  tries: number;
  /** Milliseconds before the second one; it doubles with each. */
  pause: number;
}

export const patient: RetryPolicy = { tries: 10, pause: 25 };

/** Waits before request `attempt` + 1 (from 0): growing, and by chance, so that writers do not meet again. */
export async function backOff(policy: RetryPolicy, attempt: number): Promise<void> {
  await sleep((0.5 + Math.random() / 2) * Math.min(2_000, policy.pause * 2 ** attempt));
}

/** Repeats a request that may be repeated: a read, a removal, a replacement with the same bytes. */
export async function repeated<T>(policy: RetryPolicy, request: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await request();
    } catch (error) {
      const failure = failureOf(error);
      const again = failure === 'doubtful' || failure === 'conflict';
      if (!again || attempt + 1 >= policy.tries) throw error;
      await backOff(policy, attempt);
    }
  }
}
