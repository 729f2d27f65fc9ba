import { z } from 'zod';
import { defineCommand, type Project } from '../command.ts';
import { runStage } from '../define.ts';
import { history } from '../history.ts';
import { probe } from '../probe.ts';
import { status } from '../status.ts';
import { verify } from '../verify.ts';
import { parseModelName } from './environment.ts';

/** The model that was named, else the configuration's. */
export async function modelOf(named: string | undefined, project: Project): Promise<string> {
  return named === undefined ? (await project.config()).config.model : parseModelName(named);
}

const model = z.string().optional().describe('The model. Left out: the one of modelgate.yaml');

const statusCommand = defineCommand({
  name: 'status',
  description:
    'What runs where, since when, trained when on what, its metrics, what changed, what a rollback would restore.',
  positional: ['model'],
  options: z.object({
    model,
    at: z.string().optional().describe('At a past moment, e.g. 2026-05-03T14:00Z. Left out: now'),
  }),
  examples: ['modelgate status', 'modelgate status flights-late --at 2026-05-03T14:00Z --json'],
  async run(options, project) {
    return runStage(
      status,
      { model: await modelOf(options.model, project), at: options.at ?? null },
      project.context,
    );
  },
});

const historyCommand = defineCommand({
  name: 'history',
  description: 'The log of a model: who did what, when and why.',
  positional: ['model'],
  options: z.object({ model }),
  examples: ['modelgate history flights-late'],
  async run(options, project) {
    return runStage(history, { model: await modelOf(options.model, project) }, project.context);
  },
});

const verifyCommand = defineCommand({
  name: 'registry verify',
  description:
    'Proves the log and the objects it names: sound, damaged, unanchored, rolled back, forked or unreachable.',
  positional: [],
  options: z.object({
    read_data: z.boolean().default(false).describe('Read every object and compare its bytes with its digest'),
    anchor: z.string().optional().describe('SEQ:HASH of an entry, kept outside of the store'),
    model,
  }),
  examples: ['modelgate registry verify', 'modelgate registry verify --read-data --json'],
  async run(options, project) {
    return runStage(
      verify,
      {
        model: options.model === undefined ? null : parseModelName(options.model),
        read_data: options.read_data,
        anchor: options.anchor ?? null,
      },
      project.context,
    );
  },
});

const probeCommand = defineCommand({
  name: 'registry probe',
  description:
    'Tries what the registry needs of the store: conditional create, races, read after write. Refuses one that cannot.',
  positional: [],
  options: z.object({}),
  examples: ['modelgate registry probe', 'modelgate registry probe --store s3://models/flights'],
  async run(_options, project) {
    return runStage(probe, {}, project.context);
  },
});

export const registryCommands = [statusCommand, historyCommand, verifyCommand, probeCommand];
