import { type Check, check } from '../check.ts';

/** By which policy and set the champion was judged. */
export interface Earlier {
  policy: string | null;
  evaluation_set: string | null;
}

/**
 * Says when the candidate is judged by another policy, or on another evaluation set, than the champion was. The
 * champion is scored anew on the same rows either way; the change itself needs its owner's review.
 *
 * @param earlier null when there is no champion, or its gate is not known
 */
export function policyChangeChecks(
  earlier: Earlier | null,
  now: { policy: string; evaluation_set: string | null },
): Check[] {
  if (earlier === null) return [];
  const changed = [
    ...(earlier.policy === now.policy ? [] : ['the policy']),
    ...(earlier.evaluation_set === now.evaluation_set ? [] : ['the evaluation set']),
  ];
  const same = changed.length === 0;
  return [
    check({
      id: 'policy:change',
      kind: 'policy',
      title: 'policy and evaluation set',
      effect: same ? 'informs' : 'warns',
      verdict: same ? 'pass' : 'inconclusive',
      reason: same
        ? 'Policy and evaluation set are those by which the champion was judged.'
        : `${changed.join(' and ').replace('the', 'The')} ${changed.length === 1 ? 'is' : 'are'} not what the champion was judged by: a change of them needs its owner's review. The champion was scored anew on the same rows.`,
      method: 'digest',
    }),
  ];
}
