import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { infer } from '../../src/serving/client.ts';
import { runStage } from '../../src/stages/define.ts';
import { score } from '../../src/stages/score.ts';
import { serve } from '../../src/stages/serve.ts';
import { trace } from '../../src/stages/trace.ts';
import { keys } from '../../src/store/keys.ts';
import { until } from '../serving/helpers.ts';
import { lineageBed, model } from './bed.ts';

const where = { model, environment: 'production' };
/** What the models of test/fixtures/serving compute. */
const expected = (distance: number, hour: number, carrier: string, version: number) =>
  1 /
  (1 +
    Math.exp(-(0.5 * distance + 0.25 * hour + ({ AA: 1, UA: 2 }[carrier] ?? 0) - (version === 2 ? 1 : 0))));

const columns = [
  { name: 'distance', type: 'float32' as const, values: [1, -2] },
  { name: 'hour', type: 'float32' as const, values: [2, 3] },
  { name: 'carrier', type: 'string' as const, values: ['AA', 'never seen'] },
];

async function deployed() {
  const bed = await lineageBed();
  const one = await bed.train(1, { first: 1, last: 10 });
  const two = await bed.train(2, { first: 1, last: 20 });
  await bed.register(1, one.manifest);
  await bed.register(2, two.manifest);
  await bed.move('promote', { version: 1, manifest: one.manifest, from: null });
  return { bed, one, two };
}

/** Runs the serve stage until `stop`, with its URL read from the line that it prints. */
async function serving(bed: Awaited<ReturnType<typeof lineageBed>>) {
  const outcome = runStage(
    serve,
    { ...where, port: 0, host: '127.0.0.1', log_directory: null, personal: [] },
    bed.context,
  );
  const ready = () => bed.logger.lines.map((line) => / at (http:\/\/\S+)$/.exec(line)?.[1]).find(Boolean);
  await Promise.race([until(() => ready() !== undefined, 20_000), outcome]);
  return {
    url: ready() ?? '',
    async stop() {
      bed.stop.abort();
      return outcome;
    },
  };
}

