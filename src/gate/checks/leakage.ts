import type { Verdict } from '../../outcome.ts';
import { type Check, check } from '../check.ts';
import { expectedByNature, judgeEqualRows } from '../equal-rows.ts';
import type { Leakage } from '../leakage.ts';
import { formatCount, plural } from '../numbers.ts';
import type { LeakagePolicy } from '../policy.ts';

const words = {
  exact: 'stand in the training set with all columns but key and time equal',
  near: 'stand in the training set but for letter case, rounding, or a column of many',
  key: 'have a key that stands in the training set',
  temporal: 'are not newer than the newest training row',
} as const;
type Kind = keyof typeof words;

/**
 * One check for each kind of leak that the policy asks about. What could not be looked for (null, or no
 * training set at hand), or not among all rows, is inconclusive.
 */
export function leakageChecks(leakage: Partial<Leakage> | null, policy: LeakagePolicy | undefined): Check[] {
  if (policy === undefined) return [];
  const checks: Check[] = [];
  for (const kind of ['exact', 'near', 'key', 'temporal'] as const) {
    const action = policy[kind];
    if (action === 'ignore') continue;
    const count = leakage?.[kind] ?? null;
    if (count === null && action === 'warn') continue; // nothing was seen, and nothing hangs on it
    checks.push(
      check({
        id: `leakage:${kind}`,
        kind: 'leakage' as const,
        title: `leakage: ${kind}`,
        effect: action === 'fail' ? ('blocks' as const) : ('warns' as const),
        method: 'sql',
        margin: 0,
        ...judge(kind, leakage ?? {}),
        candidate: count,
        n: count === null ? null : (leakage?.rows ?? null),
      }),
    );
  }
  return checks;
}

function judge(kind: Kind, leakage: Partial<Leakage>): { verdict: Verdict; reason: string } {
  const count = leakage[kind] ?? null;
  if (count === null)
    return {
      verdict: 'inconclusive',
      reason: `It could not be looked for rows that ${words[kind]}.`,
    };
  const found =
    count === 0
      ? `No rows of the evaluation set ${words[kind]}`
      : `${formatCount(count)} of ${leakage.rows == null ? '–' : plural(leakage.rows, 'row')} of the evaluation set ${words[kind]}`;
  const unseen = unseenRows(kind, leakage);
  if (count === 0 && unseen !== null) return { verdict: 'inconclusive', reason: `${found}, but ${unseen}.` };
  if (kind === 'exact' && count > 0) {
    const { identical = count, rows = 0, repeated = 0, train_rows = 0 } = leakage;
    const counts = { exact: count, identical, rows, repeated, train_rows };
    const verdict = judgeEqualRows(counts);
    const nature = `; as often as training rows repeat one another it would be ${formatCount(expectedByNature(counts))}`;
    return { verdict, reason: `${found}${identical === 0 && repeated > 0 ? nature : ''}.` };
  }
  return { verdict: count === 0 ? 'pass' : 'fail', reason: `${found}.` };
}

/** Why a count of none is no proof of none; null where it is. */
function unseenRows(
  kind: Kind,
  { near_limited = 0, key_missing, incomparable = [] }: Partial<Leakage>,
): string | null {
  if (kind === 'near' && near_limited > 0)
    return `${formatCount(near_limited)} ${near_limited === 1 ? 'is' : 'are'} like so many training rows that not all were compared`;
  if (kind === 'key' && (key_missing ?? 0) > 0)
    return `${plural(key_missing ?? 0, 'row')} of the two tables ${key_missing === 1 ? 'has' : 'have'} no key`;
  if ((kind === 'near' || kind === 'exact') && incomparable.length > 0)
    return `the two tables hold ${incomparable.length === 1 ? 'a column' : `${incomparable.length} columns`} in types that cannot be equal`;
  return null;
}
