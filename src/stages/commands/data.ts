import { z } from 'zod';
import { check } from '../check.ts';
import { defineCommand } from '../command.ts';
import { runStage } from '../define.ts';
import { profile } from '../profile.ts';
import { localFile } from './files.ts';

const checkCommand = defineCommand({
  name: 'check',
  description: 'Checks a table against an Open Data Contract Standard contract.',
  positional: ['file'],
  options: z.object({
    file: z.string().describe('A Parquet or CSV file'),
    contract: z.string().describe('The contract'),
    as_of: z.string().optional().describe('Take this time as the present for freshness. Left out: now'),
  }),
  examples: ['modelgate check flights.parquet --contract contracts/flights.yaml'],
  async run(options, { context }) {
    const file = await localFile(options.file);
    const contract = await localFile(options.contract);
    return runStage(check, { file, contract, as_of: options.as_of ?? context.now().toISOString() }, context);
  },
});

const profileCommand = defineCommand({
  name: 'profile',
  description: 'The summary of a table: nulls, ranges, distinct values, distributions.',
  positional: ['file'],
  options: z.object({
    file: z.string().describe('A Parquet or CSV file'),
    time: z.string().optional().describe('The column with the event time: one block a day'),
  }),
  examples: ['modelgate profile flights.parquet --time time_hour --json'],
  async run(options, { context }) {
    return runStage(
      profile,
      { file: await localFile(options.file), ...(options.time === undefined ? {} : { time: options.time }) },
      context,
    );
  },
});

export const dataCommands = [checkCommand, profileCommand];
