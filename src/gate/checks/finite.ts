import { type Check, check } from '../check.ts';
import { formatCount, plural } from '../numbers.ts';
import type { Scores } from '../scores.ts';

/**
 * Predictions that are no numbers, where there are any. SQL orders NaN above every number, so a rule or a cost of the
 * policy's own may not see them: the candidate's fail by themselves, and nothing is held against the champion's.
 */
export function finiteChecks({ candidate, champion }: Scores): Check[] {
  const wrong = [
    { id: 'finite', who: 'candidate', verdict: 'fail' as const, values: candidate },
    {
      id: 'finite:champion',
      who: 'champion',
      verdict: 'inconclusive' as const,
      values: champion ?? new Float64Array(),
    },
  ];
  return wrong.flatMap(({ id, who, verdict, values }) => {
    const count = values.reduce((sum, value) => (Number.isFinite(value) ? sum : sum + 1), 0);
    if (count === 0) return [];
    return [
      check({
        id: `prediction_range:${id}`,
        kind: 'prediction_range',
        title: `finite predictions of the ${who}`,
        effect: 'blocks',
        verdict,
        reason: `${formatCount(count)} of ${plural(values.length, 'prediction')} of the ${who} ${count === 1 ? 'is' : 'are'} missing, NaN or infinite.`,
        ...(who === 'candidate' ? { candidate: count } : { champion: count }),
        margin: 0,
        method: 'count',
        n: values.length,
      }),
    ];
  });
}
