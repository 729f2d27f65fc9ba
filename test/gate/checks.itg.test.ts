import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { GateRecord } from '../../src/gate/record.ts';
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

type Extra = Partial<z.input<typeof gate.inputs>>;

async function judge(
  recipe: EvaluationRecipe,
  policy: object,
  extra: (context: StageContext) => Promise<Extra> = async () => ({}),
) {
  const context = openContext();
  const evaluation = await storeEvaluation(context, recipe);
  const more = await extra(context);
  const outcome = await runStage(gate, { evaluation, policy: policyOf(policy), ...more }, context);
  const read = async () => {
    const file = await context.store.manifestFile(outcome.outputs.gate ?? '', 'gate.json');
    return GateRecord.parse(JSON.parse(await readFile(file, 'utf8')));
  };
  const check = (id: string) => outcome.outputs.checks?.find((one) => one.id === id);
  return { outcome, read, check, context };
}

const floors = [{ metric: 'auc', min: 0.5 }];
const columns = binaryRows({ rows: 4000, seed: 31 });

describe('fairness in the gate', () => {
  it('[EVA-7] stops a candidate whose audit fails although the overall metric improved', async () => {
    const weak = binaryRows({ rows: 4000, seed: 31, harm: 0.6 }).candidate;
    const sex = Array.from({ length: 4000 }, (_, i) => (i % 3 === 0 ? 'f' : 'm'));
    const biased = columns.candidate.map((p, i) => (sex[i] === 'f' ? p * 0.6 : p));
    const policy = {
      metrics: [{ metric: 'accuracy', require: 'superior' }],
      fairness: { group: ['sex'], threshold: 0.5 },
    };
    const worse = weak.map((p) => (p > 0.5 ? 0.4 : 0.6));
    const { outcome, check, read } = await judge(
      { columns: { ...columns, champion: worse, candidate: biased, sex } },
      policy,
    );
    expect(check('metric:accuracy')?.verdict).toBe('pass');
    expect(check('fairness:sex:selection_ratio')?.verdict).toBe('fail');
    expect(outcome.verdict).toBe('fail');
    expect((await read()).fairness?.[0]).toMatchObject({ value: 'f', reference: 'm' });
    const misspelt = await judge({ columns }, { floors, fairness: { group: ['sex'] } });
    expect(misspelt.outcome).toMatchObject({ verdict: 'error', reason_code: 'config_invalid' });
  });
});

describe('golden cases', () => {
  const put =
    (text: string, format: 'jsonl' | 'csv' = 'jsonl') =>
    async ({ store }: StageContext) => ({
      golden: { file: await store.putBytes(Buffer.from(text)), format },
    });
  const policy = { floors, golden: 'golden.jsonl' };
  const candidate = columns.candidate.map((p, i) => (i === 0 ? 0.9 : i === 1 ? 0.1 : p));
  const recipe = { columns: { ...columns, candidate } };
  const holds = '{"key":"e0000000","label":1}\n\n{"key":"e0000001","min":0,"max":0.2}\n';

  it('pass when all hold, fail when one does not, and never pass when one is absent', async () => {
    const good = await judge(recipe, policy, put(holds));
    expect(good.check('golden')).toMatchObject({ verdict: 'pass', reason: 'All 2 golden cases hold.' });
    expect(good.outcome.verdict).toBe('pass');
    const broken = await judge(recipe, policy, put(`${holds}{"key":"e0000002","min":2}`));
    expect(broken.outcome.verdict).toBe('fail');
    expect(broken.outcome.summary).toContain('wanted is at least 2.000');
    const absent = await judge(recipe, policy, put(`${holds}{"key":"e9","label":1}`));
    expect(absent.outcome.verdict).toBe('inconclusive');
    expect((await judge(recipe, policy, put(''))).outcome.verdict).toBe('inconclusive');
    expect((await judge(recipe, policy)).outcome.verdict).toBe('inconclusive');
  });

  it('reads CSV, where an empty field asks nothing', async () => {
    const csv = 'key,label,min,max\ne0000000,1,,\ne0000001,,0,0.05\n';
    const { check } = await judge(recipe, policy, put(csv, 'csv'));
    expect(check('golden')).toMatchObject({ verdict: 'fail' });
    expect(check('golden')?.reason).toContain('1 of 2 golden cases does not hold, e.g. the key "e0000001"');
  });

  it('refuses what asks nothing, is no JSON, or stands twice', async () => {
    for (const text of [
      '{"key":"e0000000"}',
      '{"key":',
      '{"key":"a","min":2,"max":1}',
      '{"key":"a","label":1}\n{"key":"a","label":0}',
    ]) {
      const { outcome } = await judge(recipe, policy, put(text));
      expect(outcome, text).toMatchObject({ verdict: 'error', reason_code: 'config_invalid' });
    }
  });
});

