import { type Check, check } from '../check.ts';
import type { Leakage } from '../leakage.ts';
import { formatCount } from '../numbers.ts';
import type { LeakagePolicy } from '../policy.ts';

const words = {
  exact: 'stand in the training set with all columns equal',
  near: 'stand in the training set but for key, time, letter case or rounding',
  key: 'have a key that stands in the training set',
  temporal: 'are not newer than the newest training row',
} as const;

/**
 * One check for each kind of leak that the policy asks about. What could not be looked for (null, or no
 * training set at hand) is inconclusive where it blocks.
 */
export function leakageChecks(leakage: Partial<Leakage> | null, policy: LeakagePolicy | undefined): Check[] {
  if (policy === undefined) return [];
  const checks: Check[] = [];
  for (const kind of ['exact', 'near', 'key', 'temporal'] as const) {
    const action = policy[kind];
    if (action === 'ignore') continue;
    const count = leakage?.[kind] ?? null;
    const head = {
      id: `leakage:${kind}`,
      kind: 'leakage' as const,
      title: `leakage: ${kind}`,
      effect: action === 'fail' ? ('blocks' as const) : ('warns' as const),
      method: 'sql',
      margin: 0,
    };
    if (count === null) {
      if (action === 'warn') continue; // nothing was seen, and nothing hangs on it
      checks.push(
        check({
          ...head,
          verdict: 'inconclusive',
          reason: `It could not be looked for rows that ${words[kind]}.`,
        }),
      );
      continue;
    }
    checks.push(
      check({
        ...head,
        verdict: count === 0 ? 'pass' : 'fail',
        reason:
          count === 0
            ? `No rows of the evaluation set ${words[kind]}.`
            : `${formatCount(count)} of ${formatCount(leakage?.rows ?? null)} rows of the evaluation set ${words[kind]}.`,
        candidate: count,
        n: leakage?.rows ?? null,
      }),
    );
  }
  return checks;
}
