import { type Behaviour, countFlips, type Example, findFlips } from '../../src/gate/behaviour.ts';
import { decideOverall } from '../../src/gate/decide.ts';
import { judgeScores, predictionHistogram } from '../../src/gate/judge.ts';
import { GateRecord } from '../../src/gate/record.ts';
import type { Change } from '../../src/store/package-changes.ts';
import { binaryRows, policyOf, scoresOf } from './world.ts';

export interface ReportRecipe {
  /** Values of the slice column. */
  values: (string | null)[];
  harm?: number;
  rows?: number;
  /** Stands in the keys, kept columns, changes and reasons; plain words if left out. */
  name?: string;
  column?: string;
  /** Without the noise of retraining, much can be decided. */
  noise?: boolean;
}

/** A gate's record with all that a report shows, judged on made-up rows. */
export function recordOf(recipe: ReportRecipe): GateRecord {
  const { values, harm = 0, rows = 4000, name = 'LGA', column = 'carrier', noise = true } = recipe;
  const codes = Int32Array.from({ length: rows }, (_, i) => i % values.length);
  const scores = scoresOf(binaryRows({ rows, seed: 15, harm }), {
    slices: [{ column, values, codes }],
  });
  const policy = policyOf({
    metrics: [
      { metric: 'auc', margin: 0.01 },
      { metric: 'brier', margin: 0.005 },
      { metric: 'accuracy', margin: 0.02 },
    ],
    slices: { by: [column], min_rows: 15 },
    on_inconclusive: 'approve',
  });
  const { checks, slices } = judgeScores(
    scores,
    policy,
    new Map(noise ? [['auc', { sd: 0.004, df: 4 }]] : []),
  );
  return GateRecord.parse({
    schema: 'modelgate.gate/1',
    ...decideOverall(checks),
    evaluation: 'a'.repeat(64),
    candidate: 'b'.repeat(64),
    champion: 'c'.repeat(64),
    rows,
    clusters: null,
    evaluation_set: { id: 'june', sha256: 'e'.repeat(64) },
    alpha: 0.05,
    power: 0.8,
    on_inconclusive: policy.on_inconclusive,
    checks,
    slices,
    histogram: predictionHistogram(scores),
    behaviour: behaviourOf(scores, { name, column }),
    changes: changesOf(name),
    release: { model: 'flights-late', environment: 'staging' },
  });
}

function behaviourOf(
  scores: ReturnType<typeof scoresOf>,
  { name, column }: { name: string; column: string },
): Behaviour | null {
  const options = { task: 'classification' as const, threshold: 0.5, by: [column], personal: [] };
  const flips = findFlips(scores, options);
  if (flips === null) return null;
  const example = (index: number): Example => ({
    key: `2013-04-${index} ${name}`,
    change: index % 2 === 0 ? 'lost' : 'gained',
    label: index % 2,
    champion: 0.61,
    candidate: 0.42,
    columns: { origin: name, [name]: 'dest', distance: '1400' },
  });
  return {
    ...countFlips(flips, scores, options),
    examples: Array.from({ length: 20 }, (_, index) => example(index)),
    withheld: ['passenger'],
  };
}

function changesOf(name: string): Change[] {
  return [
    { what: 'code', before: '1'.repeat(64), after: '2'.repeat(64), note: `train.py, ${name}.py` },
    { what: 'data.dataset', before: '3'.repeat(64), after: '4'.repeat(64) },
    { what: 'data.rows', before: 26_398, after: 80_789 },
    { what: 'data.window.until', before: '2013-02-01', after: '2013-04-01' },
    { what: 'features.added', before: null, after: ['carrier_delay_7d', name] },
    { what: 'features.removed', before: [name], after: null },
    { what: `params.${name}`, before: name, after: { [name]: name } },
    { what: 'environment.python', before: '3.13.1', after: '3.13.2' },
  ];
}
