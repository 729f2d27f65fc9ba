import type { Measured, MeasuredColumn } from '../../src/adoption/measure.ts';
import { readWorkflow, type Workflows } from '../../src/adoption/workflow-text.ts';
import type { RepositorySetup } from '../../src/github/repository-setup.ts';

/** A column of text with 50 values in 1,000 rows, but for what is said. */
export function column(name: string, changes: Partial<MeasuredColumn> = {}): MeasuredColumn {
  return {
    name,
    type: 'string',
    physicalType: 'VARCHAR',
    nulls: 0,
    null_rate: 0,
    nonfinite: 0,
    mean: null,
    sd: null,
    distinct: 50,
    min: null,
    max: null,
    values: null,
    time: null,
    personal: false,
    ...changes,
  };
}

export const number = (name: string, changes: Partial<MeasuredColumn> = {}): MeasuredColumn =>
  column(name, {
    type: 'number',
    physicalType: 'DOUBLE',
    distinct: 900,
    min: -3,
    max: 12,
    mean: 4,
    sd: 2,
    ...changes,
  });

export const flag = (name: string): MeasuredColumn =>
  column(name, { type: 'boolean', physicalType: 'BOOLEAN', distinct: 2 });

export const timestamp = (name: string): MeasuredColumn =>
  column(name, {
    type: 'timestamp',
    physicalType: 'TIMESTAMP',
    distinct: 1000,
    time: {
      first: '2025-01-01',
      last: '2025-04-10',
      days: 100,
      cut: '2025-03-22',
      before: 800,
      daysAfter: 20,
    },
  });

export const table = (...columns: MeasuredColumn[]): Measured => ({ rows: 1000, columns });
export const noWishes = { label: null, key: null, time: null, task: null };

/** An environment as it should be. */
export const guarded = (name: string) => ({
  name,
  reviewers: name === 'production',
  apps: [],
  branches: true,
});
/** Workflows by these texts. */
export const workflowsOf = (texts: Readonly<Record<string, string>>): Workflows =>
  new Map(Object.entries(texts).map(([name, text]) => [name, { text, read: readWorkflow(text) }]));

/** The runners that train, in a group as it should be. */
export const trainers = {
  name: 'trainers',
  workflows: ['train', 'release', 'sweep'].map(
    (name) => `acme/flights/.github/workflows/${name}.yml@refs/heads/main`,
  ),
  runners: [{ labels: ['self-hosted', 'linux', 'gpu'], online: true }],
};

/** A repository where all is as it should be, but for what is said. */
export function setup(changes: Partial<RepositorySetup> = {}): RepositorySetup {
  return {
    repository: { owner: 'acme', repo: 'flights' },
    about: async () => ({ branch: 'main', open: false, organization: true }),
    token: async () => ({ kind: 'oauth', scopes: ['repo', 'read:org'] }),
    requiredChecks: async () => [
      { name: 'tests', app: null },
      { name: 'modelgate/gate (flights)', app: 7 },
    ],
    environments: async () => ['candidates', 'staging', 'production', 'monitor'].map(guarded),
    variables: async () => variables(),
    runners: async () => [],
    runnerGroups: async () => [trainers],
    jobs: async () => [],
    workflowPermissions: async () => ({ writes: false, approves: false }),
    actions: async () => ({ enabled: true, allowed: 'all', selected: null, pinned: false }),
    offeredRules: async () => ['acme-modelgate'],
    toldApps: async () => ['github-actions', 'acme-modelgate'],
    hasLabel: async () => true,
    schedule: async () => ({ active: true, lastRun: '2026-03-01T05:17:00Z', skipped: false }),
    ...changes,
  };
}

/** Those of a repository with the app, but for these. */
export const variables = (changes: Readonly<Record<string, string | null>> = {}) =>
  new Map(
    Object.entries({
      ...{ MODELGATE_STORE: 's3://models/secret', MODELGATE_REGION: 'eu-central-1' },
      ...{ MODELGATE_BOT: 'acme-modelgate[bot]', ...changes },
    }).flatMap(([name, value]) => (value === null ? [] : [[name, value] as const])),
  );
