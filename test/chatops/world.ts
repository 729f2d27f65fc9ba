import type { ChatopsContext, CommandResult, IncomingComment } from '../../src/chatops/context.ts';
import { finishOperation } from '../../src/chatops/finish.ts';
import { handleComment } from '../../src/chatops/handle.ts';
import { mayDeploy } from '../../src/chatops/may-deploy.ts';
import { opIdOfRun } from '../../src/chatops/operations.ts';
import { ChatopsPolicy } from '../../src/chatops/policy.ts';
import { type ReplyRecord, readRecord } from '../../src/chatops/reply-record.ts';
import { Config } from '../../src/config/schema.ts';
import type { Digest } from '../../src/json.ts';
import { silentLogger } from '../../src/logger.ts';
import type { Verdict } from '../../src/outcome.ts';
import { register } from '../../src/registry/register.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { environmentOf } from '../../src/registry/state.ts';
import { promote, rollback } from '../../src/rollout/move.ts';
import { producer, storeRun } from '../registry/runs.ts';
import { Clock, openRegistry, temporaryFolder } from '../registry/world.ts';
import { MemoryGitHub } from './memory-github.ts';

export const model = 'flights-late';
export const sha = (letter: string) => letter.repeat(40);
export const pull = 7;

/** modelgate.yaml of the model. */
export const configuration = {
  schema: 'modelgate/1',
  model,
  data: { sources: { rows: { file: 'rows.csv' } } },
  features: { sql: 'features.sql', key: 'id', label: 'late' },
  split: { by: 'hash' },
  train: { script: 'train.py', requirements: 'requirements.lock', task: 'classification' },
  evaluation: { id: 'june', file: 'evaluation.parquet', sha256: 'e'.repeat(64) },
  gate: { metrics: [{ metric: 'auc', margin: 0.01 }] },
};

/** What the monitor uploads. */
const foundDrift = JSON.stringify({
  ...{ schema: 'modelgate.outcome/1', stage: 'monitor', reason_code: 'drift_found', summary: 'x' },
  verdict: 'inconclusive',
  inputs: { model, environment: 'production', since: '2026-02-15', until: '2026-03-01' },
  outputs: {
    ...{ version: 1, signals: [], actions: [], drift: 'd'.repeat(64) },
    alerts: [
      {
        ...{ cause: 'data_drift', fingerprint: `${model}/production/data_drift`, action: 'investigate' },
        ...{ title: 'distance moved by 12 miles', body: 'It moved.', reason: 'It matters.' },
      },
    ],
  },
});

export interface WorldOptions {
  policy?: object;
  environments?: object[];
}

/** A repository with one model, its registry on a file system, and GitHub in memory. */
export class World {
  readonly clock = new Clock('2026-03-01T12:00:00.000Z');
  readonly github = new MemoryGitHub(() => {
    this.clock.forward(10);
    return this.clock.now();
  });
  readonly registry: Registry = openRegistry(temporaryFolder(), this.clock.now);
  readonly context: ChatopsContext;
  readonly logged: string[] = [];

  constructor({ policy = {}, environments }: WorldOptions = {}) {
    const config = Config.parse({
      ...configuration,
      ...(environments === undefined ? {} : { environments }),
    });
    this.context = {
      github: this.github,
      models: new Map([[model, { file: 'modelgate.yaml', config, registry: this.registry }]]),
      policy: ChatopsPolicy.parse(policy),
      base: { branch: 'main', sha: this.github.base.sha },
      now: this.clock.now,
      logger: { ...silentLogger, info: (line) => this.logged.push(line) },
    };
    for (const [name, role] of [
      ['ann', 'admin'],
      ['max', 'maintain'],
      ['wil', 'write'],
      ['rea', 'read'],
      ['author', 'write'],
    ] as const) {
      this.github.roles.set(name, role);
    }
    this.open({ headSha: sha('1') });
  }

  /** The open pull request, as it should be. */
  open(change: { headSha: string }): void {
    this.github.pulls.set(pull, {
      ...{ number: pull, state: 'open', merged: false, draft: false, author: 'author', labels: [] },
      ...{ headRef: 'better', baseRef: 'main', fork: false, mergeCommit: null },
      ...change,
    });
    this.github.checks.set(change.headSha, { state: 'success', failed: [], pending: [] });
    this.github.reviewsOf.set(pull, [{ user: 'wil', state: 'approved', commit: change.headSha }]);
  }

  change(change: Partial<Parameters<World['github']['pulls']['set']>[1]>): void {
    const before = this.github.pulls.get(pull);
    if (before !== undefined) this.github.pulls.set(pull, { ...before, ...change });
  }

