import type { Placed } from '../../../src/registry/chain.ts';

/** What came of operations whose answers may be lost. */
export interface Tally {
  operations: number;
  /** Told as done. */
  done: number;
  /** Told as lost to somebody else. */
  others: number;
  /** No certain answer, after all tries of the storage; the operation was repeated where it can be. */
  uncertain: number;
  /** Done more than once, or told to more than one. */
  double: number;
  /** Told as done, and not there as it was told. */
  lost: number;
  /** Told as lost to somebody else, though nobody else was there. */
  falselyOthers: number;
}

export const emptyTally = (): Tally => ({
  operations: 0,
  done: 0,
  others: 0,
  uncertain: 0,
  double: 0,
  lost: 0,
  falselyOthers: 0,
});

/** What a writer was told of its create; `uncertain`: no answer, after all tries of the storage. */
export type End = 'created' | 'exists' | 'uncertain';

/** Adds what came of the creates of one name to a tally. */
export function judgeCreates(
  tally: Tally,
  ends: readonly End[],
  contents: readonly string[],
  there: string | undefined,
): void {
  const creators = ends.flatMap((end, index) => (end === 'created' ? [contents[index]] : []));
  const perhaps = ends.flatMap((end, index) => (end === 'uncertain' ? [contents[index]] : []));
  tally.operations += ends.length;
  tally.done += creators.length;
  tally.uncertain += perhaps.length;
  tally.others += ends.length - creators.length - perhaps.length;
  if (creators.length > 1) tally.double += creators.length - 1;
  if (creators.some((content) => content !== there)) tally.lost += 1;
  // somebody made what is there, and should know it
  if (there !== undefined && creators.length === 0 && !perhaps.includes(there)) tally.falselyOthers += 1;
  // told that something is there, though nothing is
  if (there === undefined && ends.includes('exists')) tally.falselyOthers += 1;
}

/** Adds to a tally what a log says of operations: by op_id the entry that was told, null where no answer was certain. */
export function judgeLog(
  tally: Tally,
  told: ReadonlyMap<string, number | null>,
  log: readonly Placed[],
): void {
  const places = Map.groupBy(log, ({ entry }) => entry.op_id);
  for (const entries of places.values()) tally.double += entries.length - 1;
  for (const [op_id, seq] of told) {
    if (seq !== null && !places.get(op_id)?.some(({ entry }) => entry.seq === seq)) tally.lost += 1;
  }
}

/** Whether nothing was done twice, lost, or falsely told as lost. */
export function isClean({ double, lost, falselyOthers }: Tally): boolean {
  return double === 0 && lost === 0 && falselyOthers === 0;
}

/** One line for a person. */
export function describeTally(what: string, tally: Tally): string {
  const { operations, done, others, uncertain, double, lost, falselyOthers } = tally;
  return `${what}: ${operations} operations, ${done} done, ${others} went to others, ${uncertain} uncertain; ${double} double, ${lost} lost, ${falselyOthers} false "lost race"`;
}
