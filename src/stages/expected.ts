import type { Config } from '../config/schema.ts';
import { milliseconds } from '../training/duration.ts';
import type { StageOutcome } from './define.ts';

/** A stage, or the whole run, that took longer than `expected` says. */
export interface Overrun {
  stage: string;
  /** Both in seconds. */
  seconds: number;
  expected: number;
}

/** The run first, then stages in their order. What was read back took no time of its own. */
export function overruns(
  expected: Config['expected'],
  {
    outcomes,
    seconds,
  }: {
    outcomes: readonly Pick<StageOutcome<object>, 'stage' | 'cached' | 'timings'>[];
    /** Of the whole run. */
    seconds: number;
  },
): Overrun[] {
  const took = [
    { stage: 'run', seconds },
    ...outcomes
      .filter(({ cached }) => !cached)
      .map(({ stage, timings }) => ({ stage, seconds: timings.total ?? 0 })),
  ];
  return took.flatMap((one) => {
    const limit = expected?.[one.stage as keyof typeof expected];
    if (limit === undefined || one.seconds * 1000 <= milliseconds(limit)) return [];
    return [{ ...one, expected: milliseconds(limit) / 1000 }];
  });
}

/** One sentence of a stage that took too long. */
export function overrunText({ stage, seconds, expected }: Overrun): string {
  return `${stage} took ${inWords(seconds)} against an expected ${inWords(expected)}.`;
}

function inWords(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds * 10) / 10} s`;
  return seconds < 7200 ? `${Math.round(seconds / 6) / 10} min` : `${Math.round(seconds / 360) / 10} h`;
}
