import { z } from 'zod';
import { UserError } from '../../errors.ts';
import { Name } from '../../names.ts';
import { defineCommand, type Project } from '../command.ts';
import { runStage } from '../define.ts';
import { diff, parsePair } from '../diff.ts';
import { history } from '../history.ts';
import { probe } from '../probe.ts';
import { status } from '../status.ts';
import { statusAll } from '../status-all.ts';
import { verify } from '../verify.ts';
import { parseModelName } from './environment.ts';

/** The model that was named, else the configuration's. */
export async function modelOf(named: string | undefined, project: Project): Promise<string> {
  if (named !== undefined) return parseModelName(named);
  // where there is none at all, its refusal says so
  return ((await project.settings()) ?? (await project.config())).config.model;
}

const model = z.string().optional().describe('The model. Left out: the one of modelgate.yaml');

const statusCommand = defineCommand({
  name: 'status',
  description:
    'What runs where, since when, trained when on what, its metrics, what changed, what a rollback would restore.',
  positional: ['model'],
  options: z.object({
    model,
    in: Name.optional().describe('Of this environment alone'),
    may_be_new: z
      .boolean()
      .default(false)
      .describe('Take a model that is not registered yet for one of which nothing is deployed'),
    at: z.string().optional().describe('At a past moment, e.g. 2026-05-03T14:00Z. Left out: now'),
    all: z.boolean().default(false).describe('Every model in the store, by its log alone'),
  }),
  examples: [
    'modelgate status',
    'modelgate status flights-late --in production',
    'modelgate status flights-late --at 2026-05-03T14:00Z --json',
    'modelgate status --all',
  ],
  async run(options, project) {
    if (options.all) {
      const one = options.model ?? options.in;
      if (one === undefined) return runStage(statusAll, { at: options.at ?? null }, project.context);
      throw new UserError({
        code: 'usage',
        message: `--all is every model in every environment, and ${JSON.stringify(one)} names one.`,
        where: '--all',
        fix: 'Leave that out, or --all.',
      });
    }
    return runStage(
      status,
      {
        model: await modelOf(options.model, project),
        at: options.at ?? null,
        environment: options.in ?? null,
        may_be_new: options.may_be_new,
      },
      project.context,
    );
  },
});

const historyCommand = defineCommand({
  name: 'history',
  description: 'The log of a model: who did what, when and why.',
  positional: ['model'],
  options: z.object({
    model,
    last: z
      .number()
      .int()
      .min(1)
      .max(10_000)
      .default(10_000)
      .describe('So many entries, the newest ones; 10000 at most'),
    before: z
      .number()
      .int()
      .positive()
      .optional()
      .describe('Only entries before this number, to go further back'),
  }),
  examples: ['modelgate history flights-late', 'modelgate history flights-late --last 20 --json'],
  async run({ last, before = null, ...options }, project) {
    return runStage(history, { model: await modelOf(options.model, project), last, before }, project.context);
  },
});

const diffCommand = defineCommand({
  name: 'diff',
  description:
    'In what two versions differ: code, data, features, parameters, environment, metrics, behaviour.',
  positional: ['first', 'second', 'third'],
  options: z.object({
    first: z.string().describe('MODEL@A, or MODEL'),
    second: z.string().describe('MODEL@B, or the version A'),
    third: z.string().optional().describe('The version B, after MODEL A'),
  }),
  examples: ['modelgate diff flights-late@1 flights-late@2', 'modelgate diff flights-late 1 2 --json'],
  async run({ first, second, third }, project) {
    return runStage(diff, parsePair([first, second, third]), project.context);
  },
});

/** `5%` as a share of one. */
function parseSample(text: string | undefined, seed: number | undefined) {
  if (text === undefined) return null;
  const percent = Number(/^(\d{1,3}(?:\.\d{1,6})?)%$/.exec(text)?.[1]);
  if (percent > 0 && percent <= 100) {
    return { share: percent / 100, ...(seed === undefined ? {} : { seed }) };
  }
  throw new UserError({
    code: 'usage',
    message: `${JSON.stringify(text.slice(0, 40))} is not a share.`,
    where: '--read-data-sample',
    fix: 'Give a percentage above 0% and at most 100%, e.g. --read-data-sample 5%.',
  });
}

const verifyCommand = defineCommand({
  name: 'registry verify',
  description:
    'Proves the log and the objects it names: sound, damaged, unanchored, rolled back, forked or unreachable.',
  positional: [],
  options: z.object({
    read_data: z.boolean().default(false).describe('Read every object and compare its bytes with its digest'),
    read_data_sample: z
      .string()
      .optional()
      .describe('Read a part of the objects, e.g. 5%: another part each day, all of them in turn'),
    seed: z.number().int().nonnegative().optional().describe('Which part. Left out: the day decides'),
    anchor: z
      .array(z.string())
      .optional()
      .describe(
        'SEQ:HASH or MODEL:SEQ:HASH of an entry, kept outside of the store; may be given more than once',
      ),
    model,
  }),
  examples: [
    'modelgate registry verify',
    'modelgate registry verify --read-data --json',
    'modelgate registry verify --read-data-sample 5%',
  ],
  async run(options, project) {
    return runStage(
      verify,
      {
        model: options.model === undefined ? null : parseModelName(options.model),
        read_data: options.read_data,
        sample: parseSample(options.read_data_sample, options.seed),
        anchors: options.anchor ?? [],
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

export const registryCommands = [statusCommand, historyCommand, diffCommand, verifyCommand, probeCommand];
