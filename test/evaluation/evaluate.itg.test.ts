import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseJson } from '../../src/json.ts';
import { runStage } from '../../src/stages/define.ts';
import { evaluate } from '../../src/stages/evaluate.ts';
import { noise, standardDeviation } from '../../src/stages/noise.ts';
import { train } from '../../src/stages/train.ts';
import {
  exampleScript,
  featuresSql,
  hasPython,
  makeSplit,
  makeWorld,
  recipe,
  trainingCode,
  type World,
} from '../training/world.ts';

const python = await hasPython();
let world: World;
let candidate: string;
let champion: string;

async function trained(split: string): Promise<string> {
  const code = await trainingCode(world, await exampleScript());
  const outcome = await runStage(train, { split, code, training: recipe({ max_iter: 5 }) }, world.context);
  if (outcome.outputs.model === undefined) throw new Error(outcome.summary);
  return outcome.outputs.model;
}

beforeAll(async () => {
  if (!python) return;
  world = await makeWorld();
  candidate = await trained(await makeSplit(world));
  // another recipe: the champion does not know the weekday
  champion = await trained(await makeSplit(world, { sql: featuresSql.replace(', day % 7 AS weekday', '') }));
});
afterAll(async () => {
  await world?.close();
});

/** The evaluation set, or another one made by a query over it. */
async function setOf(sql?: string) {
  if (sql === undefined) return world.setDigest;
  const engine = await world.engine();
  await engine.addFile('pinned', world.setFile);
  const file = path.join(world.folder, 'other-set.parquet');
  await engine.writeParquet(sql, file);
  await engine.close();
  return (await world.store.putFile(file)).sha256;
}

async function run(
  options: { model?: string; champion?: string | null; set?: string; cluster?: string } = {},
) {
  const file = await setOf(options.set);
  const { model = candidate, cluster = 'day' } = options;
  return runStage(
    evaluate,
    {
      model,
      champion: options.champion === undefined ? champion : options.champion,
      evaluation_set: { id: 'january', sha256: file, cluster, budget: 50 },
      file,
      dataset: world.dataset,
    },
    world.context,
  );
}

async function read(evaluation: string) {
  const engine = await world.engine();
  await engine.addFile('predictions', await world.store.manifestFile(evaluation, 'predictions.parquet'));
  const columns = (await engine.describe('SELECT * FROM predictions')).map(({ name }) => name);
  const rows = await engine.rows('SELECT * FROM predictions');
  await engine.close();
  return { columns, rows };
}

