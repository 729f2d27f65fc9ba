import path from 'node:path';
import { z } from 'zod';
import { defineCommand } from '../command.ts';
import { runStage } from '../define.ts';
import { site } from '../site.ts';
import { environmentsOf } from './environment.ts';

const siteCommand = defineCommand({
  name: 'site',
  description:
    'Writes the status of all models in the store as static pages: what runs where, gates, drift, delivery metrics.',
  positional: [],
  options: z.object({
    output: z.string().describe('The folder to write; pages of an earlier run there are replaced'),
    people: z
      .boolean()
      .default(false)
      .describe('Name who moved what, and the reasons given. Left out: pages are often public'),
  }),
  examples: ['modelgate site --output site', 'modelgate site --output site --people --json'],
  async run({ output, people }, project) {
    return runStage(
      site,
      { output: path.resolve(output), people, environments: await environmentsOf(project) },
      project.context,
    );
  },
});

export const siteCommands = [siteCommand];
