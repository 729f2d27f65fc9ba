import { z } from 'zod';
import { defineCommand } from '../command.ts';
import { runStage } from '../define.ts';
import { leakage } from '../leakage.ts';
import { localFile } from './files.ts';

const column = z.string().min(1).max(200);

const leakageCommand = defineCommand({
  name: 'leakage',
  description:
    'Counts rows of the evaluation set that stand in the training set: exactly, nearly, by key, by time.',
  positional: [],
  options: z.object({
    train: z.string().describe('The training rows: Parquet or CSV'),
    evaluation: z.string().describe('The evaluation rows: Parquet or CSV'),
    key: column.optional().describe('The column that identifies a row or a person in both'),
    time: column.optional().describe("The column with the row's time in both"),
  }),
  examples: ['modelgate leakage --train train.parquet --evaluation test.parquet --key id'],
  async run(options, { context }) {
    return runStage(
      leakage,
      {
        train: await localFile(options.train),
        evaluation: await localFile(options.evaluation),
        key: options.key ?? null,
        time: options.time ?? null,
        threshold: 0.9,
        seed: 0,
      },
      context,
    );
  },
});

export const leakageCommands = [leakageCommand];
