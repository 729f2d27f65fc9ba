import { z } from 'zod';
import { defineCommand, type Project } from '../command.ts';
import { runStage } from '../define.ts';
import { exportModel, importModel } from '../export.ts';
import { gc } from '../gc.ts';
import { reconcile } from '../reconcile.ts';
import { parseModelName } from './environment.ts';
import { modelOf } from './registry.ts';

const gcCommand = defineCommand({
  name: 'registry gc',
  description:
    'Collects garbage in two calls: marks what nothing leads to; a later call removes what was marked for the grace.',
  positional: [],
  options: z.object({
    grace: z
      .string()
      .default('7d')
      .describe(
        'How long a mark stands before it is swept, and how long what was just written is left alone',
      ),
    cache_retention: z.string().default('30d').describe('How long a cached result keeps what it names'),
    dry_run: z.boolean().default(false).describe('Say what would happen, and change nothing'),
  }),
  examples: ['modelgate registry gc --dry-run', 'modelgate registry gc --grace 14d'],
  async run(options, project) {
    return runStage(gc, options, project.context);
  },
});

const reconcileCommand = defineCommand({
  name: 'registry reconcile',
  description:
    'Finds what serves without being recorded (a shadow model) and what should serve and does not; redoes what a crash left undone.',
  positional: ['model'],
  options: z.object({
    model: z
      .string()
      .optional()
      .describe('The model that should serve. Left out: the one of modelgate.yaml, or those that were seen'),
    observed: z
      .string()
      .optional()
      .describe(
        'JSON file of what was seen: [{where, environment, model, digest or version}]; model null where nothing serves',
      ),
  }),
  examples: ['modelgate registry reconcile', 'modelgate registry reconcile --observed seen.json --json'],
  async run(options, project) {
    const { model, servers } = await expected(project);
    return runStage(
      reconcile,
      {
        model: options.model === undefined ? model : parseModelName(options.model),
        servers,
        observed: options.observed ?? null,
      },
      project.context,
    );
  },
});

/** The configuration's model and servers; none where there is no configuration. */
async function expected(project: Project) {
  const loaded = await project.settings();
  if (loaded === null) return { model: null, servers: [] };
  const { model, environments } = loaded.config;
  const servers = environments.flatMap(({ name, serving = [] }) =>
    serving.map((url) => ({ environment: name, url })),
  );
  return { model, servers };
}

const model = z.string().optional().describe('The model. Left out: the one of modelgate.yaml');

const exportCommand = defineCommand({
  name: 'registry export',
  description:
    'Copies a model with its whole history to another store, verified on the way; a copy that stopped goes on.',
  positional: ['model'],
  options: z.object({ model, output: z.string().describe('Where to: a folder, or s3://bucket/prefix') }),
  examples: [
    'modelgate registry export flights-late --output backup',
    'modelgate registry export flights-late --output s3://models/flights',
  ],
  async run(options, project) {
    const input = { model: await modelOf(options.model, project), store: options.output };
    return runStage(exportModel, input, project.context);
  },
});

const importCommand = defineCommand({
  name: 'registry import',
  description:
    'Copies a model with its whole history from another store into this one; refuses to replace another history.',
  positional: ['model'],
  options: z.object({ model, input: z.string().describe('Where from: a folder, or s3://bucket/prefix') }),
  examples: ['modelgate registry import flights-late --input backup --store s3://models/flights'],
  async run(options, project) {
    const input = { model: await modelOf(options.model, project), store: options.input };
    return runStage(importModel, input, project.context);
  },
});

export const registryCareCommands = [gcCommand, reconcileCommand, exportCommand, importCommand];
