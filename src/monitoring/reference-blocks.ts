import { z } from 'zod';
import { Blocks, packBlocks } from '../data/blocks.ts';
import { identifier, type SqlEngine } from '../data/engine.ts';
import { computeBlocks } from '../data/profile.ts';
import type { Digest } from '../json.ts';
import type { Store } from '../store/store.ts';
import { keptJson } from './kept.ts';
import type { ModelReference } from './reference.ts';
import { clusterDay, declareInputs, eventTime, selectAnswer } from './served.ts';
import { type LeftOut, openPair } from './tables.ts';

/** What traffic is held against, as blocks by day, with the columns that are no distribution to compare. */
const ReferenceBlocks = z.object({
  schema: z.literal('modelgate.reference-blocks/1'),
  blocks: Blocks,
  left_out: z.array(
    z.object({
      name: z.string(),
      reason: z.enum(['excluded', 'identifier', 'calendar', 'time', 'unsupported_type']),
      detail: z.string(),
    }),
  ) satisfies z.ZodType<LeftOut[]>,
});
export type ReferenceBlocks = z.infer<typeof ReferenceBlocks>;

/** The view of the training rows as the model sees them. */
export const trainingInputs = 'training inputs';

/** Declares `trainingInputs` over the view `training`. */
export async function declareTraining(
  engine: SqlEngine,
  { inputs, time }: { inputs: ModelReference['inputs']; time: string | null },
): Promise<void> {
  await declareInputs(engine, { view: trainingInputs, source: 'training', inputs, time });
}

/** A model's training rows as blocks by day (one block without a time); read once for all checks. */
export function trainingBlocks(
  store: Store,
  engine: SqlEngine,
  { split, inputs, time }: Pick<ModelReference, 'split' | 'inputs'> & { time: string | null },
): Promise<ReferenceBlocks> {
  return keptJson(store, {
    key: { training: split, inputs: inputs.map(({ name, type }) => [name, type]), time },
    schema: ReferenceBlocks,
    pack: (value) => ({ ...value, blocks: packBlocks(value.blocks) }),
    make: async () => {
      await declareTraining(engine, { inputs, time });
      const relation = identifier(trainingInputs);
      const { leftOut } = await openPair(engine, {
        reference: relation,
        current: `(SELECT * FROM ${relation} WHERE FALSE)`,
        time: time === null ? undefined : eventTime,
        unit: 'day',
        exclude: [],
      });
      const blocks = await computeBlocks({
        engine,
        view: trainingInputs,
        time: time === null ? null : eventTime,
      });
      return { schema: 'modelgate.reference-blocks/1', blocks, left_out: leftOut };
    },
  });
}

/** The predictions that a version was gated on, as blocks by day; one block where its clusters are no days. */
export function evaluationBlocks(
  store: Store,
  engine: SqlEngine,
  { evaluation, threshold }: { evaluation: { digest: Digest; file: string }; threshold: number | null },
): Promise<Blocks> {
  return keptJson(store, {
    key: { evaluation: evaluation.digest, threshold },
    schema: Blocks,
    pack: packBlocks,
    make: async () => {
      await engine.addFile('evaluation', evaluation.file, 'parquet');
      const day = await clusterDay(engine, 'evaluation');
      await engine.execute(
        `CREATE OR REPLACE TEMP VIEW evaluation_predictions AS
         SELECT ${selectAnswer('candidate', threshold)}${day === null ? '' : `, ${day} AS ${identifier(eventTime)}`}
         FROM evaluation WHERE "candidate" IS NOT NULL`,
      );
      return computeBlocks({
        engine,
        view: 'evaluation_predictions',
        time: day === null ? null : eventTime,
      });
    },
  });
}