describe('serve, follow, trace', () => {
  it('[OBS-4] [SRV-2] [DEP-4] a real model is served, promoted, rolled back, and each prediction is traced', async () => {
    const { bed, one, two } = await deployed();
    await using _ = bed;
    const server = await serving(bed);
    const ask = (correlationId: string) =>
      infer({ url: server.url, model, columns, correlationId, rowKeys: ['UA-3', 'UA-15'] });

    const first = await ask('first');
    expect(first).toMatchObject({ version: 1, generation: 1, digest: one.manifest });
    expect(first.values[0]).toBeCloseTo(expected(1, 2, 'AA', 1), 6);
    expect(first.values[1]).toBeCloseTo(expected(-2, 3, '', 1), 6);
    await bed.move('promote', { version: 2, manifest: two.manifest, from: 1 });
    await expect.poll(async () => (await ask('polling')).version, { timeout: 10_000 }).toBe(2);
    const second = await ask('second');
    expect(second.values[0]).toBeCloseTo(expected(1, 2, 'AA', 2), 6);
    await bed.move('rollback', { version: 1, manifest: one.manifest, from: 2 });
    await expect.poll(async () => (await ask('polling')).generation, { timeout: 10_000 }).toBe(3);
    const third = await ask('third');
    expect(third).toMatchObject({ version: 1, generation: 3, digest: one.manifest, values: first.values });

    // while the server runs, the newest predictions are read from its open segment
    const input = { model, id: third.predictionIds[0]!, row: null, log_directory: null };
    expect((await runStage(trace, input, bed.context)).outputs).toMatchObject({
      version: 1,
      prediction: { trace_id: 'third' },
    });

    const context = { ...bed.context, signal: new AbortController().signal };
    const ended = await server.stop();
    expect(ended).toMatchObject({ verdict: 'pass', outputs: { version: 1, generation: 3 } });

    const readable = {
      ...context,
      engine: (options?: object) => bed.context.engine({ ...options, signal: context.signal }),
    };
    const back = await runStage(trace, { ...input, id: second.predictionIds[1]! }, readable);
    expect(back.verdict).toBe('pass');
    expect(back.outputs).toMatchObject({
      prediction: {
        prediction_id: second.predictionIds[1],
        row: 1,
        row_key: 'UA-15',
        generation: 2,
        output: second.values[1],
      },
      version: 2,
      run: { run: 'run-2' },
      commit: '2'.repeat(40),
      snapshot: {
        dataset: two.dataset,
        split: two.split,
        sources: [
          {
            source: 'flights',
            digest: two.snapshots.flights,
            rows: 20,
            window: { from: '2013-01-01', until: '2013-03-01' },
          },
          { source: 'weather', digest: two.snapshots.weather },
        ],
      },
      features: { distance: -2, hour: 3, carrier: 'never seen' },
      rows: 19,
    });
    const byCorrelation = await runStage(trace, { ...input, id: 'first' }, readable);
    expect(byCorrelation.outputs).toMatchObject({
      version: 1,
      prediction: { prediction_id: first.predictionIds[0] },
    });
    expect(await runStage(trace, { ...input, id: 'nobody' }, readable)).toMatchObject({
      verdict: 'error',
      reason_code: 'prediction_unknown',
    });

    const forward = await runStage(trace, { ...input, id: null, row: 'UA-15' }, readable);
    expect(forward.outputs).toMatchObject({
      versions: [{ version: 2, parts: ['train'], trained_on: true }],
      snapshots: [{ digest: two.snapshots.flights }, { digest: two.snapshots.weather }],
    });
    const { predictions } = forward.outputs as { predictions: { prediction_id: string }[] };
    expect(predictions.map((each) => each.prediction_id)).toContain(second.predictionIds[1]);
  });

  it('[OBS-5] tells a row that was trained on from one that only validated', async () => {
    const { bed } = await deployed();
    await using _ = bed;
    const forward = async (row: string) =>
      (await runStage(trace, { model, id: null, row, log_directory: null }, bed.context)).outputs as {
        versions: { version: number; parts: string[]; trained_on: boolean }[];
        snapshots: unknown[];
      };
    expect((await forward('UA-10')).versions).toMatchObject([
      { version: 1, parts: ['validation'], trained_on: false },
      { version: 2, parts: ['train'], trained_on: true },
    ]);
    expect((await forward('UA-10')).snapshots).toHaveLength(4);
    expect(await forward("x' OR '1'='1")).toMatchObject({ versions: [], snapshots: [], predictions: [] });
    expect(
      await runStage(trace, { model, id: null, row: null, log_directory: null }, bed.context),
    ).toMatchObject({
      reason_code: 'usage',
    });
  });

  it('serves on with the last good version when the next package is damaged', async () => {
    const { bed, two } = await deployed();
    await using _ = bed;
    const damaged = (await bed.store.readManifest(two.manifest)).files.find(
      ({ name }) => name === 'model.onnx',
    )!;
    const server = await serving(bed);
    await bed.store.storage.remove(keys.object(damaged.sha256));
    await bed.move('promote', { version: 2, manifest: two.manifest, from: 1 });
    const ready = async () => (await fetch(`${server.url}/v2/health/ready`)).json();
    await expect
      .poll(async () => ((await ready()) as { load_error: unknown }).load_error, { timeout: 10_000 })
      .toMatchObject({
        code: 'object_missing',
      });
    expect(await ready()).toMatchObject({ ready: true, serving: { version: 1 }, wanted: { version: 2 } });
    expect((await infer({ url: server.url, model, columns })).version).toBe(1);
    expect((await server.stop()).verdict).toBe('pass');
  });

  it('refuses a model that nobody registered', async () => {
    const { bed } = await deployed();
    await using _ = bed;
    const outcome = await runStage(
      serve,
      {
        model: 'nobody',
        environment: 'production',
        port: 0,
        host: '127.0.0.1',
        log_directory: null,
        personal: [],
      },
      bed.context,
    );
    expect(outcome).toMatchObject({ verdict: 'error', reason_code: 'model_unknown' });
  });
});

describe('score', () => {
  it('[SRV-3] predicts a file with what production runs, and measures the throughput', async () => {
    const { bed } = await deployed();
    await using _ = bed;
    const engine = await bed.context.engine();
    const input = path.join(bed.folder, 'input.parquet');
    await engine.writeParquet(
      "SELECT 'UA-' || i AS flight, CAST(i % 7 AS DOUBLE) AS distance, CAST(i % 24 AS FLOAT) AS hour, CASE WHEN i % 2 = 0 THEN 'AA' END AS carrier FROM range(20000) AS t(i)",
      input,
    );
    await mkdir(path.join(bed.folder, 'out'));
    const output = path.join(bed.folder, 'out', 'predictions.parquet');
    const outcome = await runStage(score, { ...where, input, output, keep: ['flight'] }, bed.context);
    expect(outcome).toMatchObject({ verdict: 'pass', outputs: { rows: 20_000, version: 1, generation: 1 } });
    expect(outcome.outputs.rows_per_second).toBeGreaterThan(0);
    await engine.addFile('out', output);
    const rows = await engine.rows('SELECT * FROM out WHERE "row" IN (3, 19998) ORDER BY "row"');
    await engine.close();
    expect(rows[0]?.flight).toBe('UA-3');
    expect(rows[0]?.prediction).toBeCloseTo(expected(3, 3, '', 1), 6);
    expect(rows[1]?.prediction).toBeCloseTo(expected(19_998 % 7, 19_998 % 24, 'AA', 1), 6);
    expect(
      await runStage(score, { ...where, environment: 'staging', input, output, keep: [] }, bed.context),
    ).toMatchObject({
      reason_code: 'nothing_deployed',
    });
  });
});
