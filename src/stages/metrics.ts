import { randomUUID } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { hasCode, UserError } from '../errors.ts';
import { mapAtMost } from '../map-at-most.ts';
import { type KnownModel, pipelineMetrics } from '../monitoring/pipeline-metrics.ts';
import { readValidations } from '../monitoring/validation-log.ts';
import type { Registry } from '../registry/registry.ts';
import { metricsText } from '../report/metrics-text.ts';
import { defineStage } from './define.ts';

/** So many models are told of, by name; so many logs are read at once. */
const mostModels = 1000;
const atOnce = 16;

/** Exports how validations, gates and registrations ended, for a monitoring system. */
export const metrics = defineStage({
  name: 'metrics',
  description:
    'Exports how validations, gates, registrations and moves ended, of all models in the store, as metrics.',
  inputs: z.object({
    /** Absolute path; replaced whole. */
    output: z.string().min(1).max(4096),
    format: z.enum(['openmetrics', 'prometheus']),
  }),
  outputs: z.object({ file: z.string(), models: z.number().int(), samples: z.number().int() }),
  cache: false,
  async run({ output, format }, { store, registry, signal }) {
    const names = (await registry.models()).slice(0, mostModels);
    const models = await mapAtMost(names, atOnce, async (name) => {
      signal.throwIfAborted();
      return known(registry, name);
    });
    const families = pipelineMetrics(models, await readValidations(store.storage, null));
    await replaceFile(output, metricsText(families, format));
    const samples = families.reduce((sum, family) => sum + family.samples.length, 0);
    return {
      verdict: 'pass',
      reason_code: 'done',
      summary: `Wrote ${samples} samples of ${models.length} ${models.length === 1 ? 'model' : 'models'}.`,
      outputs: { file: output, models: models.length, samples },
    };
  },
});

/** A broken log is a sample of its own, and hides no other model. */
async function known(registry: Registry, model: string): Promise<KnownModel> {
  try {
    return { model, state: await registry.state(model) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { model, state: null };
  } finally {
    registry.forget(model);
  }
}

/** Whoever collects the file sees the old one or the new one, never a part. */
async function replaceFile(file: string, text: string): Promise<void> {
  const partial = `${file}.${randomUUID()}.partial`;
  try {
    await writeFile(partial, text, { flag: 'wx' });
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    if (!['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES', 'EPERM'].some((code) => hasCode(error, code))) throw error;
    throw new UserError({
      code: 'usage',
      message: 'The file with the metrics cannot be written.',
      where: file,
      fix: 'Give --output in a folder that is there and may be written to.',
      cause: error,
    });
  }
}
