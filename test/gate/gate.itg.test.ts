import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { GatePolicy } from '../../src/gate/policy.ts';
import { GateRecord } from '../../src/gate/record.ts';
import { exitCode } from '../../src/outcome.ts';
import { runStage } from '../../src/stages/define.ts';
import { gate } from '../../src/stages/gate.ts';
import { seededRandom } from '../../src/stats/random.ts';
import {
  binaryRows,
  type EvaluationRecipe,
  normals,
  openContext,
  policyOf,
  storeEvaluation,
  storeNoise,
} from './world.ts';

async function judge(recipe: EvaluationRecipe, policy: object, sd?: Record<string, number>) {
  const context = openContext();
  const evaluation = await storeEvaluation(context, recipe);
  const noise = sd === undefined ? null : await storeNoise(context, sd);
  const outcome = await runStage(gate, { evaluation, policy: policyOf(policy), noise }, context);
  const read = async (name: string) =>
    readFile(await context.store.manifestFile(outcome.outputs.gate ?? '', name), 'utf8');
  return { outcome, read, context, evaluation };
}

const auc = { metrics: [{ metric: 'auc', margin: 0.01 }] };

describe('the gate stage', () => {
  it('[GAT-1] gives the verdict of the thresholds in a reviewed file', async () => {
    const file = `
alpha: 0.05
metrics:
  - metric: auc
    role: primary
    margin: 0.01
floors:
  - metric: auc
    min: MINIMUM
rules:
  - id: probability
    expr: prediction BETWEEN 0 AND 1
`;
    const columns = binaryRows({ rows: 4000, seed: 1 });
    const same = { ...columns, candidate: columns.champion };
    const good = await judge({ columns: same }, parse(file.replace('MINIMUM', '0.6')));
    expect(good.outcome).toMatchObject({ verdict: 'pass', reason_code: 'gate_passed' });
    expect(exitCode(good.outcome as never)).toBe(0);
    const strict = await judge({ columns: same }, parse(file.replace('MINIMUM', '0.99')));
    expect(strict.outcome).toMatchObject({
      verdict: 'fail',
      reason_code: 'gate_failed',
      failure_class: 'model',
    });
    expect(strict.outcome.summary).toMatch(/the floor is 0\.990/);
    expect(exitCode(strict.outcome as never)).toBe(1);
  });

  it('[GAT-2] does not pass a candidate that is not better where the policy asks for better', async () => {
    const policy = { metrics: [{ metric: 'auc', require: 'superior' }] };
    const columns = binaryRows({ rows: 4000, seed: 2 });
    const equal = await judge({ columns }, policy);
    expect(equal.outcome.verdict).toBe('inconclusive');
    expect(exitCode(equal.outcome as never)).toBe(2);
    const worse = await judge({ columns: binaryRows({ rows: 4000, seed: 2, harm: 0.4 }) }, policy);
    expect(worse.outcome.verdict).toBe('fail');
    const better = { ...columns, champion: binaryRows({ rows: 4000, seed: 2, harm: 0.4 }).candidate };
    expect((await judge({ columns: better }, policy)).outcome.verdict).toBe('pass');
  });

  it('[GAT-3] leaves a difference within noise undecided, with interval and rows needed', async () => {
    const { outcome, read } = await judge({ columns: binaryRows({ rows: 500, seed: 15 }) }, auc);
    expect(outcome).toMatchObject({ verdict: 'inconclusive', reason_code: 'gate_inconclusive' });
    expect(outcome.summary).toMatch(
      /^auc (rose|fell) by 0\.\d+ \[−0\.\d+, [+−]0\.\d+\]; the margin is 0\.010, .* About [\d,]+ rows would tell/,
    );
    const record = GateRecord.parse(JSON.parse(await read('gate.json')));
    expect(record.checks[0]?.rows_needed).toBeGreaterThan(500);
    expect(await read('report.md')).toMatch(/cannot see a drop below 0\.\d+/);
  });

  it('[GAT-3] says that a difference lies within the noise of retraining', async () => {
    const columns = binaryRows({ rows: 20_000, seed: 4, harm: 0.03 });
    const fixed = await judge({ columns }, { metrics: [{ metric: 'auc', margin: 0.002 }] });
    expect(fixed.outcome.verdict).toBe('fail');
    const noisy = await judge({ columns }, { metrics: [{ metric: 'auc', margin: 0.002 }] }, { auc: 0.008 });
    expect(noisy.outcome.verdict).toBe('inconclusive');
    expect(noisy.outcome.summary).toContain('lies within the noise of retraining (sd 0.0080)');
    expect(noisy.outcome.summary).toContain('No number of rows');
  });

  it('stops a worse candidate with the decisive numbers', async () => {
    const { outcome, read } = await judge({ columns: binaryRows({ rows: 4000, seed: 5, harm: 0.4 }) }, auc);
    expect(outcome.verdict).toBe('fail');
    expect(outcome.summary).toMatch(
      /^auc fell by 0\.\d{3} \[−0\.\d{3}, −0\.\d{3}\]; the margin is 0\.010\.$/,
    );
    const page = await read('report.html');
    expect(page).toContain('The candidate is stopped');
    const { plots = [] } = outcome.outputs;
    expect(plots.map(({ name }) => name)).toEqual(['comparisons.svg', 'predictions.svg', 'flips.svg']);
    for (const { name } of plots) expect(page).toContain(await read(name));
  });

  it('[EVA-4] shows both models and the difference on the same rows', async () => {
    const { read } = await judge({ columns: binaryRows({ rows: 2000, seed: 6 }) }, auc);
    const record = GateRecord.parse(JSON.parse(await read('gate.json')));
    const [check] = record.checks;
    expect(check?.champion).toBeGreaterThan(0.7);
    expect(check?.diff).toBeCloseTo((check?.candidate ?? 0) - (check?.champion ?? 0), 12);
    expect(check).toMatchObject({ method: 'delong', n: 2000 });
    expect(await read('report.md')).toContain(
      '| metric | champion | candidate | difference | interval | margin | method | rows | flips | verdict |',
    );
  });

  it('[EVA-5] gates a business metric written as SQL over the row', async () => {
    const columns = binaryRows({ rows: 4000, seed: 7, harm: 0.5 });
    const policy = {
      metrics: [
        {
          metric: 'cost',
          role: 'primary',
          margin: '2%',
          row_loss:
            'CASE WHEN label = 1 AND prediction < 0.3 THEN 100 WHEN label = 0 AND prediction >= 0.3 THEN 20 ELSE 0 END',
        },
      ],
    };
    const { outcome } = await judge({ columns }, policy);
    expect(outcome.verdict).toBe('fail');
    expect(outcome.summary).toMatch(/^cost rose by/);
    const wrong = await judge({ columns }, { metrics: [{ ...policy.metrics[0], row_loss: 'labl * 2' }] });
    expect(wrong.outcome).toMatchObject({ verdict: 'error', reason_code: 'config_invalid' });
    const two = await judge({ columns }, { metrics: [{ ...policy.metrics[0], row_loss: '1), (2' }] });
    expect(two.outcome).toMatchObject({ verdict: 'error', reason_code: 'config_invalid' });
  });

  it('[EVA-8] fails a candidate whose predictions break a business rule', async () => {
    const random = normals(seededRandom(8));
    const label = Float64Array.from({ length: 500 }, () => Math.abs(100 + 30 * random()));
    const champion = label.map((y) => Math.max(0, y + 5 * random()));
    const candidate = champion.map((y, i) => (i === 17 ? -3 : y));
    const rules = [{ id: 'no-negative-price', expr: 'prediction >= 0' }];
    const policy = { rules, floors: [{ metric: 'mae', max: 10 }] };
    const { outcome } = await judge({ columns: { label, champion, candidate } }, policy);
    expect(outcome.verdict).toBe('fail');
    expect(outcome.summary).toBe(
      'The rule no-negative-price is broken on 1 of 500 rows; none may. The champion broke it on 0.',
    );
    expect((await judge({ columns: { label, champion, candidate: champion } }, policy)).outcome.verdict).toBe(
      'pass',
    );
    // a rule can stop a model, and does not show that it is any good
    const alone = await judge({ columns: { label, champion, candidate: champion } }, { rules });
    expect(alone.outcome).toMatchObject({ verdict: 'inconclusive' });
  });

  it('[EVA-9] fails a candidate whose predictions leave the expected range', async () => {
    const columns = binaryRows({ rows: 2000, seed: 9 });
    const policy = { prediction_range: {}, floors: [{ metric: 'brier', max: 0.5 }] };
    expect((await judge({ columns }, policy)).outcome.verdict).toBe('pass');
    const moved = { ...columns, candidate: columns.candidate.map((p) => Math.min(1, p + 0.4)) };
    const { outcome } = await judge({ columns: moved }, policy);
    expect(outcome).toMatchObject({ verdict: 'fail' });
    const scaled = { ...columns, candidate: columns.candidate.map((p) => p * 100) };
    const checks = (await judge({ columns: scaled }, policy)).outcome.outputs.checks ?? [];
    expect(checks.filter((check) => check.verdict === 'fail').map((check) => check.id)).toEqual([
      'prediction_range:outside',
      'prediction_range:shift',
    ]);
  });

  it('lets floors decide where there is no champion yet, and nothing else', async () => {
    const { label, candidate } = binaryRows({ rows: 2000, seed: 10 });
    const recipe = { columns: { label, candidate }, hasChampion: false };
    const floors = [{ metric: 'auc', min: 0.6 }];
    const first = await judge(recipe, { ...auc, floors, slices: { by: [] } });
    expect(first.outcome.verdict).toBe('pass');
    expect(first.outcome.outputs.checks?.[0]).toMatchObject({ id: 'metric:auc', verdict: 'neutral' });
    const rules = [{ id: 'probability', expr: 'prediction BETWEEN 0 AND 1' }];
    for (const policy of [auc, { ...auc, rules }, { ...auc, prediction_range: {} }]) {
      const silent = await judge(recipe, policy);
      expect(silent.outcome.verdict).toBe('inconclusive');
      expect(silent.outcome.summary).toContain('no floor and no golden cases');
    }
  });

  it('finds the slice that is harmed while the whole looks well', async () => {
    const columns = binaryRows({ rows: 20_000, seed: 11 });
    const carrier = Array.from({ length: 20_000 }, (_, i) => `C${i % 20}`);
    const broken = binaryRows({ rows: 20_000, seed: 11, harm: 1 }).candidate;
    const candidate = columns.candidate.map((p, i) => (carrier[i] === 'C7' ? (broken[i] as number) : p));
    const policy = { metrics: [{ metric: 'auc', margin: 0.02 }], slices: { by: ['carrier'] } };
    const harmed = await judge({ columns: { ...columns, candidate, carrier } }, policy);
    expect(harmed.outcome.verdict).toBe('fail');
    expect(harmed.outcome.summary).toContain('auc is worse where carrier is C7');
    const equal = await judge({ columns: { ...columns, carrier } }, policy);
    expect(equal.outcome.verdict).toBe('pass');
    const critical = { ...policy, slices: { critical: [{ where: { carrier: 'C99' }, margin: 0.05 }] } };
    const missing = await judge({ columns: { ...columns, carrier } }, critical);
    expect(missing.outcome.verdict).toBe('inconclusive');
    const misspelt = await judge(
      { columns: { ...columns, carrier } },
      { ...policy, slices: { by: ['carier'] } },
    );
    expect(misspelt.outcome.error?.fix).toContain('Did you mean "carrier"?');
  });

  it('never passes keys that were trained on, unmeasured limits, or a file of other rows', async () => {
    const columns = binaryRows({ rows: 1000, seed: 12 });
    const floors = [{ metric: 'auc', min: 0.5 }];
    const leak = await judge(
      { columns, train: { id: ['x1', 'e0000003'] } },
      { floors, leakage: { exact: 'ignore' } },
    );
    expect(leak.outcome).toMatchObject({ verdict: 'fail' });
    expect(leak.outcome.summary).toContain('1 of 1,000 rows');
    const clean = await judge({ columns }, { floors, leakage: { exact: 'ignore' } });
    expect(clean.outcome.verdict).toBe('pass');
    const blind = await judge({ columns }, { floors, leakage: {} });
    expect(blind.outcome.verdict).toBe('inconclusive');
    const slow = await judge(
      { columns, p99: 12 },
      { floors, latency: { p99_ms: 5 }, model_size: { max_mb: 1 } },
    );
    expect(slow.outcome.summary).toBe('The latency p99 is 12.00 ms; the limit is 5.000 ms.');
    const cut = await judge({ columns, facts: { rows: 999 } }, { floors });
    expect(cut.outcome).toMatchObject({ verdict: 'error', reason_code: 'evaluation_unpaired' });
  });

  it('does not pass NaN predictions, one class, or a row-shuffled candidate', async () => {
    const columns = binaryRows({ rows: 2000, seed: 13 });
    const nan = {
      ...columns,
      candidate: Array.from(columns.candidate, (p, i) => (i === 5 ? 'nan' : String(p))),
    };
    expect((await judge({ columns: nan }, auc)).outcome.verdict).not.toBe('pass');
    const one = { ...columns, label: columns.label.map(() => 1) };
    expect((await judge({ columns: one }, auc)).outcome).toMatchObject({ verdict: 'inconclusive' });
    const shuffled = { ...columns, candidate: columns.candidate.toReversed() };
    expect((await judge({ columns: shuffled }, auc)).outcome.verdict).toBe('fail');
  });

  it('gives the same record for the same inputs, and reads it back', async () => {
    const { outcome, context, evaluation } = await judge(
      { columns: binaryRows({ rows: 500, seed: 14 }) },
      auc,
    );
    const again = await runStage(gate, { evaluation, policy: policyOf(auc), noise: null }, context);
    expect(again).toMatchObject({ cached: true, outputs: { gate: outcome.outputs.gate } });
  });
});

describe('the policy', () => {
  it.each([
    [{ metrics: [{ metric: 'acuracy', margin: 0.1 }] }, /row_loss/],
    [{ metrics: [{ metric: 'auc' }] }, /margin|non-inferior/],
    [{ metrics: [{ metric: 'auc', margin: '0%' }] }, /above 0/],
    [
      {
        metrics: [
          { metric: 'auc', margin: 0.1 },
          { metric: 'auc', margin: 0.1 },
        ],
      },
      /twice/,
    ],
    [{ floors: [{ metric: 'auc' }] }, /either min or max/],
    [{ floors: [{ metric: 'profit', min: 1 }] }, /metric of this policy/],
    [{ slices: { by: ['x'] } }, /primary or guardrail/],
    [{ treshold: 1 }, /treshold/],
  ])('refuses %j', (policy, message) => {
    const parsed = GatePolicy.safeParse(policy);
    expect(parsed.success).toBe(false);
    expect(JSON.stringify(parsed.error?.issues)).toMatch(message);
  });
});
