import { describe, expect, it } from 'vitest';
import { sliceChecks } from '../../src/gate/checks/slices.ts';
import { noiseOfSlice, pool, readNoise, sliceKey } from '../../src/gate/noise.ts';
import { gateHistory } from '../../src/stages/gate-history.ts';
import { metricsOf } from '../../src/stages/noise.ts';
import { registerVersions } from '../registry/world.ts';
import { binaryRows, openContext, policyOf, scoresOf, storeEvaluation } from './world.ts';

describe('noise of retraining', () => {
  const columns = binaryRows({ rows: 2000, seed: 41 });
  const carrier = Array.from({ length: 2000 }, (_, i) => (i % 2 === 0 ? 'AA' : 'UA'));

  it('is measured for the policy’s own metrics and in its slices', async () => {
    const context = openContext();
    const recipe = { columns: { ...columns, carrier } };
    const evaluation = await storeEvaluation(context, recipe);
    const cost = { metric: 'cost', row_loss: 'abs(label - prediction)' };
    const input = { training: { task: 'classification' as const }, metrics: [cost], slices: ['carrier'] };
    const found = await metricsOf(evaluation, input, context);
    const mean = (wanted: (i: number) => boolean) => {
      const rows = [...columns.label.keys()].filter(wanted);
      const loss = (i: number) => Math.abs((columns.label[i] as number) - (columns.candidate[i] as number));
      return rows.reduce((sum, i) => sum + loss(i), 0) / rows.length;
    };
    expect(found.get('cost')).toBeCloseTo(
      mean(() => true),
      10,
    );
    expect(found.get(sliceKey('cost', 'carrier', 'UA'))).toBeCloseTo(
      mean((i) => i % 2 === 1),
      10,
    );
    expect(found.get('auc')).toBeGreaterThan(0.7);
    expect(found.has(sliceKey('auc', 'carrier', 'UA'))).toBe(false);
  });

  it('of a slice enters its test; without it the whole set’s does', async () => {
    const { store, producer } = openContext();
    const content = {
      replicates: 5,
      sd: { auc: 0.002 },
      slices: [{ column: 'carrier', value: 'UA', metric: 'auc', sd: 0.05 }],
    };
    const bytes = Buffer.from(JSON.stringify(content));
    const file = { name: 'noise.json', size: bytes.length, sha256: await store.putBytes(bytes) };
    const digest = await store.putManifest({ kind: 'noise', files: [file], inputs: {}, facts: {}, producer });
    const policy = policyOf({ metrics: [{ metric: 'auc', margin: 0.02 }], slices: { by: ['carrier'] } });
    const noise = await readNoise(store, { digest, policy });
    expect(noiseOfSlice(noise, { metric: 'auc', column: 'carrier', value: 'UA' })?.sd).toBe(0.05);
    const codes = Int32Array.from(carrier, (value) => (value === 'AA' ? 0 : 1));
    const scores = scoresOf(columns, { slices: [{ column: 'carrier', values: ['AA', 'UA'], codes }] });
    const width = (known: typeof noise) =>
      sliceChecks(scores, policy, known).slices.map(({ low, high }) => (high ?? 0) - (low ?? 0));
    const [quiet, loud] = width(noise);
    const [before, after] = width(new Map([['auc', { sd: 0.002, df: 4 }]]));
    expect(quiet).toBeCloseTo(before ?? 0, 12);
    expect(loud).toBeGreaterThan(3 * (after ?? 0));
  });

  it('pools by degrees of freedom, and only what was measured twice', () => {
    const one = new Map([
      ['auc', { sd: 0.01, df: 4 }],
      ['f1', { sd: 0.1, df: 4 }],
    ]);
    const pooled = pool([one, new Map([['auc', { sd: 0.02, df: 9 }]])]);
    expect(pooled.get('auc')?.sd).toBeCloseTo(Math.sqrt((4 * 0.01 ** 2 + 9 * 0.02 ** 2) / 13), 12);
    expect(pooled.get('auc')?.df).toBe(13);
    expect(pooled.has('f1')).toBe(false);
  });
});

describe('what the log says of one evaluation', () => {
  it('counts the questions up to this one, so that a later question changes no earlier answer', async () => {
    const { registry } = openContext();
    await registerVersions(registry, 2);
    const entries = (await registry.entries('flights-late')).map(({ entry }) => entry);
    const asked = entries.flatMap((entry) => (entry.type === 'evaluate' ? [entry.evaluation] : []));
    const version = entries.find((entry) => entry.type === 'register');
    const look = (evaluation = '') =>
      gateHistory(registry, {
        model: 'flights-late',
        evaluation,
        set: 'e'.repeat(64),
        champion: version?.manifest ?? null,
      });
    expect(await look(asked[0])).toMatchObject({ consultations: 1, champion_gate: null, pooled_noise: [] });
    expect(await look(asked[1])).toMatchObject({ consultations: 2, champion_gate: version?.gate });
    expect(await look('f'.repeat(64))).toMatchObject({ consultations: null });
  });
});
