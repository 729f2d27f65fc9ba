import path from 'node:path';
import type { ActionName, eventActionNames } from '../../actions/names.ts';
import type { Place } from './trained.ts';
import type { World } from './world.ts';

/** A start that is measured: real work on a small repository. */
export interface Subject {
  /** What it does, as the table says it. */
  does: string;
  /** Milliseconds of wall time that are allowed, warm. */
  goal?: number;
  /** File in dist/, without .js; left out: the action's. */
  entry?: string;
  /** Left out: the repository with three versions. */
  place?: Place;
  inputs?: Record<string, string>;
  args?: string[];
  /** Variables of one run, made just before it. */
  variables?(): Promise<Record<string, string>>;
}

type Measured = ActionName | (typeof eventActionNames)[number] | 'stage';

/** A start for each folder of actions/. */
export const actionSubjects: Readonly<Record<Measured, (world: World) => Subject>> = {
  models: ({ before }) => ({ does: 'one model, one changed file', inputs: { 'changed-since': before } }),
  ingest: () => ({ does: '2,000 rows' }),
  validate: () => ({ does: 'with ingest' }),
  features: () => ({ does: 'with those' }),
  split: () => ({ does: 'with those' }),
  train: ({ trained }) => ({
    ...{ does: 'a script of no work, 12,000 rows of parity', place: trained.served },
    inputs: { config: 'candidate.yaml' },
  }),
  scan: () => ({ does: 'a scanner that answers at once', inputs: { config: 'scan.yaml' } }),
  evaluate: ({ trained }) => ({
    ...{ does: 'two models on 460 rows', place: trained.candidate },
    inputs: { config: 'candidate.yaml' },
  }),
  gate: ({ prepared: { evaluation } }) => ({ does: '2,000 rows', goal: 400, inputs: { evaluation } }),
  register: ({ prepared: { gate } }) => ({ does: 'a fourth version', inputs: { gate } }),
  promote: ({ prepared: { model } }) => ({
    ...{ does: 'to production', goal: 300, inputs: { model: `${model}@3`, to: 'production' } },
  }),
  rollback: ({ prepared: { model } }) => ({ does: 'in production', inputs: { model, in: 'production' } }),
  monitor: ({ trained, prepared: { model } }) => ({
    ...{ does: 'four weeks, 1,960 predictions', place: trained.served },
    inputs: { model, environment: 'production', since: '2024-02-11', until: '2024-03-10' },
  }),
  poll: ({ commented }) => ({ does: 'starts a run for new data', variables: commented }),
  run: ({ trained }) => ({
    ...{ does: 'from train to register', place: trained.served, inputs: { config: 'candidate.yaml' } },
  }),
  status: ({ prepared: { model } }) => ({ does: 'of one model', inputs: { model } }),
  verify: () => ({ does: 'eight entries' }),
  reconcile: () => ({ does: 'one server seen', inputs: { observed: 'observed.json' } }),
  site: ({ home }) => ({ does: 'pages of one model', inputs: { output: path.join(home, 'site') } }),
  authorize: (world) => ({
    does: 'a run that a comment started',
    inputs: { app: 'github-actions[bot]', model: world.prepared.model, environment: 'production' },
    variables: async () => {
      const env = await world.commented();
      await world.runAction(world.prepared, { entry: 'chatops', inputs: { wait: '0' }, env });
      return { ...env, GITHUB_RUN_ID: await world.github.lastRun() };
    },
  }),
  chatops: ({ commented }) => ({
    ...{ does: 'a comment that rolls back', inputs: { wait: '0' }, variables: commented },
  }),
  stage: ({ prepared: { model } }) => ({ does: 'status, by its name', inputs: { stage: 'status', model } }),
};

/** What else has a goal. */
export const commandSubjects: Readonly<Record<string, Subject>> = {
  drift: {
    ...{ does: 'two tables of 2,000 rows (command)', goal: 600, entry: 'command' },
    args: ['drift', '--reference', 'orders.csv', '--current', 'current.csv', '--json'],
  },
};
