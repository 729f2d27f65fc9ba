import { z } from 'zod';
import { identifier } from '../data/engine.ts';
import { asJson, putJson } from '../data/manifests.ts';
import type { AdmissionRules } from '../evaluation/admission-policy.ts';
import { readFeatureColumns } from '../evaluation/feature-columns.ts';
import { loadPredictor } from '../evaluation/onnxruntime.ts';
import { Signature } from '../evaluation/predictor.ts';
import { Digest, parseJson } from '../json.ts';
import type { Manifest } from '../store/manifest.ts';
import { EnvironmentRecord } from '../training/environment.ts';
import {
  compareTrainings,
  defaultTolerance,
  largestDifference,
  type Reproduction,
  type TrainingRecord,
} from '../training/reproduction.ts';
import { defineStage, type StageContext } from './define.ts';
import { recipeOfModel } from './feature-definition.ts';
import { TrainingRecipe, train } from './train.ts';

const jsonLimit = 4_000_000;
const Metrics = z.record(z.string(), z.number());
const text = z.string().nullable();

/** Trains a package's own recipe anew, and compares. */
export const reproduce = defineStage({
  name: 'reproduce',
  description:
    "Trains a version's own recipe again, without the cache, and compares metrics and predictions.",
  inputs: z.object({
    model: Digest.describe('Digest of the model package.'),
    tolerance: z
      .number()
      .nonnegative()
      .max(1)
      .nullable()
      .default(null)
      .describe("Largest relative difference of a metric. Left out: the recipe's own."),
  }),
  outputs: z.object({
    /** Digest of the record that is kept: both packages, and how they differ. */
    reproduction: Digest,
    reproduced: z.boolean(),
    /** Digest of the package that was made now. */
    again: Digest,
    tolerance: z.number(),
    metrics: z.array(
      z.object({
        metric: z.string(),
        original: z.number().nullable(),
        again: z.number().nullable(),
        difference: z.number().nullable(),
        within: z.boolean(),
      }),
    ),
    differing: z.array(z.object({ field: z.string(), original: text, again: text })),
    predictions: z.object({
      rows: z.number().int(),
      /** Null where it is not finite. */
      max_difference: z.number().nullable(),
      /** Whether the two model files are the same, byte by byte. */
      identical: z.boolean(),
    }),
  }),
  // a result that is read back would prove nothing
  cache: false,
  async run(input: { model: Digest; tolerance: number | null }, context) {
    const { store } = context;
    const original = await store.readManifest(input.model, 'model');
    const training = TrainingRecipe.parse(original.facts.recipe);
    const tolerance = input.tolerance ?? training.reproduce_tolerance ?? defaultTolerance;
    const split = Digest.parse(original.inputs.split);
    // the stage's own `run`: neither reads nor writes the cache
    const made = await train.run({ split, code: Digest.parse(original.inputs.code), training }, context);
    const again = await store.readManifest(made.outputs.model, 'model');
    const compared = compareTrainings({
      original: await readRecord(context, original),
      again: await readRecord(context, again),
      tolerance,
    });
    const predictions = await comparePredictions({
      context,
      split,
      models: [original, again],
      admission: training.admission,
    });
    const result = { ...compared, tolerance, predictions };
    const reproduction = await store.putManifest({
      kind: 'reproduction',
      files: [await putJson(store, 'reproduction.json', result)],
      inputs: { model: input.model, again: made.outputs.model },
      producer: context.producer,
      facts: {
        reproduced: compared.reproduced,
        tolerance,
        differing: asJson(compared.differing.slice(0, 100).map((one) => one.field)),
      },
    });
    return {
      verdict: compared.reproduced ? ('pass' as const) : ('fail' as const),
      reason_code: compared.reproduced ? ('reproduced' as const) : ('not_reproduced' as const),
      summary: summaryOf({ compared, tolerance, predictions }),
      outputs: { reproduction, again: made.outputs.model, ...result },
      ...(made.timings === undefined ? {} : { timings: made.timings }),
    };
  },
});

interface Predictions {
  rows: number;
  max_difference: number | null;
  identical: boolean;
}

async function readFile(context: StageContext, model: Manifest, name: string): Promise<unknown> {
  const bytes = await context.store.readBytes(context.store.file(model, name).sha256, jsonLimit);
  return parseJson(bytes.toString('utf8'), jsonLimit);
}

async function readRecord(context: StageContext, model: Manifest): Promise<TrainingRecord> {
  return {
    metrics: Metrics.parse(await readFile(context, model, 'metrics.json')),
    environment: EnvironmentRecord.parse(await readFile(context, model, 'environment.json')),
  };
}

/** Both models on the split's validation rows, which neither was fitted to. */
async function comparePredictions(request: {
  context: StageContext;
  split: Digest;
  models: readonly [Manifest, Manifest];
  admission: AdmissionRules | undefined;
}): Promise<Predictions> {
  const { context, models } = request;
  const [first, second] = [await predict(request, models[0]), await predict(request, models[1])];
  const difference = largestDifference(first, second);
  const [one, other] = models.map((model) => context.store.file(model, 'model.onnx').sha256);
  return {
    rows: first.length,
    max_difference: Number.isFinite(difference) ? difference : null,
    identical: one === other,
  };
}

async function predict(
  request: { context: StageContext; split: Digest; admission: AdmissionRules | undefined },
  model: Manifest,
): Promise<Float64Array> {
  const { context, split, admission } = request;
  const { store } = context;
  const signature = Signature.parse(await readFile(context, model, 'signature.json'));
  const engine = await context.engine();
  try {
    await engine.addFile('validation', await store.manifestFile(split, 'validation.parquet'), 'parquet');
    const { definition } = await recipeOfModel(store, model);
    const orderBy = identifier(definition.key);
    const { features, rows } = await readFeatureColumns({ engine, view: 'validation', signature, orderBy });
    const file = await store.localFile(store.file(model, 'model.onnx').sha256);
    const predictor = await loadPredictor({ file, signature, admission });
    try {
      return await predictor.predict(features, rows);
    } finally {
      await predictor.close();
    }
  } finally {
    await engine.close();
  }
}

function summaryOf(told: { compared: Reproduction; tolerance: number; predictions: Predictions }): string {
  const { compared, tolerance, predictions } = told;
  const rows = `${predictions.rows} validation rows`;
  const models = predictions.identical
    ? 'the two model files are identical'
    : predictions.max_difference === null
      ? `predictions of ${rows} cannot be compared`
      : `predictions of ${rows} differ by at most ${predictions.max_difference.toPrecision(3)}`;
  const fields = compared.differing.map((one) => one.field);
  const more = fields.length > 8 ? ` and ${fields.length - 8} more` : '';
  const differing = fields.length === 0 ? '' : `; differing: ${fields.slice(0, 8).join(', ')}${more}`;
  return compared.reproduced
    ? `Reproduced: ${compared.metrics.length} metrics agree within ${tolerance} of their value; ${models}${differing}.`
    : `Not reproducible within ${tolerance}${differing}; ${models}.`;
}
