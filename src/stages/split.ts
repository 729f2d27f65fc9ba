import { mkdtemp, rm } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { Split } from '../config/schema.ts';
import { FeatureColumn } from '../data/definition.ts';
import { asJson, putFiles } from '../data/manifests.ts';
import { splitTable } from '../data/split.ts';
import { Digest } from '../json.ts';
import { defineStage } from './define.ts';

/** Features → parts for training and validation that share no key. */
export const split = defineStage({
  name: 'split',
  description: 'Deals the rows to training and validation, the same way in every run and no key twice.',
  inputs: z.object({ features: Digest, split: Split }),
  outputs: z.object({ split: Digest, rows: z.record(z.string(), z.number().int()) }),
  cache: { version: 1 },
  async run(input, context) {
    const { store } = context;
    const manifest = await store.readManifest(input.features, 'features');
    const columns = z.array(FeatureColumn).parse(manifest.facts.columns);
    const file = await store.manifestFile(input.features, 'features.parquet');
    const folder = await mkdtemp(path.join(context.workDirectory, 'split-'));
    const engine = await context.engine();
    try {
      const parts = await splitTable({ engine, file, columns, split: input.split, folder });
      const files = Object.fromEntries(parts.map((part) => [`${part.name}.parquet`, part.file]));
      const rows = Object.fromEntries(parts.map((part) => [part.name, part.rows]));
      const digest = await store.putManifest({
        kind: 'split',
        files: await putFiles(store, files),
        inputs: { features: input.features },
        facts: {
          rows,
          columns,
          split: asJson(input.split),
          from: Object.fromEntries(parts.map((part) => [part.name, part.from])),
          until: Object.fromEntries(parts.map((part) => [part.name, part.until])),
        },
        producer: context.producer,
      });
      return {
        verdict: 'pass',
        reason_code: 'done',
        summary: `${parts.map((part) => `${part.rows} rows for ${part.name === 'train' ? 'training' : part.name}`).join(', ')}.`,
        outputs: { split: digest, rows },
      };
    } finally {
      await engine.close();
      await rm(folder, { recursive: true, force: true });
    }
  },
});
