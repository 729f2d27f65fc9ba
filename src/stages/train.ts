import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { Training } from '../config/schema.ts';
import type { SqlEngine } from '../data/engine.ts';
import { putFiles, putJson } from '../data/manifests.ts';
import { asStorageError, UserError } from '../errors.ts';
import { type AdmissionRules, admissionPolicy } from '../evaluation/admission-policy.ts';
import { admitOnnx, checkSignature } from '../evaluation/onnx-admission.ts';
import { loadPredictor } from '../evaluation/onnxruntime.ts';
import { defaultParity, type ParityPolicy, type ParityReport } from '../evaluation/parity.ts';
import { proveExport } from '../evaluation/prove-export.ts';
import { Digest, type Json } from '../json.ts';
import type { Manifest } from '../store/manifest.ts';
import { milliseconds } from '../training/duration.ts';
import { type EnvironmentRecord, prepareEnvironment } from '../training/environment.ts';
import { type TrainingData, writeTrainingInputs } from '../training/inputs.ts';
import { launchTraining } from '../training/launcher.ts';
import { readOutputs, type TrainingOutputs } from '../training/outputs.ts';
import { defineStage, type StageContext } from './define.ts';
import { type FeatureRecipe, recipeOfSplit } from './feature-definition.ts';

/** What the recipe says beside its files. */
export const TrainingRecipe = Training.omit({ script: true, requirements: true }).extend({
  parity: z
    .strictObject({
      rows: z.number().int().min(1).max(1_000_000).default(defaultParity.rows),
      tolerance: z.number().positive().max(0.01).default(defaultParity.tolerance),
    })
    .optional()
    .describe(
      'Rows on which the exported model is compared with the trained one, and the largest difference.',
    ),
});
export type TrainingRecipe = z.infer<typeof TrainingRecipe>;

interface TrainInput {
  split: Digest;
  code: Digest;
  training: TrainingRecipe;
}

const script = 'train.py';

/** A split and a script → a model package whose export is proven. */
export const train = defineStage({
  name: 'train',
  description:
    "Runs the training script in its locked environment and proves the exported model against the script's own.",
  inputs: z.object({ split: Digest, code: Digest, training: TrainingRecipe }),
  outputs: z.object({ model: Digest, metrics: z.record(z.string(), z.number()) }),
  cache: { version: 2 },
  async run(input: TrainInput, context) {
    const folder = await mkdtemp(path.join(context.workDirectory, 'train-'));
    try {
      return await trainModel({ input, context, folder });
    } catch (error) {
      throw asStorageError(error, context.workDirectory);
    } finally {
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    }
  },
});

async function trainModel({
  input,
  context,
  folder,
}: {
  input: TrainInput;
  context: StageContext;
  folder: string;
}) {
  const { store, logger, signal } = context;
  const { training } = input;
  const code = await store.readManifest(input.code, 'code');
  const split = await store.readManifest(input.split, 'split');
  const recipe = await recipeOfSplit(store, split);
  const folders = await makeFolders(folder);
  await copyCode({ code, context, folder: folders.code });

  const started = performance.now();
  const environment = await prepareEnvironment({
    lockFile: path.join(folders.code, 'requirements.lock'),
    cacheDirectory: context.cacheDirectory,
    logger,
    signal,
  });
  const prepared = performance.now();
  const engine = await context.engine();
  try {
    const policy = training.parity ?? defaultParity;
    const part = (name: string) => store.localFile(store.file(split, `${name}.parquet`).sha256);
    const data = await writeTrainingInputs({
      engine,
      parts: { train: await part('train'), validation: await part('validation') },
      roles: recipe.definition,
      task: training.task,
      parityRows: policy.rows,
      seed: training.seed,
      folder: folders.input,
    });
    const launched = await launchTraining({
      python: environment.python,
      codeDirectory: folders.code,
      script,
      inputDirectory: folders.input,
      outputDirectory: folders.output,
      scratchDirectory: folders.scratch,
      params: training.params as Record<string, Json>,
      seed: training.seed,
      bootstrap: training.bootstrap,
      timeout: milliseconds(training.timeout),
      logger,
      signal,
    });
    const outputs = await readOutputs(folders.output, sum(data.parity));
    checkSignature(
      admitOnnx(outputs.model, admissionPolicy(training.admission)),
      outputs.signature,
      data.features,
    );
    const proven = performance.now();
    // from here on the bytes that were admitted, wherever the script's own file went
    const modelFile = path.join(folders.scratch, 'model.onnx');
    await writeFile(modelFile, outputs.model);
    const { admission } = training;
    const parity = await prove({ engine, outputs, data, policy, modelFile, admission, folders });
    const model = await storePackage({
      input,
      context,
      recipe,
      outputs,
      data,
      environment: environment.record,
      parity,
      modelFile,
      folders,
    });
    const compared = parity.kinds.reduce(
      (rows, kind) => rows + (kind.max_difference === null ? 0 : kind.rows),
      0,
    );
    const told = Object.entries(outputs.metrics).map(([name, value]) => `${name} ${value.toPrecision(4)}`);
    return {
      verdict: 'pass' as const,
      reason_code: 'done' as const,
      summary: `Trained on ${data.rows.train} rows (${told.join(', ')} on validation); the export agrees on ${compared} rows.`,
      outputs: { model, metrics: outputs.metrics },
      timings: {
        environment: seconds(prepared - started),
        training: Math.round(launched.seconds * 1000) / 1000,
        parity: seconds(performance.now() - proven),
      },
    };
  } finally {
    await engine.close();
  }
}

