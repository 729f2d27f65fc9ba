import { z } from 'zod';
import { Block, ColumnBlocks } from '../data/blocks.ts';
import { computeBlocks } from '../data/profile.ts';
import { summarize } from '../data/summary.ts';
import { UserError } from '../errors.ts';
import { defineStage } from './define.ts';

const Column = z.looseObject({ name: z.string(), type: z.string(), rows: z.number(), nulls: z.number() });

/** The blocks and the summary of a table. */
export const profile = defineStage({
  name: 'profile',
  description: 'Profiles a Parquet or CSV file: per column nulls, range, distribution, values, and by day.',
  inputs: z.object({
    file: z.string().min(1).max(4000),
    /** The column of event time; blocks are its days in UTC. */
    time: z.string().min(1).max(128).optional(),
  }),
  outputs: z.object({
    rows: z.number().int(),
    columns: z.array(Column),
    blocks: z.object({ days: z.array(Block), columns: z.array(ColumnBlocks) }),
  }),
  cache: false,
  async run({ file, time }, context) {
    const engine = await context.engine();
    try {
      await engine.addFile('batch', file);
      const names = (await engine.describe('SELECT * FROM batch')).map(({ name }) => name);
      if (time !== undefined && !names.includes(time)) {
        throw new UserError({
          code: 'usage',
          message: `The file has no column ${time}; it has ${names.slice(0, 50).join(', ')}.`,
          where: file,
          fix: 'Give one of these with --time.',
        });
      }
      const blocks = await computeBlocks({ engine, view: 'batch', time: time ?? null });
      const columns = summarize(blocks).map((column) => ({ ...column }));
      return {
        verdict: 'pass',
        reason_code: 'done',
        summary: `${blocks.rows} rows, ${columns.length} columns, ${blocks.blocks.length} blocks.`,
        outputs: { rows: blocks.rows, columns, blocks: { days: blocks.blocks, columns: blocks.columns } },
      };
    } finally {
      await engine.close();
    }
  },
});
