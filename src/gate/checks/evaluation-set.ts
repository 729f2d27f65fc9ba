import { z } from 'zod';
import { type Check, check } from '../check.ts';
import { formatPercent, plural } from '../numbers.ts';

/** What an evaluation set has been asked, and how old it is, as far as the composing code knows. */
export const SetUse = z.object({
  /** Consultations of this set up to and including this one; null: not counted. */
  consultations: z.number().int().positive().nullable(),
  /** Consultations after which it is worn out. */
  budget: z.number().int().positive().nullable(),
  /** The set's column with the row's time; null: it has none. */
  time: z.string().nullable(),
  /** Such as 90d; null: any age will do. */
  maximum_age: z
    .string()
    .regex(/^\d+(s|m|h|d)$/)
    .nullable(),
  /** The present, ISO 8601; null: the newest row that the candidate was trained on. */
  as_of: z.string().nullable(),
});
export type SetUse = z.infer<typeof SetUse>;

/**
 * What repeated questions cost. Of `count` candidates judged on the same rows, each a whole margin worse, the
 * chance that any passes is at most count × alpha (the union bound, whatever their dependence); so is the chance
 * that any of as many equal ones is blocked. `worn_at` is the count at which the bound says nothing any more.
 */
export const Wear = z.object({
  count: z.number(),
  budget: z.number().nullable(),
  bound: z.number(),
  worn_at: z.number(),
});
export type Wear = z.infer<typeof Wear>;

export function wearOf(use: SetUse | null, alpha: number): Wear | null {
  if (use?.consultations == null) return null;
  const { consultations: count, budget } = use;
  return { count, budget, bound: Math.min(1, count * alpha), worn_at: Math.ceil(1 / alpha - 1e-9) };
}

/** Budget of consultations (blocks when it is spent) and age (warns). */
export function evaluationSetChecks(input: {
  use: SetUse | null;
  alpha: number;
  /** The set's newest row, and the newest traffic that is known: ISO 8601; null where it cannot be told. */
  newest: string | null;
  traffic: string | null;
}): Check[] {
  const { use, alpha } = input;
  if (use === null) return [];
  return [...budgetCheck(use, alpha), ...ageCheck({ ...input, use })];
}

function budgetCheck(use: SetUse, alpha: number): Check[] {
  if (use.budget === null) return [];
  const head = { id: 'evaluation_set:budget', kind: 'evaluation_set' as const, title: 'consultations' };
  const wear = wearOf(use, alpha);
  if (wear === null) {
    const reason = 'How often this evaluation set was asked before is not known.';
    return [check({ ...head, effect: 'blocks', verdict: 'inconclusive', reason, margin: use.budget })];
  }
  const spent = wear.count > use.budget;
  const cost = `with ${plural(wear.count, 'question')} the chance that any candidate passed or was blocked by luck is at most ${formatPercent(wear.bound)}, not ${formatPercent(alpha)}; from ${wear.worn_at} on the bound says nothing`;
  return [
    check({
      ...head,
      // within its budget it counts neither way: no candidate passes because the set is fresh
      effect: spent ? 'blocks' : 'informs',
      verdict: spent ? 'inconclusive' : 'pass',
      reason: spent
        ? `The evaluation set is worn out: it was asked ${wear.count} times, and its budget is ${use.budget}; ${cost}. Make a new set with modelgate pin, under a new id.`
        : `The evaluation set was asked ${wear.count} of ${use.budget} times: ${cost}.`,
      candidate: wear.count,
      margin: use.budget,
      method: 'union bound',
    }),
  ];
}

function ageCheck(input: { use: SetUse; newest: string | null; traffic: string | null }): Check[] {
  const { maximum_age: limit } = input.use;
  if (limit === null) return [];
  const head = {
    id: 'evaluation_set:age',
    kind: 'evaluation_set' as const,
    title: 'age of the evaluation set',
    effect: 'warns' as const,
  };
  const [newest, present] = [instant(input.newest), instant(input.use.as_of ?? input.traffic)];
  if (newest === null || present === null) {
    const what = newest === null ? 'its rows have no time (evaluation.time)' : 'no newer traffic has a time';
    const reason = `The age of the evaluation set is not known: ${what}.`;
    return [check({ ...head, verdict: 'inconclusive', reason })];
  }
  const day = 86_400_000;
  const days = (present - newest) / day;
  const allowed = milliseconds(limit) / day;
  const old = days > allowed;
  return [
    check({
      ...head,
      verdict: old ? 'fail' : 'pass',
      reason: `The newest row of the evaluation set is ${days.toFixed(1)} days older than recent traffic; ${limit} is allowed.${old ? ' Pin a newer set with modelgate pin.' : ''}`,
      candidate: days,
      margin: allowed,
      method: 'time',
    }),
  ];
}

const units: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const milliseconds = (text: string) => Number.parseInt(text, 10) * (units[text.slice(-1)] ?? Number.NaN);

/** A time without a zone is UTC. */
function instant(text: string | null): number | null {
  if (text === null) return null;
  const iso = text.replace(' ', 'T');
  const time = Date.parse(iso.includes('T') && !/(Z|[+-]\d{2}:?\d{2})$/.test(iso) ? `${iso}Z` : iso);
  return Number.isFinite(time) ? time : null;
}
