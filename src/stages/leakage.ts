import { z } from 'zod';
import { findLeakage } from '../gate/leakage.ts';
import { formatCount } from '../gate/numbers.ts';
import { defineStage } from './define.ts';

const column = z.string().min(1).max(200);

/** Looks for rows of an evaluation set in a training set, in any two tables. */
export const leakage = defineStage({
  name: 'leakage',
  description:
    'Looks for rows of the evaluation set in the training set: equal, nearly equal, by key, by time.',
  inputs: z.object({
    /** Local Parquet or CSV files. */
    train: z.string().min(1),
    evaluation: z.string().min(1),
    key: column.nullable().default(null),
    time: column.nullable().default(null),
    /** Jaccard similarity from which a row is nearly another. */
    threshold: z.number().min(0.5).max(1).default(0.9),
    seed: z.number().int().nonnegative().default(0),
  }),
  outputs: z.object({
    rows: z.number(),
    train_rows: z.number(),
    columns: z.array(z.string()),
    exact: z.number(),
    near: z.number(),
    near_limited: z.number(),
    key: z.number().nullable(),
    temporal: z.number().nullable(),
    newest_train: z.string().nullable(),
    oldest_evaluation: z.string().nullable(),
    examples: z.array(
      z.object({
        kind: z.enum(['exact', 'near', 'key']),
        evaluation_row: z.number(),
        train_row: z.number(),
        key: z.string().nullable(),
        similarity: z.number().optional(),
      }),
    ),
  }),
  cache: false,
  async run(inputs, context) {
    const engine = await context.engine();
    try {
      await engine.addFile('train', inputs.train);
      await engine.addFile('evaluation', inputs.evaluation);
      const outputs = await findLeakage(engine, {
        train: 'train',
        evaluation: 'evaluation',
        key: inputs.key,
        time: inputs.time,
        threshold: inputs.threshold,
        seed: inputs.seed,
      });
      const { exact, near, key, temporal, rows } = outputs;
      const leaks = exact + (key ?? 0) + (temporal ?? 0);
      const counts = [
        `${formatCount(exact)} equal`,
        `${formatCount(near)} nearly equal`,
        key === null ? null : `${formatCount(key)} with a known key`,
        temporal === null ? null : `${formatCount(temporal)} not newer than the training rows`,
      ].filter((part) => part !== null);
      const unsure =
        outputs.near_limited > 0
          ? ` ${formatCount(outputs.near_limited)} rows are like so many training rows that not all were compared.`
          : '';
      return {
        verdict: leaks > 0 ? 'fail' : near > 0 ? 'inconclusive' : 'pass',
        reason_code: leaks + near > 0 ? 'evaluation_leak' : 'checks_passed',
        summary: `Of ${formatCount(rows)} rows of the evaluation set, the training set knows ${counts.join(', ')}.${unsure}`,
        outputs,
      };
    } finally {
      await engine.close();
    }
  },
});