describe.skipIf(!python)('evaluation', { timeout: 180_000 }, () => {
  it('[EVA-4] scores candidate and champion on the same rows in the same run', async () => {
    const outcome = await run();
    expect(outcome.error).toBeUndefined();
    const { columns, rows } = await read(outcome.outputs.evaluation!);
    expect(columns).toEqual(['key', 'label', 'candidate', 'champion', 'cluster', 'day', 'origin']);
    expect(rows).toHaveLength(outcome.outputs.rows!);
    expect(new Set(rows.map(({ key }) => key)).size).toBe(rows.length);
    expect(rows.every((row) => row.candidate !== null && row.champion !== null)).toBe(true);
    expect(rows.some((row) => row.candidate !== row.champion)).toBe(true);
    const manifest = await world.store.readManifest(outcome.outputs.evaluation!, 'evaluation');
    expect(manifest.inputs).toEqual({
      model: candidate,
      champion,
      evaluation_set: world.setDigest,
      dataset: world.dataset,
    });
    expect(manifest.facts).toMatchObject({ rows: rows.length, champion, evaluation_set: { id: 'january' } });
    const latency = await world.store.readBytes(world.store.file(manifest, 'latency.json').sha256);
    const times = { rows: 200, median_ms: expect.any(Number), p99_ms: expect.any(Number) };
    expect(parseJson(latency.toString('utf8'))).toEqual({ candidate: times, champion: times });
  });

  it('gives a model that is compared with itself the same predictions', async () => {
    const outcome = await run({ champion: candidate });
    const { rows } = await read(outcome.outputs.evaluation!);
    expect(rows.filter((row) => row.candidate !== row.champion)).toEqual([]);
  });

  it('scores a first model without a champion', async () => {
    const outcome = await run({ champion: null });
    const { columns } = await read(outcome.outputs.evaluation!);
    expect(columns).not.toContain('champion');
  });

  it('[EVA-1] refuses a file that is not the pinned one, before anything is consulted', async () => {
    const other = await setOf('SELECT * FROM pinned WHERE day = 28');
    const { error } = await runStage(
      evaluate,
      {
        model: candidate,
        champion: null,
        evaluation_set: { id: 'january', sha256: world.setDigest, budget: 50 },
        file: other,
        dataset: world.dataset,
      },
      {
        ...world.context,
        engine: () => {
          throw new Error('consulted');
        },
      },
    );
    expect(error).toMatchObject({
      code: 'evaluation_set_changed',
      message: expect.stringContaining(world.setDigest.slice(0, 12)),
      fix: expect.stringContaining('new id'),
    });
  });

  it.each([
    [
      'a key without data',
      'SELECT * FROM pinned UNION ALL SELECT 99999999, true, 31, NULL',
      'evaluation_unpaired',
      '1 of 3364 rows',
    ],
    [
      'a key twice',
      'SELECT * FROM pinned UNION ALL (SELECT * FROM pinned LIMIT 2)',
      'evaluation_unpaired',
      '2 rows',
    ],
    [
      'labels that are not those of the data',
      'SELECT * REPLACE (NOT late AS late) FROM pinned',
      'evaluation_set_changed',
      '3363 of 3363 labels',
    ],
    ['no rows', 'SELECT * FROM pinned WHERE false', 'data_empty', 'no rows'],
    ['one class', 'SELECT * FROM pinned WHERE late', 'label_invalid', 'are the same'],
    [
      'a null label',
      'SELECT * REPLACE (NULLIF(late, id % 100 = 0) AS late) FROM pinned',
      'label_invalid',
      'not 0 or 1',
    ],
    ['no label', 'SELECT * EXCLUDE (late) FROM pinned', 'evaluation_set_changed', 'no column "late"'],
    ['no cluster', 'SELECT * EXCLUDE (day) FROM pinned', 'evaluation_set_changed', 'no column "day"'],
  ])('refuses a set with %s', async (_name, set, code, says) => {
    const { error } = await run({ set, champion: null });
    expect(error).toMatchObject({ code, message: expect.stringContaining(says) });
  });

  it('[EVA-2] refuses a set whose rows were trained on, and counts them', async () => {
    const leaked = await trained(await makeSplit(world, { train: 'day <= 20 OR day = 28' }));
    const { error } = await run({ model: leaked });
    expect(error).toMatchObject({
      code: 'evaluation_leak',
      message: expect.stringMatching(
        /^8\d\d of 3363 rows of the evaluation set were trained on by the candidate/,
      ),
    });
    const byChampion = await run({ champion: leaked });
    expect(byChampion.error?.message).toContain('by the champion');
    expect(byChampion.error?.fix).toContain('modelgate pin');
  });

  it('measures the noise of retraining, and trains no replicate twice', async () => {
    const split = await makeSplit(world);
    const code = await trainingCode(world, await exampleScript());
    const input = {
      split,
      code,
      training: recipe({ max_iter: 5 }),
      evaluation_set: { id: 'january', sha256: world.setDigest, cluster: 'day', budget: 50 },
      file: world.setDigest,
      dataset: world.dataset,
    };
    const outcome = await runStage(noise, { ...input, replicates: 2 }, world.context);
    expect(outcome.error).toBeUndefined();
    const manifest = await world.store.readManifest(outcome.outputs.noise!, 'noise');
    const stored = await world.store.readBytes(world.store.file(manifest, 'noise.json').sha256);
    const result = parseJson(stored.toString('utf8')) as {
      replicates: number;
      sd: Record<string, number>;
      values: Record<string, number[]>;
      trainings: { model: string }[];
    };
    expect(result.replicates).toBe(2);
    for (const metric of ['auc', 'log_loss', 'brier', 'accuracy']) {
      const [a, b] = result.values[metric]!;
      expect(result.sd[metric]).toBeCloseTo(Math.abs(a! - b!) / Math.SQRT2, 12);
    }
    expect(result.sd.auc).toBeGreaterThan(0);
    const more = await runStage(noise, { ...input, replicates: 3 }, world.context);
    const then = parseJson(
      (
        await world.store.readBytes(
          world.store.file(await world.store.readManifest(more.outputs.noise!), 'noise.json').sha256,
        )
      ).toString('utf8'),
    ) as typeof result;
    expect(then.trainings.slice(0, 2)).toEqual(result.trainings);
  });
});

describe('spread', () => {
  it('is the sample standard deviation', () => {
    expect(standardDeviation([2, 4, 4, 4, 5, 5, 7, 9])).toBeCloseTo(Math.sqrt(32 / 7), 12);
  });
});