  /** Registers a candidate that was trained and judged at a commit, against what serves in production. */
  async candidate(
    commit: string,
    {
      verdict = 'pass',
      on_inconclusive = 'block',
      champion,
      run,
    }: { verdict?: Verdict; on_inconclusive?: string; champion?: Digest | null; run?: number } = {},
  ): Promise<{ version: number; manifest: Digest }> {
    const state = await this.registry.state(model);
    const made = { ...producer, commit, ...(run === undefined ? {} : { run: String(run) }) };
    const gate = await storeRun(this.registry.store, {
      seed: state.versions.length + 1,
      verdict,
      model: { producer: made },
      gate: {
        producer: made,
        facts: {
          verdict,
          on_inconclusive,
          metrics: { auc: 0.7 },
          reasons: ['AUC is as good.'],
          champion: champion === undefined ? environmentOf(state, 'production').manifest : champion,
        },
      },
    });
    const actor = { name: 'train', via: 'action' } as const;
    return register(this.registry, { model, gate, actor });
  }

  comment(author: string, body: string, number = pull): IncomingComment {
    const { id, createdAt } = this.github.write(number, author, body);
    return {
      ...{ id, body, author, createdAt, number, authorType: 'User', viaApp: false },
      isPullRequest: this.github.pulls.has(number),
    };
  }

  say(author: string, body: string, number = pull): Promise<CommandResult> {
    return this.handle(this.comment(author, body, number));
  }

  async handle(comment: IncomingComment): Promise<CommandResult> {
    const result = await handleComment(comment, this.context);
    if (result === null) throw new Error('no command');
    return result;
  }

  /** Looks for the end of what a command started. */
  end({ operation }: CommandResult): Promise<CommandResult | null> {
    const record = this.records().find(({ op_id }) => op_id === operation?.opId);
    const commentId = record?.comment ?? 0;
    return finishOperation(this.context, {
      number: this.github.threads.find(({ id }) => id === commentId)?.number ?? 0,
      commentId,
    });
  }

  /** A run of the monitor finds drift, and ends red. */
  drifts(run: number): void {
    this.github.files.set(run, { name: 'modelgate-monitor', text: foundDrift });
    this.github.complete(run, 'failure');
  }

  /** What the workflows do with each run that waits, protection rule included; then their end is told. */
  async work({ guarded = true }: { guarded?: boolean } = {}): Promise<void> {
    for (const run of this.github.workflowRuns.filter(({ status }) => status === 'queued').reverse()) {
      const conclusion = (await this.carryOut(run, guarded)) ? 'success' : 'failure';
      Object.assign(run, { status: 'completed', conclusion });
    }
    for (const record of this.records()) {
      await finishOperation(this.context, { number: this.threadOf(record), commentId: record.comment });
    }
  }

  /** The newest records of all replies, the oldest first. */
  records(): ReplyRecord[] {
    return this.github.threads
      .filter(({ ours }) => ours)
      .map(({ body }) => readRecord(body))
      .filter((record) => record !== null);
  }

  serving = async (environment: string): Promise<number | null> =>
    environmentOf(await this.registry.state(model), environment).version;

  private threadOf = (record: ReplyRecord): number =>
    this.github.threads.find(({ id }) => id === record.comment)?.number ?? 0;

  private async carryOut(
    { path, inputs, ...run }: MemoryGitHub['workflowRuns'][number],
    guarded: boolean,
  ): Promise<boolean> {
    const rollingBack = path.endsWith('rollback.yml');
    if (!rollingBack && !path.endsWith('promote.yml')) return true;
    const opId = opIdOfRun(run) ?? '';
    const { environment = '', requested_by = '' } = inputs;
    const { context } = this;
    if (guarded && !(await mayDeploy({ context, opId, environment })).allowed) return false;
    this.clock.forward(20_000);
    const common = {
      ...{ model, environment, op_id: opId, reason: inputs.reason ?? null, dry_run: false },
      environments: ['staging', 'production'],
      expected_generation: Number(inputs.expected_generation),
      actor: { name: requested_by, via: 'action' } as const,
    };
    try {
      const override = inputs.override === undefined ? null : { by: requested_by, reason: inputs.override };
      if (rollingBack)
        await rollback(this.registry, {
          ...common,
          to: Number(inputs.to),
          freeze: inputs.no_freeze !== 'true',
        });
      else
        await promote(this.registry, { ...common, version: Number(inputs.model?.split('@')[1]), override });
      return true;
    } catch {
      return false;
    }
  }
}

/** Everything that ends well: version 1 runs in both environments, and version 2 is the head's candidate. */
export async function ready(options: WorldOptions = {}): Promise<World & { digest: string }> {
  const world = new World(options);
  const first = await world.candidate(sha('0'));
  const move = { model, environments: ['staging', 'production'], version: first.version, op_id: null };
  const rest = { reason: null, dry_run: false, override: null, expected_generation: null };
  const actor = { name: 'ann', via: 'cli' } as const;
  for (const environment of ['staging', 'production'])
    await promote(world.registry, { ...move, ...rest, environment, actor });
  const { manifest } = await world.candidate(sha('1'));
  return Object.assign(world, { digest: manifest.slice(0, 12) });
}

/** Version 2 serves in both environments, after version 1. */
export async function released(options: WorldOptions = {}): Promise<World & { digest: string }> {
  const world = await ready(options);
  for (const line of ['/promote to staging', `/promote to production --confirm=${world.digest}`]) {
    await world.say('max', line);
    await world.work();
    world.clock.forward(2000);
  }
  return world;
}