describe('metrics of the policy’s own', () => {
  const own = (metric: object) => ({ metrics: [{ metric: 'mine', margin: 0.02, ...metric }] });

  it('[EVA-5] a ratio of sums by the delta method', async () => {
    const ratio = { numerator: 'abs(label - prediction)', denominator: 'prediction + 1' };
    const same = await judge({ columns: { ...columns, candidate: columns.champion } }, own(ratio));
    expect(same.outcome.verdict).toBe('pass');
    const harmed = binaryRows({ rows: 4000, seed: 31, harm: 0.8 });
    const worse = await judge({ columns: harmed }, own(ratio));
    expect(worse.outcome.verdict).toBe('fail');
    const [check] = (await worse.read()).checks;
    const sum = (values: Float64Array) =>
      values.reduce((total, p, i) => total + Math.abs((harmed.label[i] as number) - p), 0);
    const all = (values: Float64Array) => values.reduce((total, p) => total + p + 1, 0);
    expect(check?.candidate).toBeCloseTo(sum(harmed.candidate) / all(harmed.candidate), 10);
    const empty = await judge({ columns }, own({ numerator: '1', denominator: '0' }));
    expect(empty.outcome.verdict).toBe('inconclusive');
  });

  it('an aggregate by a seeded bootstrap of buckets, near the exact error of a mean', async () => {
    const squares = { aggregate: 'avg((label - prediction) * (label - prediction))' };
    const policy = { metrics: [...own(squares).metrics, { metric: 'brier', margin: 0.02 }] };
    const { read } = await judge({ columns }, policy);
    const [mine, brier] = (await read()).checks;
    expect(mine).toMatchObject({ method: 'bootstrap', n: 4000, clusters: null });
    expect(mine?.diff).toBeCloseTo(brier?.diff ?? Number.NaN, 10);
    expect((mine?.se ?? 0) / (brier?.se ?? 1)).toBeGreaterThan(0.85);
    expect((mine?.se ?? 0) / (brier?.se ?? 1)).toBeLessThan(1.15);
    const again = await judge({ columns }, policy);
    expect((await again.read()).checks[0]?.se).toBe(mine?.se);
  });

  it('an aggregate never passes that does not follow the rows, or is none', async () => {
    const constant = await judge(
      { columns },
      own({ aggregate: 'avg((SELECT avg(label) FROM candidate_rows))' }),
    );
    expect(constant.outcome.verdict).toBe('inconclusive');
    const rows = await judge({ columns }, own({ aggregate: 'prediction' }));
    expect(rows.outcome).toMatchObject({ verdict: 'error', reason_code: 'config_invalid' });
    const text = await judge({ columns }, own({ aggregate: "'much' || count(*)" }));
    expect(text.outcome).toMatchObject({ verdict: 'error', reason_code: 'config_invalid' });
    const nothing = await judge({ columns }, own({ aggregate: 'avg(label) FILTER (WHERE label > 2)' }));
    expect(nothing.outcome.verdict).toBe('inconclusive');
    const day = Array.from({ length: 4000 }, (_, i) => i % 4);
    const few = await judge({ columns: { ...columns, cluster: day } }, own({ aggregate: 'avg(prediction)' }));
    expect(few.outcome.verdict).toBe('inconclusive');
    expect(few.outcome.summary).toContain('4 clusters');
  });
});

