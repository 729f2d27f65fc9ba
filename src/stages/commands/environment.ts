import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { UserError } from '../../errors.ts';
import { Digest } from '../../json.ts';
import { Name } from '../../names.ts';
import { defineCommand, type Project } from '../command.ts';
import { runStage } from '../define.ts';
import { lock } from '../lock.ts';
import { promote } from '../promote.ts';
import { retire } from '../retire.ts';
import { rollback } from '../rollback.ts';
import { unlock } from '../unlock.ts';

const expected_generation = z
  .number()
  .int()
  .nonnegative()
  .optional()
  .describe(
    'Refuse when the environment has moved since: the generation that you looked at (0: nothing served)',
  );
const op_id = z
  .string()
  .max(128)
  .optional()
  .describe('Names this operation, so that repeating it is safe. Left out: a new one');
const digest = Digest.optional().describe(
  'Refuse another package than this one, by its digest; 64 hexadecimal characters',
);
const reason = z.string().max(1000).optional().describe('Why, for the log');
const dry_run = z.boolean().default(false).describe('Say what would happen, and change nothing');
const model = z.string().describe('The model');

/** `MODEL` or `MODEL@VERSION`. */
export function parseModel(text: string): { model: string; version: number | null } {
  const [name = '', number, ...more] = text.split('@');
  const version = number === undefined ? null : Number(number.replace(/^v/, ''));
  if (
    !Name.safeParse(name).success ||
    more.length > 0 ||
    (version !== null && !(Number.isSafeInteger(version) && version > 0))
  ) {
    throw new UserError({
      code: 'usage',
      message: `${JSON.stringify(text)} names no model.`,
      fix: 'Give MODEL or MODEL@VERSION, e.g. flights-late@3.',
    });
  }
  return { model: name, version };
}

/** `MODEL`, where a version would be ignored: it is refused, so that nobody thinks that it was heard. */
export function parseModelName(text: string): string {
  const { model, version } = parseModel(text);
  if (version === null) return model;
  throw new UserError({
    code: 'usage',
    message: `${JSON.stringify(text)} names a version, which this command does not take after @.`,
    where: 'MODEL',
    fix: `Give ${model} alone; rollback takes a version by --to ${version}.`,
  });
}

/** The environments' order: from the configuration, or the usual two where there is none. */
export async function environmentsOf(project: Project): Promise<string[]> {
  const loaded = await project.settings();
  return loaded?.config.environments.map(({ name }) => name) ?? ['staging', 'production'];
}

/** Who may do what in an environment, and whom it believes, from the configuration; without one nobody may override. */
export async function rulesOf(project: Project, environment: string) {
  const none = { approval: false, approvers: null, overriders: [], trust: undefined };
  const found = (await project.settings())?.config.environments.find(({ name }) => name === environment);
  if (found === undefined) return none;
  const { approval, approvers = null, override = [], signature, provenance } = found;
  const trust = signature === undefined && provenance === undefined ? undefined : { signature, provenance };
  return { approval, approvers, overriders: override, trust };
}

/** What the project allows of model files; undefined without a configuration: the default. */
export async function admissionOf(project: Project) {
  return (await project.settings())?.config.train.admission;
}

const promoteCommand = defineCommand({
  name: 'promote',
  description: 'Moves a version that passed its gate into an environment, in the order of environments.',
  positional: ['model'],
  options: z.object({
    model: z.string().describe('MODEL or MODEL@VERSION; without a version, the newest that passed'),
    to: Name.describe('The environment'),
    expected_generation,
    op_id,
    digest,
    reason,
    override: z
      .string()
      .max(1000)
      .optional()
      .describe('Promote a version with an inconclusive verdict, with this reason; recorded and counted'),
    dry_run,
  }),
  examples: [
    'modelgate promote flights-late@2 --to staging',
    'modelgate promote flights-late --to production --dry-run',
  ],
  async run(options, project) {
    const { context } = project;
    const { approval, overriders, trust } = await rulesOf(project, options.to);
    return runStage(
      promote,
      {
        approval,
        overriders,
        trust,
        ...parseModel(options.model),
        environment: options.to,
        environments: await environmentsOf(project),
        expected_generation: options.expected_generation ?? null,
        op_id: options.op_id ?? randomUUID(),
        digest: options.digest ?? null,
        reason: options.reason ?? null,
        dry_run: options.dry_run,
        override:
          options.override === undefined ? null : { by: context.actor.name, reason: options.override },
      },
      context,
    );
  },
});

