import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parseJson } from '../../src/json.ts';
import { runStage, type StageContext } from '../../src/stages/define.ts';
import { train } from '../../src/stages/train.ts';
import {
  exampleScript,
  featuresSql,
  hasPython,
  keepingLogger,
  makeSplit,
  makeWorld,
  recipe,
  trainingCode,
  type World,
} from './world.ts';

const python = await hasPython();
let world: World;
let split: string;

beforeAll(async () => {
  if (!python) return;
  world = await makeWorld();
  split = await makeSplit(world);
});
afterAll(async () => {
  await world?.close();
});

async function run(
  script: string,
  change: { training?: object; context?: Partial<StageContext>; split?: string } = {},
) {
  const code = await trainingCode(world, script);
  const training = { ...recipe(), ...change.training };
  return runStage(
    train,
    { split: change.split ?? split, code, training },
    { ...world.context, ...change.context },
  );
}

/** Nothing of a failed training may stay: no model in the store, no work folder, no cached result. */
async function expectNothingLeft() {
  expect((await readdir(world.context.workDirectory)).filter((name) => name.startsWith('train-'))).toEqual(
    [],
  );
}

async function readModel(digest: string) {
  const manifest = await world.store.readManifest(digest, 'model');
  const json = async (name: string) =>
    parseJson((await world.store.readBytes(world.store.file(manifest, name).sha256)).toString('utf8'));
  return { manifest, json };
}

