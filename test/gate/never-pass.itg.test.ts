import { describe, expect, it } from 'vitest';
import { runStage } from '../../src/stages/define.ts';
import { evaluate } from '../../src/stages/evaluate.ts';
import { gate } from '../../src/stages/gate.ts';
import { seededRandom } from '../../src/stats/random.ts';
import { type EvaluationRecipe, normals, openContext, policyOf, storeEvaluation } from './world.ts';

const rows = 2000;
const cuts = ['Fair', 'Good', 'Ideal'];

/** Prices, and two models that are equally good. */
function prices(seed: number) {
  const random = seededRandom(seed);
  const normal = normals(random);
  const label = Float64Array.from({ length: rows }, () => 300 + 4000 * random.uniform());
  const shared = label.map((price) => price * Math.exp(0.08 * normal()));
  const guess = () => shared.map((price) => price * Math.exp(0.01 * normal()));
  const cut = Array.from({ length: rows }, (_, row) => cuts[row % cuts.length] as string);
  return { label, champion: guess(), candidate: guess(), cut };
}

const policy = {
  metrics: [
    { metric: 'rmse', role: 'primary', margin: '10%' },
    { metric: 'mape', margin: '10%' },
  ],
  slices: { by: ['cut'] },
  rules: [{ id: 'no-negative-price', expr: 'prediction >= 0' }],
  leakage: {},
};

async function judge(recipe: EvaluationRecipe, change: object = {}) {
  const context = openContext();
  const evaluation = await storeEvaluation(context, recipe);
  return runStage(gate, { evaluation, policy: policyOf({ ...policy, ...change }), noise: null }, context);
}

/** What a training has seen: other stones of the same kind. */
const trainedOn = (columns: ReturnType<typeof prices>) => ({
  id: Array.from({ length: rows }, (_, row) => `t${row}`),
  cut: columns.cut,
  weight: columns.label.map((price) => price + 5000),
});

/** The set's own rows. */
const asked = (columns: ReturnType<typeof prices>) => ({
  id: Array.from({ length: rows }, (_, row) => `e${String(row).padStart(7, '0')}`),
  cut: columns.cut,
  weight: columns.label,
});

describe.each([1, 2, 3])('what never passes, on prices drawn with seed %d', (seed) => {
  const columns = prices(seed);
  const honest = { columns, train: trainedOn(columns), features: asked(columns) };

  it('passes the honest candidate: what stops the others is what was done to them', async () => {
    expect(await judge(honest)).toMatchObject({ verdict: 'pass' });
    expect(await judge(honest, { leakage: { near: 'fail' } })).toMatchObject({ verdict: 'pass' });
  });

  it('[EVA-2] [GAT-2] stops a candidate that was trained on one row of the evaluation set', async () => {
    const id = honest.train.id.with(7, 'e0000041');
    const outcome = await judge({ ...honest, train: { ...honest.train, id } });
    expect(outcome).toMatchObject({ verdict: 'fail', reason_code: 'gate_failed' });
    expect(outcome.summary).toContain('1 of 2,000 rows');
  });

  it('[EVA-2] stops one that was trained on one of its rows under another key', async () => {
    const train = { ...honest.train, weight: honest.train.weight.with(11, columns.label[11] as number) };
    const outcome = await judge({ ...honest, train });
    expect(outcome.verdict).toBe('fail');
    expect(outcome.outputs.checks?.find(({ id }) => id === 'leakage:exact')).toMatchObject({
      verdict: 'fail',
      reason: expect.stringMatching(/^1 of 2,000 rows/),
    });
    const nearly = honest.train.weight.with(11, (columns.label[11] as number) + 0.01);
    const near = await judge(
      { ...honest, train: { ...honest.train, weight: nearly } },
      { leakage: { near: 'fail' } },
    );
    expect(near.outputs.checks?.find(({ id }) => id === 'leakage:near')).toMatchObject({
      verdict: 'fail',
      reason: expect.stringMatching(/^\d of 2,000 rows/),
    });
  });

  it('[EVA-8] stops a single negative price', async () => {
    const outcome = await judge({
      ...honest,
      columns: { ...columns, candidate: columns.candidate.with(3, -1) },
    });
    expect(outcome.verdict).toBe('fail');
    expect(outcome.outputs.checks?.find(({ id }) => id === 'rule:no-negative-price')).toMatchObject({
      verdict: 'fail',
      reason: expect.stringContaining('broken on 1 of 2,000 rows'),
    });
  });

  it('stops a candidate whose rows were shuffled, and one shifted by a row', async () => {
    const random = seededRandom(seed + 100);
    const shuffled = columns.candidate.slice();
    for (let row = rows - 1; row > 0; row--) {
      const other = random.below(row + 1);
      [shuffled[row], shuffled[other]] = [shuffled[other] as number, shuffled[row] as number];
    }
    const shifted = columns.candidate.map((_, row) => columns.candidate[(row + 1) % rows] as number);
    for (const candidate of [shuffled, shifted]) {
      expect(await judge({ ...honest, columns: { ...columns, candidate } })).toMatchObject({
        verdict: 'fail',
      });
    }
  });

  it('does not pass without a slice that was declared, a slice column, or a prediction', async () => {
    const critical = [{ where: { cut: 'Premium' }, margin: '10%' }];
    const missing = await judge(honest, { slices: { by: ['cut'], critical } });
    expect(missing.verdict).toBe('inconclusive');
    const { cut: _, ...without } = columns;
    expect(await judge({ ...honest, columns: without })).toMatchObject({ verdict: 'error' });
    const empty = Array.from(columns.candidate, (price, row) => (row === 9 ? '' : String(price)));
    expect((await judge({ ...honest, columns: { ...columns, candidate: empty } })).verdict).not.toBe('pass');
  });

  it('[EVA-1] does not pass predictions of other rows than the evaluation speaks of', async () => {
    const half = Object.fromEntries(
      Object.entries(columns).map(([name, values]) => [name, values.slice(0, rows / 2)]),
    );
    expect(await judge({ ...honest, columns: half, facts: { rows } })).toMatchObject({
      verdict: 'error',
      reason_code: 'evaluation_unpaired',
    });
  });
});

it('[EVA-1] refuses a swapped evaluation file before any model is asked', async () => {
  const swapped = {
    model: 'a'.repeat(64),
    champion: null,
    evaluation_set: { id: 'set-1', sha256: 'b'.repeat(64), budget: 50 },
    file: 'c'.repeat(64),
    dataset: 'd'.repeat(64),
  };
  const outcome = await runStage(evaluate, swapped, openContext());
  expect(outcome).toMatchObject({ verdict: 'error', reason_code: 'evaluation_set_changed' });
});
