import path from 'node:path';
import { z } from 'zod';
import { maturity, missing, ok, type SetupCheck } from '../adoption/check.ts';
import { configChecks, configProblem } from '../adoption/config-checks.ts';
import { gitFacts } from '../adoption/git.ts';
import { githubChecks, githubUnseen } from '../adoption/github-checks.ts';
import { registryChecks } from '../adoption/registry-checks.ts';
import { repositoryWorkflows } from '../adoption/repository-workflows.ts';
import { otherSchedules, ownersCheck, workflowChecks } from '../adoption/workflow-checks.ts';
import { driftLabel } from '../chatops/drift/keep-alarm.ts';
import { schedulesOf } from '../chatops/drift/schedules.ts';
import { ChatopsPolicy } from '../chatops/policy.ts';
import type { Loaded } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { UserError } from '../errors.ts';
import { GitHubUnavailable } from '../github/port.ts';
import type { RepositorySetup } from '../github/repository-setup.ts';
import { defineStage, type StageContext } from './define.ts';
import { modelsOf } from './doctor-models.ts';
import { probe } from './probe.ts';

const Level = z.union([z.literal(0), z.literal(1), z.literal(2)]);

const DoctorInput = z.object({
  /** The repository's root. */
  folder: z.string().min(1).max(4000),
});

interface Patient {
  setup: RepositorySetup | null;
  config(): Promise<Loaded>;
}

/**
 * Says what a model repository lacks, and the maturity level that it has reached.
 *
 * @param setup how the repository is set up on GitHub; null where it cannot be asked
 * @param config reads the configuration
 */
export const doctor = ({ setup, config }: Patient) =>
  defineStage({
    name: 'doctor',
    description:
      'Says what is missing for a pipeline that can be relied on, and the maturity level 0, 1 or 2.',
    inputs: DoctorInput,
    outputs: z.object({
      checks: z.array(
        z.object({
          check: z.string(),
          level: Level,
          verdict: z.enum(['ok', 'warn', 'missing']),
          looked: z.boolean(),
          needed: z.boolean(),
          detail: z.string(),
          fix: z.string().nullable(),
        }),
      ),
      level: Level,
      /** The level if all is well that nobody could look at. */
      possible_level: Level,
    }),
    cache: false,
    async run(input, context) {
      const found = await allChecks(input.folder, { setup, config, context });
      const checks = found.toSorted((a, b) => a.level - b.level);
      const { level, possible } = maturity(checks);
      const lacking = checks.filter(({ verdict, needed }) => verdict === 'missing' && needed);
      const unseen = checks.filter(({ looked }) => !looked).length;
      const told = [
        `Maturity level ${level}${possible > level ? ` (${possible} if all is well that could not be looked at)` : ''}.`,
        `${checks.filter(({ verdict }) => verdict === 'ok').length} of ${checks.length} checks are ok${unseen === 0 ? '' : `, ${unseen} could not be made`}.`,
        ...(lacking.length === 0
          ? []
          : [`Needed and missing: ${lacking.map(({ check }) => check).join(', ')}.`]),
      ];
      return {
        verdict: lacking.length === 0 ? 'pass' : 'fail',
        reason_code: lacking.length === 0 ? 'checks_passed' : 'setup_incomplete',
        summary: told.join(' '),
        outputs: { checks, level, possible_level: possible },
      };
    },
  });

async function allChecks(
  folder: string,
  { setup, config: read, context }: Patient & { context: StageContext },
): Promise<SetupCheck[]> {
  const loaded = await orUserError(read);
  const config = loaded instanceof UserError ? null : loaded.config;
  const chatops = config?.chatops ?? ChatopsPolicy.parse({});
  const { branch } = await gitFacts(folder);
  const environments = config?.environments.map(({ name }) => name) ?? ['staging', 'production'];
  const schedules = schedulesOf(chatops);
  const watched = schedules.map(({ workflow }) => workflow);
  const workflows = await repositoryWorkflows(folder, chatops.workflows);
  return [
    ...(loaded instanceof UserError
      ? [configProblem(loaded)]
      : [
          ok(
            { check: 'config', level: 0, needed: true },
            `${path.basename(loaded.files.at(-1) ?? 'modelgate.yaml')} is valid.`,
          ),
          ...(await configChecks(loaded)),
        ]),
    ...(await storeChecks(config, { context, environments })),
    ...(await workflowChecks(workflows, { branch, names: chatops.workflows })),
    await ownersCheck(folder),
    ...(await askGitHub(setup, {
      ...{ environments, workflows, schedules },
      models: loaded instanceof UserError ? [] : await modelsOf(folder, loaded),
      others: otherSchedules(workflows, { names: chatops.workflows, watched }),
      label: driftLabel,
      now: context.now(),
    })),
  ];
}

async function orUserError<T>(read: () => Promise<T>): Promise<T | UserError> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

async function storeChecks(
  config: Config | null,
  { context, environments }: { context: StageContext; environments: readonly string[] },
): Promise<SetupCheck[]> {
  const { registry } = context;
  const of = { check: 'store', level: 0, needed: true } as const;
  try {
    const { verdict, summary } = await probe.run({}, context);
    if (verdict !== 'pass') {
      return [
        missing(
          of,
          summary,
          'Choose a store with conditional writes: a local folder, or S3 that knows If-None-Match.',
        ),
      ];
    }
    const found = ok(of, summary);
    if (config === null) return [found];
    const state = await registry.state(config.model);
    return [found, ...registryChecks(state, { environments, now: context.now() })];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return [missing(of, error.message, error.fix)];
  }
}

async function askGitHub(
  setup: RepositorySetup | null,
  request: Parameters<typeof githubChecks>[1],
): Promise<SetupCheck[]> {
  if (setup === null) {
    return githubUnseen(
      'there is no token, or no repository on GitHub',
      'Set GITHUB_TOKEN (and GITHUB_REPOSITORY where the remote origin does not say it).',
    );
  }
  try {
    return await githubChecks(setup, request);
  } catch (error) {
    if (!(error instanceof UserError) && !(error instanceof GitHubUnavailable)) throw error;
    const fix = error instanceof UserError ? error.fix : 'Try again later.';
    return githubUnseen(`GitHub: ${error.message.replace(/\.$/, '')}`, fix);
  }
}