describe.skipIf(!python)('training', { timeout: 180_000 }, () => {
  it('[TRN-1] [TRN-2] [TRN-3] makes a package with parameters, metrics, seed, environment and lineage', async () => {
    const logger = keepingLogger();
    const outcome = await run(await exampleScript(), { context: { logger } });
    expect(outcome.error).toBeUndefined();
    const { manifest, json } = await readModel(outcome.outputs.model!);
    expect(manifest.files.map(({ name }) => name)).toEqual([
      'model.onnx',
      'signature.json',
      'features.sql',
      'feature-definition.json',
      'metrics.json',
      'importance.json',
      'parity.json',
      'params.json',
      'environment.json',
      'train.log',
    ]);
    expect(manifest.inputs).toMatchObject({ split });
    expect(manifest.facts).toMatchObject({
      seed: 7,
      params: { max_iter: 20 },
      metrics: { auc: expect.any(Number), log_loss: expect.any(Number) },
      rows: { train: expect.any(Number), validation: expect.any(Number) },
      trained_at: '2013-02-01T00:00:00.000Z',
      train_window: {
        from: expect.stringMatching(/^2013-01-01T/),
        until: expect.stringMatching(/^2013-01-20T/),
      },
    });
    expect(await json('environment.json')).toMatchObject({
      packages: { 'scikit-learn': expect.any(String) },
    });
    expect(Object.keys((await json('importance.json')) as object).toSorted()).toEqual([
      'carrier',
      'dest',
      'distance',
      'hour',
      'weekday',
    ]);
    expect(logger.lines).toContainEqual(expect.stringContaining('trained 20 trees'));
    expect(outcome.summary).toContain('agrees on 12000 rows');
  });

  it('[FEA-2] [FEA-3] proves the export on plain rows, unseen categories and nulls, alone and in a batch', async () => {
    const outcome = await run(await exampleScript());
    expect(outcome.cached).toBe(true);
    const { json } = await readModel(outcome.outputs.model!);
    expect(await json('parity.json')).toMatchObject({
      flips: 0,
      kinds: [
        { kind: 'plain', rows: 10_000, beyond: 0 },
        { kind: 'unseen', rows: 1_000, beyond: 0 },
        { kind: 'null', rows: 1_000, beyond: 0 },
      ],
      null_refused: null,
      alone: { rows: 100, max_difference: 0 },
    });
  });

  it('[TRN-3] trains the same model again with the same seed, another one on a bootstrap', async () => {
    const again = `${await exampleScript()}\n`; // another digest of the code: not the cached result
    const models = [];
    for (const change of [{}, { bootstrap: 11 }]) {
      const outcome = await run(again, { training: { ...recipe(), ...change } });
      models.push(world.store.file((await readModel(outcome.outputs.model!)).manifest, 'model.onnx').sha256);
    }
    const first = await run(await exampleScript());
    expect(models[0]).toBe(
      world.store.file((await readModel(first.outputs.model!)).manifest, 'model.onnx').sha256,
    );
    expect(models[1]).not.toBe(models[0]);
  });

  it('refuses a conversion that succeeds and is wrong: categorical_features', async () => {
    const wrong = (await exampleScript()).replace(
      'early_stopping=False,',
      'early_stopping=False, categorical_features=[0, 1],',
    );
    const { error, reason_code } = await run(wrong);
    expect(reason_code).toBe('model_parity');
    expect(error?.message).toMatch(/of 10000 rows of the split differ by more than 0.00001/);
    expect(error?.message).toMatch(/predicted otherwise \(largest difference 0\.\d+; row \d+/);
    await expectNothingLeft();
  });

  it.each([
    ['a traceback', 'def f():\n    raise KeyError("dest")\nf()\n', 'training_failed', "KeyError: 'dest'"],
    ['exit code 0 without a model', 'print("done")\n', 'training_incomplete', 'without model.onnx'],
    [
      'a pickle',
      'import os, pickle\npickle.dump({}, open(os.environ["MODELGATE_OUTPUT"] + "/model.pkl", "wb"))\n',
      'model_refused',
      'model.pkl is a Python pickle',
    ],
    ['memory used up', 'raise MemoryError()\n', 'training_out_of_memory', 'out of memory'],
    [
      'a full disk',
      'import errno, os\nraise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))\n',
      'training_disk_full',
      'disk',
    ],
  ])('tells %s', async (_name, script, code, says) => {
    const { error, reason_code, verdict } = await run(script);
    expect({ reason_code, verdict }).toEqual({ reason_code: code, verdict: 'error' });
    expect(error?.message).toContain(says);
    expect(error?.fix).not.toBe('');
    await expectNothingLeft();
  });

  it('refuses a pickle that is called model.onnx', async () => {
    const script = (await exampleScript()).replace(
      'mg.save(',
      'import os, pickle\n_save = mg.save\ndef save(*a, **k):\n    _save(*a, **k)\n    pickle.dump({}, open(os.environ["MODELGATE_OUTPUT"] + "/model.onnx", "wb"))\nsave(',
    );
    const { error } = await run(script);
    expect(error).toMatchObject({ code: 'model_refused', message: expect.stringContaining('Python pickle') });
  });

  it('refuses a model that predicts NaN', async () => {
    const script = `
import modelgate as mg, onnx
from onnx import TensorProto as T, helper as h
inputs = [h.make_tensor_value_info(n, T.STRING if i in mg.strings else T.FLOAT, [None, 1]) for i, n in enumerate(mg.features)]
number = mg.features[mg.numbers[0]]
graph = h.make_graph([h.make_node("Neg", [number], ["n"]), h.make_node("Log", ["n"], ["y"])], "g", inputs, [h.make_tensor_value_info("y", T.FLOAT, [None, 1])])
model = h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=8)
mg.save(model, lambda X: [0.5] * len(X), {"auc": 0.5})
`;
    const { error } = await run(script);
    expect(error).toMatchObject({ code: 'prediction_invalid', message: expect.stringMatching(/row 1: NaN/) });
    await expectNothingLeft();
  });

  it('refuses a model with an input that the features do not have', async () => {
    const script = (await exampleScript()).replace(
      'mg.save(graph',
      'graph.graph.input[0].name = "tailnum"\nmg.save(graph',
    );
    const { error } = await run(script);
    expect(error).toMatchObject({
      code: 'model_signature',
      message: expect.stringContaining('the model wants "tailnum"'),
    });
  });

  it('stops a script at its limit of time', async () => {
    const { error } = await run('import time\ntime.sleep(60)\n', { training: { timeout: '1s' } });
    expect(error).toMatchObject({ code: 'training_timeout' });
    await expectNothingLeft();
  });

  it('stops at Ctrl-C, leaves nothing half-written, and simply works when run again', async () => {
    const controller = new AbortController();
    const logger = { ...keepingLogger(), info: () => controller.abort() };
    const script = `print("started", flush=True)\nimport time\ntime.sleep(1 if ${Date.now()} else 0)\n${await exampleScript()}`;
    const stopped = await run(script, { context: { signal: controller.signal, logger } });
    expect(stopped).toMatchObject({ verdict: 'error', reason_code: 'interrupted' });
    await expectNothingLeft();
    expect(await run(script)).toMatchObject({ verdict: 'pass', cached: false });
  });

  it('gives the script no secret of the caller', async () => {
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'a-secret');
    vi.stubEnv('GITHUB_TOKEN', 'a-secret');
    const { error } = await run('import os, sys\nsys.exit(repr(dict(os.environ)))\n');
    vi.unstubAllEnvs();
    expect(error?.code).toBe('training_failed');
    expect(error?.message).not.toContain('a-secret');
  });

  it('takes a script that refuses nulls, and records that', async () => {
    const script = (await exampleScript())
      .replace('HistGradientBoostingClassifier', 'GradientBoostingClassifier')
      .replace('HistGradientBoostingClassifier(early_stopping=False, ', 'GradientBoostingClassifier(')
      .replaceAll('boost.n_iter_', 'boost.n_estimators_');
    const sql = featuresSql.replace('distance', 'coalesce(distance, 0) AS distance');
    const outcome = await run(script, {
      split: await makeSplit(world, { sql }),
      training: { params: { n_estimators: 5 } },
    });
    expect(outcome.error).toBeUndefined();
    const { json } = await readModel(outcome.outputs.model!);
    expect(await json('parity.json')).toMatchObject({
      null_refused: expect.stringContaining('NaN'),
      kinds: [{ beyond: 0 }, { beyond: 0 }, { kind: 'null', max_difference: null }],
    });
  });

  it('trains a regression, with features that are booleans, whole numbers and decimals', async () => {
    const script = (await exampleScript())
      .replaceAll('HistGradientBoostingClassifier', 'HistGradientBoostingRegressor')
      .replace('return model.predict_proba(X)[:, 1]', 'return model.predict(X)')
      .replace('options={"zipmap": False}, ', '')
      .replace('scoring="roc_auc"', 'scoring="r2"');
    const more = ', hour > 12 AS afternoon, CAST(hour / 7.0 AS DECIMAL(9, 3)) AS part FROM';
    const outcome = await run(script, {
      split: await makeSplit(world, { sql: featuresSql.replace(' FROM', more) }),
      training: { task: 'regression' },
    });
    expect(outcome.error).toBeUndefined();
    const { json } = await readModel(outcome.outputs.model!);
    expect(await json('signature.json')).toMatchObject({ task: 'regression', output: 'variable' });
    expect(await json('parity.json')).toMatchObject({ kinds: [{ beyond: 0 }, { beyond: 0 }, { beyond: 0 }] });
  });

  it('refuses labels of one class only, before anything is trained', async () => {
    const one = await makeSplit(world, { train: 'day <= 20 AND late', validation: 'day = 21' });
    const { error } = await run(await exampleScript(), { split: one });
    expect(error).toMatchObject({ code: 'label_invalid', message: expect.stringContaining('are 1') });
  });

  it('needs a script and a lock', async () => {
    const code = await world.code({ 'train.py': 'pass' });
    const { error } = await runStage(train, { split, code, training: recipe() }, world.context);
    expect(error).toMatchObject({ code: 'config_missing', where: 'train.requirements' });
  });
});

describe('the helper module', () => {
  it('is found beside the launcher', async () => {
    expect(await readdir(path.resolve('src/training/python'))).toContain('modelgate.py');
  });
});
