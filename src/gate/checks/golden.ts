import { literal, type SqlEngine } from '../../data/engine.ts';
import { type Check, check } from '../check.ts';
import type { GoldenCase } from '../golden-cases.ts';
import { formatValue, plural } from '../numbers.ts';
import type { GoldenPolicy } from '../policy.ts';

const head = { id: 'golden', kind: 'golden' as const, title: 'golden cases', effect: 'blocks' as const };

/**
 * Known cases by key: each prediction must lie in its range, or have its label. A case that breaks fails; one
 * whose key the evaluation set does not hold was not asked, and is never passed over.
 *
 * @param cases null where the file was not handed to the gate
 * @param personal the keys are not shown
 */
export async function goldenChecks(
  engine: SqlEngine,
  {
    cases,
    policy,
    personal = false,
  }: { cases: readonly GoldenCase[] | null; policy: GoldenPolicy | undefined; personal?: boolean },
): Promise<Check[]> {
  if (policy === undefined) return [];
  if (cases === null || cases.length === 0) {
    const reason =
      cases === null ? 'The golden cases were not given to the gate.' : 'There are no golden cases.';
    return [check({ ...head, verdict: 'inconclusive', reason })];
  }
  const predictions = await readPredictions(engine, cases);
  const absent = cases.filter(({ key }) => !predictions.has(key));
  const broken = cases.filter((one) => {
    const prediction = predictions.get(one.key);
    return prediction !== undefined && !holds(one, prediction, policy.threshold);
  });
  const worst = broken[0];
  const example = ({ key }: GoldenCase) => (personal ? '(withheld)' : JSON.stringify(key.slice(0, 80)));
  const reason =
    worst !== undefined
      ? `${broken.length} of ${plural(cases.length, 'golden case')} ${broken.length === 1 ? 'does' : 'do'} not hold, e.g. the key ${example(worst)}: the prediction is ${formatValue(predictions.get(worst.key) ?? null)}, wanted is ${wanted(worst)}.`
      : absent.length > 0
        ? `${absent.length} of ${plural(cases.length, 'golden case')} ${absent.length === 1 ? 'is' : 'are'} not in the evaluation set, e.g. the key ${example(absent[0] as GoldenCase)}: pin a set that holds them, or take them out of the file.`
        : `All ${plural(cases.length, 'golden case')} hold.`;
  return [
    check({
      ...head,
      verdict: worst !== undefined ? 'fail' : absent.length > 0 ? 'inconclusive' : 'pass',
      reason,
      candidate: broken.length,
      margin: 0,
      method: 'count',
      n: cases.length,
    }),
  ];
}

/** Written so that NaN never holds. */
function holds({ min, max, label }: GoldenCase, prediction: number, threshold: number): boolean {
  if (!Number.isFinite(prediction)) return false;
  if (min !== undefined && !(prediction >= min)) return false;
  if (max !== undefined && !(prediction <= max)) return false;
  return label === undefined || (prediction >= threshold ? 1 : 0) === label;
}

function wanted({ min, max, label }: GoldenCase): string {
  return [
    ...(min === undefined ? [] : [`at least ${formatValue(min)}`]),
    ...(max === undefined ? [] : [`at most ${formatValue(max)}`]),
    ...(label === undefined ? [] : [`the label ${label}`]),
  ].join(' and ');
}

async function readPredictions(
  engine: SqlEngine,
  cases: readonly GoldenCase[],
): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  const step = 1000;
  for (let from = 0; from < cases.length; from += step) {
    const keys = cases.slice(from, from + step).map(({ key }) => literal(key));
    const rows = await engine.rows(
      `SELECT CAST(key AS VARCHAR) AS key, CAST(prediction AS DOUBLE) AS prediction FROM candidate_rows WHERE CAST(key AS VARCHAR) IN (${keys.join(', ')})`,
    );
    for (const { key, prediction } of rows)
      found.set(
        String(key),
        prediction === null || prediction === undefined ? Number.NaN : Number(prediction),
      );
  }
  return found;
}
