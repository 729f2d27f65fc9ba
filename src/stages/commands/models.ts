import { z } from 'zod';
import { Name } from '../../names.ts';
import { defineCommand } from '../command.ts';
import { runStage } from '../define.ts';
import { models } from '../models.ts';

/** What GitHub gives for the commit before the first push of a branch. */
const noCommit = /^0*$/;

const modelsCommand = defineCommand({
  name: 'models',
  description:
    'Finds the models of a repository by their configurations, and which of them a change touches.',
  positional: [],
  options: z.object({
    changed_since: z
      .string()
      .max(500)
      .default('')
      .describe(
        'Only models that are touched by what HEAD has beyond this commit. Left out, or zeros: every model',
      ),
    config_files: z
      .string()
      .max(20_000)
      .default('**/modelgate.yaml')
      .describe(
        "Configurations from the repository's root, separated by commas; * and ** are patterns. Names that end in .sample.yaml are no models",
      ),
    model: Name.optional().describe('This model alone, where it is touched'),
    batch: z
      .string()
      .regex(/^[1-9]\d?\/[1-9]\d?$/, 'expected a part and the number of parts, e.g. 1/2')
      .refine((text) => Number(text.split('/')[0]) <= Number(text.split('/')[1]), 'the part is past the last')
      .default('1/1')
      .describe('A part of them, where there are more than GitHub takes in one matrix (256), e.g. 1/2'),
  }),
  examples: [
    'modelgate models',
    'modelgate models --changed-since origin/main --json',
    "modelgate models --config-files 'models/*/modelgate.yaml,legacy/churn.yaml' --batch 1/2",
  ],
  async run({ changed_since, config_files, model = null, batch }, { context }) {
    const [number, of] = batch.split('/').map(Number) as [number, number];
    const input = {
      ...{ folder: process.cwd(), model, batch: { number, of } },
      changed_since: noCommit.test(changed_since) ? null : changed_since,
      config_files: config_files
        .split(',')
        .map((one) => one.trim())
        .filter((one) => one !== ''),
    };
    return runStage(models, input, context);
  },
});

export const modelsCommands = [modelsCommand];
