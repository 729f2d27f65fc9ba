import { z } from 'zod';
import { UserError } from '../errors.ts';
import { parseJson } from '../json.ts';

const Weights = z.record(z.string().max(128), z.number().min(-1e300).max(1e300));
const Rows = z.array(z.object({ name: z.string().max(128), importance: z.number() })).max(10_000);
/** `{"feature": 0.4, …}`, or the same under `importance`, or rows of name and importance under `features`. */
const ImportanceFile = z.union([
  z.object({ importance: Weights }).transform((file) => file.importance),
  z
    .object({ features: Rows })
    .transform((file) => Object.fromEntries(file.features.map((row) => [row.name, row.importance]))),
  Weights,
]);

/** Each feature's share of the whole importance, in [0, 1], adding up to 1; negative ones count as 0. */
export type Importance = ReadonlyMap<string, number>;

/** Reads an importance file. Throws `data_unreadable` where it is not one. */
export function parseImportance(text: string, where: string): Importance {
  try {
    const weights = ImportanceFile.parse(parseJson(text));
    const total = Object.values(weights).reduce((sum, weight) => sum + Math.max(0, weight), 0);
    return new Map(
      Object.entries(weights).map(([name, weight]) => [name, total === 0 ? 0 : Math.max(0, weight) / total]),
    );
  } catch (cause) {
    throw new UserError({
      code: 'data_unreadable',
      message: 'The importance file does not give a number for each feature.',
      where,
      fix: 'Write a JSON object such as {"distance": 0.4, "carrier": 0.1}.',
      cause,
    });
  }
}

export interface Rank {
  importance: number;
  /** 1 is the most important feature. */
  rank: number;
  /** Features ranked. */
  of: number;
  /** Whether the feature lies in the top share of the features by importance, or carries that share of it alone. */
  top: boolean;
}

/**
 * The rank of one feature: the top share holds the first ⌈share × features⌉ features, never one without any importance,
 * and those that have that share of the importance themselves: of .5, .4 and .1 the second is no trifle. Null where the model does not use the feature or no importance is known.
 */
export function rankOf(importance: Importance | null, name: string, share: number): Rank | null {
  const value = importance?.get(name);
  if (importance === null || value === undefined) return null;
  const rank = 1 + [...importance.values()].filter((other) => other > value).length;
  const of = importance.size;
  return { importance: value, rank, of, top: value > 0 && (rank <= Math.ceil(share * of) || value >= share) };
}