interface Folders {
  code: string;
  input: string;
  output: string;
  scratch: string;
}

async function makeFolders(folder: string): Promise<Folders> {
  const folders = Object.fromEntries(
    ['code', 'input', 'output', 'scratch'].map((name) => [name, path.join(folder, name)]),
  ) as unknown as Folders;
  for (const one of Object.values(folders)) await mkdir(one);
  return folders;
}

async function copyCode(request: { code: Manifest; context: StageContext; folder: string }): Promise<void> {
  const { code, context, folder } = request;
  for (const name of [script, 'requirements.lock']) {
    if (code.files.some((file) => file.name === name)) continue;
    throw new UserError({
      code: 'config_missing',
      message: `The training code has no ${name}.`,
      where: { key: name === script ? 'train.script' : 'train.requirements' },
      fix: 'Name the script and its locked requirements in modelgate.yaml.',
    });
  }
  for (const file of code.files) {
    await copyFile(await context.store.localFile(file.sha256), path.join(folder, file.name));
  }
}

async function prove(request: {
  engine: SqlEngine;
  outputs: TrainingOutputs;
  data: TrainingData;
  policy: ParityPolicy;
  modelFile: string;
  admission: AdmissionRules | undefined;
  folders: Folders;
}): Promise<ParityReport> {
  const { engine, outputs, data, policy, modelFile, admission, folders } = request;
  await engine.addFile('parity', path.join(folders.input, 'parity.parquet'), 'parquet');
  const { signature, parity: trained, nullRefused } = outputs;
  const predictor = await loadPredictor({ file: modelFile, signature, admission });
  try {
    return await proveExport({
      engine,
      view: 'parity',
      kinds: data.parity,
      predictor,
      trained,
      nullRefused,
      policy,
    });
  } finally {
    await predictor.close();
  }
}

async function storePackage(request: {
  input: TrainInput;
  context: StageContext;
  recipe: FeatureRecipe;
  outputs: TrainingOutputs;
  data: TrainingData;
  environment: EnvironmentRecord;
  parity: ParityReport;
  modelFile: string;
  folders: Folders;
}): Promise<Digest> {
  const { input, context, recipe, outputs, data, environment, parity, folders } = request;
  const { store, producer } = context;
  const { task, params, seed, bootstrap } = input.training;
  const output = (name: string) => path.join(folders.output, name);
  const files = [
    ...(await putFiles(store, { 'model.onnx': request.modelFile })),
    await putJson(store, 'signature.json', outputs.signature),
    { ...recipe.sql, name: 'features.sql' },
    await putJson(store, 'feature-definition.json', recipe.definition),
    await putJson(store, 'metrics.json', outputs.metrics),
    await putJson(store, 'importance.json', outputs.importance),
    await putJson(store, 'parity.json', parity),
    await putJson(store, 'params.json', { params, seed, bootstrap: bootstrap ?? null }),
    await putJson(store, 'environment.json', environment),
    ...(await putFiles(store, { 'train.log': output('train.log') })),
  ];
  return store.putManifest({
    kind: 'model',
    files,
    inputs: { split: input.split, code: input.code },
    producer,
    facts: {
      // whole, so that the same recipe can be trained again from the package alone
      recipe: JSON.parse(JSON.stringify(input.training)) as Json,
      task,
      params: params as Record<string, Json>,
      seed,
      bootstrap: bootstrap ?? null,
      metrics: outputs.metrics,
      rows: data.rows,
      features: data.features.map(({ name }) => name),
      environment: { python: environment.python, platform: environment.platform, lock: environment.lock },
      parity: { rows: parity.rows, max_difference: parity.max_difference, flips: parity.flips },
      trained_at: context.now().toISOString(),
      train_window: data.window,
    },
  });
}

const sum = (kinds: readonly { rows: number }[]) => kinds.reduce((total, { rows }) => total + rows, 0);
const seconds = (milliseconds: number) => Math.round(milliseconds) / 1000;
