import path from 'node:path';
import { z } from 'zod';
import { AdmissionRules } from '../evaluation/admission-policy.ts';
import { loadPredictor } from '../evaluation/onnxruntime.ts';
import { Digest } from '../json.ts';
import { Name } from '../names.ts';
import { readPackage } from '../serving/package.ts';
import { scoreFile } from '../serving/score.ts';
import { defineStage } from './define.ts';
import { nothingDeployed } from './deployed.ts';
import { trust } from './registry-inputs.ts';
import { pointerOf, requireNotFailed, requireTrust } from './serve.ts';

export const score = defineStage({
  name: 'score',
  description: 'Predicts every row of a Parquet or CSV file with what an environment runs.',
  inputs: z.object({
    model: Name,
    environment: Name,
    input: z.string().min(1).describe('A Parquet or CSV file with a column for each input of the model.'),
    output: z.string().min(1).describe('The .parquet or .csv file to write.'),
    keep: z.array(z.string().min(1).max(128)).default([]).describe('Columns to carry along, e.g. the key.'),
    trust,
    admission: AdmissionRules.optional().describe('What the project allows of model files.'),
  }),
  outputs: z.object({
    rows: z.number(),
    /** Of the whole of it: reading, predicting, writing. */
    rows_per_second: z.number(),
    output: z.string(),
    version: z.number(),
    model: Digest,
    generation: z.number(),
  }),
  cache: false,
  run: async ({ model, environment, input, output, keep, trust, admission }, context) => {
    const position = await pointerOf(context, model, environment).current();
    if (position === null) throw nothingDeployed({ model, environment });
    await requireNotFailed(context, { model, version: position.version, environment });
    const { modelFile, signature } = await readPackage(context.store, position.manifest);
    await requireTrust(context, { model, manifest: position.manifest, trust });
    const predictor = await loadPredictor({ file: modelFile, signature, admission });
    const engine = await context.engine();
    const started = performance.now();
    try {
      const { rows } = await scoreFile({
        engine,
        predictor,
        input: path.resolve(input),
        output: path.resolve(output),
        keep,
        workDirectory: path.join(context.workDirectory, 'score'),
        signal: context.signal,
      });
      const rows_per_second = Math.round(rows / ((performance.now() - started) / 1000));
      return {
        verdict: 'pass',
        reason_code: 'done',
        summary: `Version ${position.version} of ${model} predicted ${rows} rows, ${rows_per_second} a second.`,
        outputs: {
          rows,
          rows_per_second,
          output,
          version: position.version,
          model: position.manifest,
          generation: position.generation,
        },
      };
    } finally {
      await predictor.close();
      await engine.close();
    }
  },
});
