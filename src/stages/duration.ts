import { z } from 'zod';

const units = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A length of time as people write it; nothing at all is `0s`. */
export const Duration = z
  .string()
  .regex(/^(0|[1-9]\d{0,5})[smhd]$/, 'expected a number and s, m, h or d, e.g. 30m');

/** Milliseconds of a `Duration`. */
export function milliseconds(duration: string): number {
  return Number(duration.slice(0, -1)) * units[duration.slice(-1) as keyof typeof units];
}
