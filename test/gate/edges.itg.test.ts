import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { StageContext } from '../../src/stages/define.ts';
import { runStage } from '../../src/stages/define.ts';
import { gate } from '../../src/stages/gate.ts';
import {
  binaryRows,
  type EvaluationRecipe,
  openContext,
  policyOf,
  storeEvaluation,
  storeNoise,
} from './world.ts';

const rows = 1000;
const columns = binaryRows({ rows, seed: 71 });
const auc = { metrics: [{ metric: 'auc', margin: 0.1 }] };

async function judge(
  recipe: EvaluationRecipe,
  policy: object,
  more: (context: StageContext) => Promise<object> = async () => ({}),
) {
  const context = openContext();
  const evaluation = await storeEvaluation(context, recipe);
  const given = { evaluation, policy: policyOf(policy), noise: null, ...(await more(context)) };
  const outcome = await runStage(gate, given, context);
  const check = (id: string) => outcome.outputs?.checks?.find((one) => one.id === id);
  return { outcome, context, check };
}

describe('columns of the data', () => {
  it('[EVA-8] a kept column never stands in for the prediction', async () => {
    const rules = [{ id: 'nonneg', expr: 'prediction >= 0' }];
    for (const name of ['prediction', 'Prediction']) {
      const shadow = { ...columns, candidate: columns.candidate.map(() => -1), [name]: columns.champion };
      const { outcome } = await judge({ columns: shadow }, { rules });
      expect(outcome, name).toMatchObject({ verdict: 'error', reason_code: 'config_invalid' });
      expect(outcome.error?.message).toContain(`keeps a column "${name}"`);
    }
  });

  it('may have any other name, ours for a position among them', async () => {
    const modelgate_position = Array.from({ length: rows }, (_, i) => `p${i}`);
    const { outcome, context } = await judge({ columns: { ...columns, modelgate_position } }, auc);
    expect(outcome.verdict).toBe('pass');
    const file = await context.store.manifestFile(outcome.outputs?.gate ?? '', 'gate.json');
    const { behaviour } = JSON.parse(await readFile(file, 'utf8'));
    const [first] = behaviour.examples;
    expect(first.columns).toEqual({ modelgate_position: `p${Number(first.key.slice(1))}` });
  });
});

describe('predictions that are no numbers', () => {
  const cost = {
    metrics: [
      {
        metric: 'cost',
        margin: 10,
        row_loss: 'CASE WHEN label = 1 AND prediction < 0.3 THEN 100 ELSE 0 END',
      },
    ],
    rules: [{ id: 'nonneg', expr: 'prediction >= 0' }],
  };
  const broken = (values: Float64Array, word: string) =>
    Array.from(values, (p, i) => (i % 10 === 3 ? word : String(p)));

  it('never pass, whatever the policy’s own SQL makes of them', async () => {
    expect((await judge({ columns }, cost)).outcome.verdict).toBe('pass');
    for (const word of ['nan', 'inf']) {
      const candidate = broken(columns.candidate, word);
      const { outcome, check } = await judge({ columns: { ...columns, candidate } }, cost);
      expect(outcome.verdict, word).toBe('fail');
      expect(check('prediction_range:finite')?.reason).toBe(
        '100 of 1,000 predictions of the candidate are missing, NaN or infinite.',
      );
    }
    const champion = broken(columns.champion, 'nan');
    expect((await judge({ columns: { ...columns, champion } }, cost)).outcome.verdict).toBe('inconclusive');
  });
});

it('noise that the policy asks to measure is never taken as none', async () => {
  const policy = { ...auc, training_noise: { retrain: 5 } };
  const { outcome } = await judge({ columns }, policy);
  expect(outcome).toMatchObject({ verdict: 'error', reason_code: 'config_invalid' });
  expect(outcome.error?.fix).toContain('modelgate gate');
  const measured = async (context: StageContext) => ({ noise: await storeNoise(context, { auc: 0.001 }) });
  expect((await judge({ columns }, policy, measured)).outcome.verdict).toBe('pass');
  const { champion: _, ...single } = columns;
  const first = { columns: single, hasChampion: false };
  expect((await judge(first, { ...policy, floors: [{ metric: 'auc', min: 0.6 }] })).outcome.verdict).toBe(
    'pass',
  );
});

it('a personal value that the policy names shows itself, and no other', async () => {
  const person = Array.from({ length: rows }, (_, i) => ['alice', 'bob', 'carol'][i % 3]);
  const policy = {
    ...auc,
    slices: { by: ['person'], min_rows: 50, critical: [{ where: { person: 'alice' }, margin: 0.3 }] },
    fairness: { group: ['person'], reference: { person: 'alice' } },
  };
  const { outcome, context } = await judge({ columns: { ...columns, person } }, policy, async () => ({
    personal: ['Person'],
  }));
  const texts = await Promise.all(
    ['gate.json', 'report.md', 'report.html'].map(async (name) =>
      readFile(await context.store.manifestFile(outcome.outputs?.gate ?? '', name), 'utf8'),
    ),
  );
  for (const text of [...texts, JSON.stringify(outcome)]) {
    expect(text).toContain('alice');
    expect(text).not.toMatch(/bob|carol/);
  }
});

describe('golden cases', () => {
  const put =
    (text: string, format = 'jsonl') =>
    async ({ store }: StageContext) => ({
      golden: { file: await store.putBytes(Buffer.from(text)), format },
    });
  const policy = { floors: [{ metric: 'auc', min: 0.6 }], golden: 'golden.jsonl' };

  it('are read as they are written, or refused', async () => {
    for (const text of [
      '{"key":"e0000001","maximum":0.2,"min":0}',
      '{"key":"e0000001","min":[]}',
      '{"key":"e0000001","min":true}',
      '{"key":"e0000001","min":"0.5"}',
      '{"key":"e0000001","min":""}',
    ]) {
      const { outcome } = await judge({ columns }, policy, put(text));
      expect(outcome, text).toMatchObject({ verdict: 'error', reason_code: 'config_invalid' });
    }
    const marked = await judge({ columns }, policy, put('\uFEFF{"key":"e0000001","min":0,"max":null}\n'));
    expect(marked.check('golden')).toMatchObject({ verdict: 'pass' });
  });
});