const rollbackCommand = defineCommand({
  name: 'rollback',
  description:
    'Puts the last healthy version of an environment back; skips the gate, never the digest check.',
  positional: ['model'],
  options: z.object({
    model: z.string().describe('MODEL'),
    in: Name.describe('The environment'),
    to: z
      .number()
      .int()
      .positive()
      .optional()
      .describe('A version that served there before. Left out: the one before'),
    expected_generation,
    op_id,
    digest,
    reason,
    no_freeze: z
      .boolean()
      .default(false)
      .describe('Let what is left be promoted there again, where it is not at fault; needs a reason'),
    dry_run,
  }),
  examples: [
    'modelgate rollback flights-late --in production',
    'modelgate rollback flights-late --in production --to 2',
    'modelgate rollback flights-late --in production --no-freeze --reason "the feed was late, not the model"',
  ],
  async run(options, project) {
    return runStage(
      rollback,
      {
        model: parseModelName(options.model),
        environment: options.in,
        environments: await environmentsOf(project),
        trust: (await rulesOf(project, options.in)).trust,
        version: options.to ?? null,
        expected_generation: options.expected_generation ?? null,
        op_id: options.op_id ?? randomUUID(),
        digest: options.digest ?? null,
        reason: options.reason ?? null,
        freeze: !options.no_freeze,
        dry_run: options.dry_run,
      },
      project.context,
    );
  },
});

const lockCommand = defineCommand({
  name: 'lock',
  description: 'Keeps an environment as it is: nobody else can promote into it.',
  positional: ['model'],
  options: z.object({
    model,
    in: Name.describe('The environment'),
    reason: z.string().min(1).max(1000).describe('Why, for whoever is stopped by it'),
    ttl: z.string().default('8h').describe('How long at most: a number and s, m, h or d'),
    op_id,
  }),
  examples: ['modelgate lock flights-late --in production --reason "audit" --ttl 2h'],
  async run(options, project) {
    return runStage(
      lock,
      {
        model: parseModelName(options.model),
        environment: options.in,
        environments: await environmentsOf(project),
        reason: options.reason,
        ttl: options.ttl,
        op_id: options.op_id ?? randomUUID(),
      },
      project.context,
    );
  },
});

const unlockCommand = defineCommand({
  name: 'unlock',
  description: 'Gives a lock back.',
  positional: ['model'],
  options: z.object({
    model,
    in: Name.describe('The environment'),
    force: z.boolean().default(false).describe("Take somebody else's lock away; needs --reason"),
    reason,
    op_id,
  }),
  examples: ['modelgate unlock flights-late --in production'],
  async run(options, project) {
    return runStage(
      unlock,
      {
        model: parseModelName(options.model),
        environment: options.in,
        environments: await environmentsOf(project),
        force: options.force,
        reason: options.reason ?? null,
        op_id: options.op_id ?? randomUUID(),
      },
      project.context,
    );
  },
});

const retireCommand = defineCommand({
  name: 'retire',
  description: 'Takes a version out of use for good: it can never be promoted again.',
  positional: ['model'],
  options: z.object({ model: z.string().describe('MODEL@VERSION'), reason, op_id }),
  examples: ['modelgate retire flights-late@1 --reason "trained on wrong labels"'],
  async run(options, project) {
    const named = parseModel(options.model);
    if (named.version === null) {
      throw new UserError({
        code: 'usage',
        message: 'A version is needed.',
        fix: 'Give MODEL@VERSION, e.g. flights-late@1.',
      });
    }
    return runStage(
      retire,
      {
        model: named.model,
        version: named.version,
        reason: options.reason ?? null,
        op_id: options.op_id ?? randomUUID(),
      },
      project.context,
    );
  },
});

export const environmentCommands = [
  promoteCommand,
  rollbackCommand,
  lockCommand,
  unlockCommand,
  retireCommand,
];
