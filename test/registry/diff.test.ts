import { describe, expect, it } from 'vitest';
import { render } from '../../src/cli/render.ts';
import { canonicalJson, type Digest } from '../../src/json.ts';
import { register } from '../../src/registry/register.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { promote } from '../../src/rollout/move.ts';
import { loadCommand } from '../../src/stages/commands.ts';
import { runStage } from '../../src/stages/define.ts';
import { diff, parsePair } from '../../src/stages/diff.ts';
import { status } from '../../src/stages/status.ts';
import type { ManifestFile } from '../../src/store/manifest.ts';
import { MemoryStorage } from '../store/memory-storage.ts';
import { registryOver } from './long-log.ts';
import { alice, contextOf, model, promotion, type Recipe, storeRun } from './world.ts';

const open = async () => registryOver(await MemoryStorage.open());

async function add(registry: Registry, recipe: Recipe): Promise<Digest> {
  const gate = await storeRun(registry.store, recipe);
  const { manifest } = await register(registry, { model, gate, actor: alice });
  return manifest;
}

async function file(registry: Registry, name: string, value: unknown): Promise<ManifestFile> {
  const bytes = Buffer.from(canonicalJson(value));
  return { name, size: bytes.length, sha256: await registry.store.putBytes(bytes) };
}

const ask = (registry: Registry, before = 1, after = 2) =>
  runStage(diff, { model, before, after }, contextOf(registry));

const metricsOf = (auc: number) => ({ gate: { facts: { verdict: 'pass', metrics: { auc, brier: 0.1 } } } });
const profile = (rows: number, mean: number) => ({
  schema: 'modelgate.blocks/1',
  time: null,
  rows,
  blocks: [{ day: null, rows }],
  columns: [
    {
      ...{ name: 'distance', type: 'integer', physicalType: 'BIGINT', distinct: 2, kind: 'numeric' },
      exponent: 0,
      parts: [
        {
          nulls: 0,
          nonfinite: 0,
          min: mean - 1,
          max: mean + 1,
          mean,
          m2: rows,
          bins: [mean - 1, rows / 2, mean + 1, rows / 2],
        },
      ],
    },
  ],
});

