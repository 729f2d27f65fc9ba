import { z } from 'zod';
import { Name } from '../../names.ts';
import { defineCommand } from '../command.ts';
import { runStage } from '../define.ts';
import { doctor } from '../doctor.ts';
import { init } from '../init.ts';
import { setupFrom } from './github-setup.ts';
import { askFor } from './init-questions.ts';

const column = z.string().min(1).max(200);

const initCommand = defineCommand({
  name: 'init',
  description:
    'Makes a model repository of a folder with data: configuration, contract, feature SQL, training, gate, workflows. Overwrites nothing.',
  positional: [],
  options: z.object({
    data: z
      .string()
      .min(1)
      .max(500)
      .optional()
      .describe('The CSV or Parquet file with the rows. Left out: the likeliest'),
    label: column.optional().describe('The column to predict. Left out: a guess'),
    time: column.optional().describe('The column with the moment of prediction, or none. Left out: a guess'),
    key: column
      .optional()
      .describe('The column that names a row. Left out: a guess, or a key made of all columns'),
    task: z.enum(['classification', 'regression']).optional().describe("Left out: by the label's values"),
    model: Name.optional().describe('The name of the model. Left out: from file and label'),
    yes: z.boolean().default(false).describe('Ask nothing and take the guesses'),
    dry_run: z.boolean().default(false).describe('Say what would be written, and write nothing'),
  }),
  examples: [
    'modelgate init',
    'modelgate init --yes --label late --time placed_at',
    'modelgate init --dry-run --json',
  ],
  async run(
    { yes, data = null, label = null, time = null, key = null, task = null, model = null, dry_run },
    { context },
  ) {
    const given = { folder: process.cwd(), data, label, time, key, task, model, dry_run };
    const asks = !yes && process.stdin.isTTY === true && process.stdout.isTTY === true;
    const input = asks ? await askFor(given, context) : given;
    return runStage(init, input, context);
  },
});

const doctorCommand = defineCommand({
  name: 'doctor',
  description:
    'Says what the repository lacks for a pipeline that can be relied on, here and on GitHub, and its maturity level 0, 1 or 2. Changes nothing; the store is tried. GITHUB_TOKEN lets it look at GitHub.',
  positional: [],
  options: z.object({}),
  examples: ['modelgate doctor', 'GITHUB_TOKEN=... modelgate doctor --json'],
  async run(_, { config, context }) {
    const folder = process.cwd();
    const setup = await setupFrom(folder, process.env);
    return runStage(doctor({ setup, config }), { folder }, context);
  },
});

export const adoptionCommands = [initCommand, doctorCommand];