describe('too good to be true', () => {
  it('leaves a metric at its ceiling, and a jump beyond the noise of retraining, to a person', async () => {
    const ignore = { exact: 'ignore', near: 'ignore', key: 'ignore', temporal: 'ignore' };
    const low = await judge({ columns }, { floors, leakage: { ...ignore, ceiling: { auc: 0.6 } } });
    expect(low.outcome.verdict).toBe('inconclusive');
    expect(low.outcome.summary).toContain('too good to be true from 0.600 on');
    const high = await judge(
      { columns },
      { floors, leakage: { ...ignore, ceiling: { auc: 0.99, log_loss: 0.01 } } },
    );
    expect(high.outcome.verdict).toBe('pass');
    const jump = { metrics: [{ metric: 'auc', margin: 0.01 }], leakage: { ...ignore, jump: 5 } };
    const better = { ...columns, champion: binaryRows({ rows: 4000, seed: 31, harm: 0.4 }).candidate };
    const noise = (sd: number) => async (context: StageContext) => ({
      noise: await storeNoise(context, { auc: sd }),
    });
    const far = await judge({ columns: better }, jump, noise(0.002));
    expect(far.check('leakage:jump:auc')?.verdict).toBe('inconclusive');
    expect((await judge({ columns: better }, jump, noise(0.05))).check('leakage:jump:auc')?.verdict).toBe(
      'pass',
    );
    expect((await judge({ columns: better }, jump)).check('leakage:jump:auc')?.verdict).toBe('inconclusive');
  });
});

describe('what the log says to the gate', () => {
  const spent = { consultations: 8, budget: 7, time: null, maximum_age: null, as_of: null };

  it('does not decide on a set that is worn out, and says what its use costs', async () => {
    const worn = await judge({ columns }, { floors }, async () => ({ set_use: spent }));
    expect(worn.outcome.verdict).toBe('inconclusive');
    expect(worn.outcome.summary).toContain('asked 8 times, and its budget is 7');
    const fresh = await judge({ columns }, { floors }, async () => ({
      set_use: { ...spent, consultations: 2 },
    }));
    expect(fresh.outcome.verdict).toBe('pass');
    expect((await fresh.read()).consultations).toEqual({ count: 2, budget: 7, bound: 0.1, worn_at: 20 });
    // a fresh set alone shows nothing
    const silent = await judge({ columns }, {}, async () => ({ set_use: { ...spent, consultations: 2 } }));
    expect(silent.outcome.verdict).toBe('inconclusive');
  });

  it('[EVA-6] shows a warning beside the verdict when the set is older than its age', async () => {
    const at = columns.label.map((_, i) => i);
    const times = Array.from(at, (i) => `2026-01-01 00:${String(i % 60).padStart(2, '0')}:00`);
    const aged = (as_of: string) =>
      judge({ columns: { ...columns, at: times } }, { floors }, async () => ({
        set_use: { ...spent, consultations: 1, time: 'at', maximum_age: '30d', as_of },
      }));
    const old = await aged('2026-03-01');
    expect(old.outcome.verdict).toBe('pass');
    expect(old.check('evaluation_set:age')).toMatchObject({ effect: 'warns', verdict: 'fail' });
    expect((await aged('2026-01-20')).check('evaluation_set:age')?.verdict).toBe('pass');
  });

  it('[EVA-3] records the policy, and says when the champion was judged by another', async () => {
    const context = openContext();
    const evaluation = await storeEvaluation(context, { columns });
    const run = (policy: object, champion_gate: string | null) =>
      runStage(gate, { evaluation, policy: policyOf(policy), champion_gate }, context);
    const first = await run({ floors }, null);
    const before = first.outputs.gate ?? null;
    const same = await run({ floors }, before);
    expect(same.outputs.checks?.at(-1)).toMatchObject({ id: 'policy:change', verdict: 'pass' });
    const other = await run({ floors: [{ metric: 'auc', min: 0.4 }] }, before);
    expect(other.verdict).toBe('pass');
    expect(other.outputs.checks?.at(-1)).toMatchObject({ effect: 'warns', verdict: 'inconclusive' });
    const file = await context.store.manifestFile(other.outputs.gate ?? '', 'gate.json');
    const { policy } = GateRecord.parse(JSON.parse(await readFile(file, 'utf8')));
    expect(policy?.digest).not.toBe(policy?.champion);
    expect(policy?.champion).toMatch(/^[0-9a-f]{64}$/);
  });

  it('pools the noise of two earlier measurements where none is given, and not of one', async () => {
    const policy = { metrics: [{ metric: 'auc', margin: 0.01 }] };
    const pooled = (sds: number[]) =>
      judge({ columns }, policy, async (context) => ({
        pooled_noise: await Promise.all(sds.map((auc) => storeNoise(context, { auc }))),
      }));
    const [check] = (await (await pooled([0.003, 0.004])).read()).checks;
    expect(check?.noise?.sd).toBeCloseTo(Math.sqrt((0.003 ** 2 + 0.004 ** 2) / 2), 12);
    expect(check?.noise?.replicates).toBe(9);
    expect((await (await pooled([0.003])).read()).checks[0]?.noise).toBeUndefined();
  });
});
