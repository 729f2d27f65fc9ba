import { z } from 'zod';
import { defineCommand } from '../command.ts';
import { runStage } from '../define.ts';
import { drift } from '../drift.ts';
import { localFile } from './files.ts';

const driftCommand = defineCommand({
  name: 'drift',
  description:
    'Compares the distributions of two tables: what moved, by how much, and which segments carry it.',
  positional: [],
  options: z.object({
    reference: z.string().describe('The rows that are taken as normal: Parquet or CSV'),
    current: z.string().describe('The rows to judge: Parquet or CSV'),
    time: z.string().optional().describe('The column with the event time: rows of one block are alike'),
    block: z.enum(['day', 'week']).default('day').describe('What is permuted'),
    importance: z.string().optional().describe('A JSON file {column: importance}'),
    columns: z.string().optional().describe('Only these columns, separated by commas'),
    seed: z.number().int().nonnegative().default(0).describe('Seed of the permutations'),
  }),
  examples: [
    'modelgate drift --reference may.parquet --current june.parquet --time event_time',
    'modelgate drift --reference a.csv --current b.csv --json',
  ],
  async run(options, { context }) {
    return runStage(
      drift,
      {
        reference: await localFile(options.reference),
        current: await localFile(options.current),
        time: options.time ?? null,
        block: options.block,
        importance: options.importance === undefined ? null : await localFile(options.importance),
        columns: options.columns === undefined ? null : options.columns.split(',').map((name) => name.trim()),
        seed: options.seed,
      },
      context,
    );
  },
});

export const driftCommands = [driftCommand];
