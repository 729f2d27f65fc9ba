import { z } from 'zod';
import type { Blocks } from '../data/blocks.ts';
import { packBlocks, readPackedBlocks } from '../data/blocks-packed.ts';
import { isRecord } from '../data/blocks-parts.ts';
import { identifier, type SqlEngine } from '../data/engine.ts';
import { computeBlocks } from '../data/profile.ts';
import type { Digest } from '../json.ts';
import type { Store } from '../store/store.ts';
import { kept } from './kept.ts';
import type { ModelReference } from './reference.ts';
import { clusterDay, declareInputs, eventTime, selectAnswer } from './served.ts';
import { type LeftOut, openPair } from './tables.ts';

/** What traffic is held against, as blocks by day, with the columns that are no distribution to compare. */
export interface ReferenceBlocks {
  schema: typeof schema;
  blocks: Blocks;
  left_out: LeftOut[];
}

const schema = 'modelgate.reference-blocks/1';
const AllLeftOut = z.array(
  z.object({
    name: z.string(),
    reason: z.enum(['excluded', 'identifier', 'calendar', 'time', 'unsupported_type']),
    detail: z.string(),
  }),
) satisfies z.ZodType<LeftOut[]>;

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
  return kept(store, {
    key: { training: split, inputs: inputs.map(({ name, type }) => [name, type]), time },
    pack: (value, counts) => ({ ...value, blocks: packBlocks(value.blocks, counts) }),
    read: (value, counts) => {
      if (!isRecord(value) || value.schema !== schema) return null;
      const blocks = readPackedBlocks(value.blocks, counts);
      const leftOut = AllLeftOut.safeParse(value.left_out);
      return blocks === null || !leftOut.success ? null : { schema, blocks, left_out: leftOut.data };
    },
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
      return { schema, blocks, left_out: leftOut };
    },
  });
}

/** The predictions that a version was gated on, as blocks by day; one block where its clusters are no days. */
export function evaluationBlocks(
  store: Store,
  engine: SqlEngine,
  { evaluation, threshold }: { evaluation: { digest: Digest; file: string }; threshold: number | null },
): Promise<Blocks> {
  return kept(store, {
    key: { evaluation: evaluation.digest, threshold },
    pack: packBlocks,
    read: readPackedBlocks,
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
