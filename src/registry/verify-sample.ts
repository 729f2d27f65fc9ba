import { z } from 'zod';
import type { Digest } from '../json.ts';

/** Which part of the objects is read: the digests in a window of their own order, which the seed moves on. */
export const Sample = z.object({
  /** Of all objects: above 0, at most 1. */
  share: z.number().positive().max(1),
  /** The next seed gives the next window, so that 1 / share seeds in a row, rounded up, read everything. */
  seed: z.number().int().nonnegative(),
});
export type Sample = z.infer<typeof Sample>;

/** The day's seed: a check a day reads everything in turn. */
export function seedOf(now: Date): number {
  return Math.floor(now.getTime() / 86_400_000);
}

export function isSampled(digest: Digest, { share, seed }: Sample): boolean {
  const place = Number.parseInt(digest.slice(0, 12), 16) / 2 ** 48;
  const start = (seed * share) % 1;
  // the window may reach over the end of the circle; a rounding error must leave no gap between two windows
  return (place - start + 1) % 1 < share + 1e-9;
}
