import { setTimeout as sleep } from 'node:timers/promises';
import { hasCode, UserError } from '../errors.ts';

/** Failures of a network drive or a busy machine that pass by themselves. */
const passing = [
  'EIO',
  'EBUSY',
  'EAGAIN',
  'ETIMEDOUT',
  'ESTALE',
  'ENETDOWN',
  'ENETUNREACH',
  'ECONNRESET',
  'EMFILE',
];

export interface RetryOptions {
  /** How often the work is tried at most. */
  attempts?: number;
  /** Milliseconds before the second attempt; doubled each time. */
  delay?: number;
  signal?: AbortSignal;
}

/**
 * Reads from a source that may be flaky: tries again, with back-off, what can pass by itself. Then, and at once
 * for what cannot, throws `data_unavailable`, saying how often it was tried.
 */
export async function readWithRetry<T>(
  where: string,
  work: () => Promise<T>,
  options: RetryOptions = {},
): Promise<T> {
  const { attempts = 4, delay = 250, signal } = options;
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      if (error instanceof UserError) throw error;
      const passes = passing.some((code) => hasCode(error, code));
      if (passes && attempt < attempts) {
        await sleep(delay * 2 ** (attempt - 1), undefined, signal === undefined ? {} : { signal });
        continue;
      }
      const why = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      throw new UserError({
        code: 'data_unavailable',
        message: `The source cannot be read (${why}), tried ${attempt === 1 ? 'once' : `${attempt} times`}.`,
        where,
        fix: passes
          ? 'Check the disk or network that holds the source, then run the same command again.'
          : "Check the source's path in modelgate.yaml and its permissions.",
        cause: error,
      });
    }
  }
}