describe('diff of two versions', () => {
  it('[REG-2] tells code, data, parameters and metrics on the same rows, as status does', async () => {
    const registry = await open();
    await add(registry, { seed: 1, rows: 1000, params: { depth: 3 }, ...metricsOf(0.68) });
    await add(registry, { seed: 2, rows: 2000, params: { depth: 5 }, ...metricsOf(0.71) });
    const { verdict, summary, outputs } = await ask(registry);
    expect(verdict).toBe('pass');
    expect(summary).toBe(
      `${model}@1 and ${model}@2 differ in data, params, seed, package, model, evaluation.`,
    );
    const what = outputs.changes?.map(({ what }) => what);
    expect(what).toEqual([
      ...['data.dataset', 'data.rows', 'params.depth', 'seed'],
      ...['package', 'model.onnx', 'evaluation.metrics.auc'],
    ]);
    expect(outputs.data).toMatchObject({
      rows: { before: 1000, after: 2000 },
      sources: [{ source: 'flights', change: 'changed', rows: { before: 1000, after: 2000 } }],
    });
    expect(outputs.data?.sources[0]?.note).toMatch(/has no stored profile/);
    expect(outputs.metrics?.map(({ metric, before, after }) => [metric, before, after])).toEqual([
      ['auc', 0.68, 0.71],
      ['brier', 0.1, 0.1],
    ]);
    expect(outputs.metrics?.[0]?.difference).toBeCloseTo(0.03, 12);
    expect(outputs).toMatchObject({ metrics_note: null, behaviour: null });
    expect(outputs.behaviour_note).toMatch(/modelgate compare/);
    for (const version of [1, 2]) await promote(registry, { ...promotion, version, actor: alice });
    const { environments } = (await runStage(status, { model }, contextOf(registry))).outputs;
    expect(environments?.[0]?.changed).toEqual(outputs.changes);
    const same = await ask(registry, 2, 2);
    expect(same.outputs).toMatchObject({ changes: [], data: { sources: [{ change: 'same', columns: [] }] } });
  });

  it('[REG-2] says nothing only of equal packages: a seed, a model file and another gate result are told', async () => {
    const registry = await open();
    const one = await add(registry, { seed: 1 });
    const other = await add(registry, { seed: 2 });
    await add(registry, { seed: 2, gate: { facts: { verdict: 'fail', metrics: { auc: 0.68 } } } });
    const seeds = await ask(registry, 1, 2);
    expect(seeds.summary).toBe(`${model}@1 and ${model}@2 differ in seed, package, model.`);
    expect(seeds.outputs.changes).toMatchObject([
      { what: 'seed', before: 1, after: 2 },
      { what: 'package', before: one, after: other },
      { what: 'model.onnx', before: expect.any(String), after: expect.any(String) },
    ]);
    const again = await ask(registry, 2, 3);
    expect(again.summary).toBe(`${model}@2 and ${model}@3 differ in gate.`);
    expect((await ask(registry, 2, 2)).summary).toBe(`${model}@2 and ${model}@2 differ in nothing.`);
  });

  it('compares no metrics of different rows, and says so', async () => {
    const registry = await open();
    const set = (id: string, letter: string) => ({
      evaluation: { facts: { rows: 10, evaluation_set: { id, sha256: letter.repeat(64) } } },
    });
    await add(registry, { seed: 1, ...set('june', 'e') });
    await add(registry, { seed: 2, ...set('july', 'f') });
    const { outputs } = await ask(registry);
    expect(outputs.metrics).toEqual([]);
    expect(outputs.metrics_note).toMatch(/different rows, june \(e{12}\) and july \(f{12}\)/);
  });

  it('tells what the gate saw of the behaviour, from either side, and how columns moved', async () => {
    const registry = await open();
    const snapshots: Digest[] = [];
    for (const [rows, mean] of [
      [1000, 100],
      [2000, 102],
    ] as const) {
      const blocks = await file(registry, 'blocks.json', profile(rows, mean));
      const data = await registry.store.putManifest({
        ...{ kind: 'snapshot', inputs: {}, facts: { rows } },
        files: [blocks],
        producer: { commit: null, run: '1', attempt: 1, trigger: 'push', modelgate: '0' },
      });
      const inputs = { flights: data };
      const producer = { commit: 'c0ffee', run: '1', attempt: 1, trigger: 'push', modelgate: '0' };
      snapshots.push(
        await registry.store.putManifest({ kind: 'dataset', inputs, facts: {}, files: [], producer }),
      );
    }
    const trained = (dataset: Digest) => ({
      model: { inputs: { dataset }, facts: { params: {}, metrics: { auc: 0.7 } } },
    });
    const champion = await add(registry, { seed: 1, ...trained(snapshots[0]!) });
    const counts = { rows: 10, lost: 1, gained: 4 };
    const behaviour = {
      ...{ task: 'classification', threshold: 0.5, margin: null, ...counts },
      ...{ slices: [{ column: 'origin', value: 'JFK', ...counts }], slices_left_out: 0 },
      ...{ examples: [], withheld: [] },
    };
    const record = await file(registry, 'gate.json', { behaviour });
    await add(registry, {
      ...{ seed: 2, ...trained(snapshots[1]!) },
      gate: { files: [record], facts: { verdict: 'pass', champion } },
    });
    const forwards = (await ask(registry)).outputs;
    expect(forwards.behaviour).toMatchObject({ ...counts, slices: [{ value: 'JFK', ...counts }] });
    expect(forwards.behaviour_note).toBeNull();
    expect(forwards.data?.sources[0]?.columns).toMatchObject([
      { name: 'distance', change: 'kept', effect: 2, unit: 'sd' },
    ]);
    const backwards = (await ask(registry, 2, 1)).outputs;
    expect(backwards.behaviour).toMatchObject({ lost: 4, gained: 1, slices: [{ lost: 4, gained: 1 }] });
    const text = render(await loadCommand('diff'), (await ask(registry)) as never);
    expect(text).toMatch(/Data of flights: 1,000 → 2,000 rows/);
    expect(text).toMatch(/distance +BIGINT +BIGINT +0 % +0 % +2 sd/);
    expect(text).toMatch(/of 10 rows 1 got worse and 4 better/);
  });

  it('reads two versions as people name them', async () => {
    const pair = { model: 'm', before: 1, after: 12 };
    for (const texts of [
      ['m@1', 'm@12'],
      ['m@v1', 'm@12'],
      ['m', '1', '12'],
      ['m', 'v1', 'v12'],
    ]) {
      expect(parsePair(texts)).toEqual(pair);
    }
    for (const texts of [
      ['m@1', 'n@2'],
      ['m', '1'],
      ['m@1', '2'],
      ['m@1', '2', '3'],
      ['../m', '1', '2'],
      ['m', '0', '1'],
      ['M@1', 'M@2'],
      [],
    ]) {
      expect(() => parsePair(texts), texts.join(' ')).toThrow(expect.objectContaining({ code: 'usage' }));
    }
    const registry = await open();
    await add(registry, { seed: 1 });
    expect(await ask(registry, 1, 9)).toMatchObject({ verdict: 'error', reason_code: 'version_unknown' });
  });
});
