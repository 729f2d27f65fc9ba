import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { getOctokit } from '@actions/github';
import type { ChatopsContext } from '../../../src/chatops/context.ts';
import { onMonitorRun } from '../../../src/chatops/drift/on-monitor-run.ts';
import { readState } from '../../../src/chatops/drift/state.ts';
import { ChatopsPolicy } from '../../../src/chatops/policy.ts';
import { Config } from '../../../src/config/schema.ts';
import { octokitGitHub } from '../../../src/github/octokit.ts';
import type { GitHub, Issue } from '../../../src/github/port.ts';
import { silentLogger } from '../../../src/logger.ts';
import { Cause } from '../../../src/monitoring/runbook.ts';
import { type Alert, plainSignal, type Signal } from '../../../src/monitoring/signal.ts';
import type { FakeRepository } from '../../github/fake/repository.ts';
import type { FakeRun } from '../../github/fake/runs.ts';
import { FakeGitHubServer } from '../../github/fake/server.ts';
import { Clock, openRegistry, temporaryFolder } from '../../registry/world.ts';

export const model = 'flights-late';
const templates = path.join(import.meta.dirname, '../../../workflows-templates');

export const configText = `# the model of late flights
schema: modelgate/1
model: ${model}
data:
  sources: { rows: { file: rows.csv } }
  window:
    from: '2025-01-01'
    until: '2025-12-01' # moved by hand or by an alarm
features: { sql: features.sql, key: id, label: late }
split: { by: hash }
train: { script: train.py, requirements: requirements.lock, task: classification }
evaluation: { id: june, file: evaluation.parquet, sha256: ${'e'.repeat(64)} }
gate: { metrics: [{ metric: auc, margin: 0.01 }] }
`;
const configuration = {
  schema: 'modelgate/1',
  model,
  data: { sources: { rows: { file: 'rows.csv' } }, window: { from: '2025-01-01', until: '2025-12-01' } },
  features: { sql: 'features.sql', key: 'id', label: 'late' },
  split: { by: 'hash' },
  train: { script: 'train.py', requirements: 'requirements.lock', task: 'classification' },
  evaluation: { id: 'june', file: 'evaluation.parquet', sha256: 'e'.repeat(64) },
  gate: { metrics: [{ metric: 'auc', margin: 0.01 }] },
};

export interface Told {
  /** Causes that alarm, with what their runbook asks for. */
  alerts?: Partial<Record<Alert['cause'], Alert['action']>>;
  /** Causes where something of little importance moved. */
  logged?: Alert['cause'][];
  /** Causes that could not be judged. */
  unknown?: Alert['cause'][];
  title?: string;
  body?: string;
}

const causes = [...Cause.options, 'service'] as const;

/** The monitor's outcome, as its action uploads it. */
export function outcome({ alerts = {}, logged = [], unknown = [], title, body }: Told = {}): string {
  const signals: Signal[] = causes.map((signal) => ({
    ...plainSignal,
    ...{ signal, name: 'distance', summary: `${signal} of distance` },
    verdict:
      alerts[signal] !== undefined
        ? 'alert'
        : logged.includes(signal)
          ? 'logged'
          : unknown.includes(signal)
            ? 'not_enough_data'
            : 'ok',
  }));
  const told: Alert[] = Object.entries(alerts).map(([cause, action]) => {
    const fingerprint = `${model}/production/${cause}`;
    return {
      ...{ cause: cause as Alert['cause'], fingerprint, action },
      title: title ?? `${model} in production: distance moved`,
      body: `<!-- modelgate:alert ${fingerprint} -->\n\n${body ?? 'Distance moved by 12 miles.'}\n\n### Runbook \`drift\`\n\n- [x] schema **yes**`,
      reason: 'A moved feature is in the top quartile by importance.',
    };
  });
  const actions = logged.map((cause) => ({
    ...{ action: 'review', reason: 'Only features of little importance moved.', cause, name: 'distance' },
    due: '2026-03-08',
  }));
  return JSON.stringify({
    ...{ schema: 'modelgate.outcome/1', stage: 'monitor', reason_code: 'drift_found', summary: 'x' },
    verdict: told.length > 0 ? 'inconclusive' : 'pass',
    inputs: { model, environment: 'production', since: '2026-02-28', until: '2026-03-01', policy: {} },
    outputs: { version: 1, rows: 5000, signals, alerts: told, actions, drifted: [], drift: 'd'.repeat(64) },
    ...{ timings: { total: 1 }, trace_id: 't', cached: false },
  });
}

/** A repository with a monitor, on a GitHub that a test controls. */
export class DriftWorld implements AsyncDisposable {
  readonly clock: Clock;
  readonly server: FakeGitHubServer;
  readonly repository: FakeRepository;
  readonly context: ChatopsContext;

  private constructor(parts: Pick<DriftWorld, 'clock' | 'server' | 'repository' | 'context'>) {
    this.clock = parts.clock;
    this.server = parts.server;
    this.repository = parts.repository;
    this.context = parts.context;
  }

  static async open(policy: object = {}): Promise<DriftWorld> {
    const clock = new Clock('2026-03-01T06:00:00.000Z');
    const server = await FakeGitHubServer.start({ now: clock.now });
    const files: Record<string, string> = { 'modelgate.yaml': configText };
    for (const name of ['monitor.yml', 'train.yml']) {
      files[`.github/workflows/${name}`] = await readFile(path.join(templates, name), 'utf8');
    }
    const repository = server.repository('acme/flights', { files });
    repository.collaborator('ann', 'maintain');
    const registry = openRegistry(temporaryFolder(), clock.now);
    const config = Config.parse(configuration);
    return new DriftWorld({
      ...{ clock, server, repository },
      context: {
        github: DriftWorld.client(server, clock),
        models: new Map([[model, { file: 'modelgate.yaml', config, registry }]]),
        policy: ChatopsPolicy.parse(policy),
        base: { branch: 'main', sha: repository.head('main') },
        now: clock.now,
        logger: silentLogger,
      },
    });
  }

  /** One process of the bot. */
  private static client(server: FakeGitHubServer, clock: Clock): GitHub {
    const token = server.installationToken('acme');
    // the clock goes by days here
    server.tokens.get(token)!.expiresAt = Number.POSITIVE_INFINITY;
    return octokitGitHub({
      client: getOctokit(token, { baseUrl: server.url }),
      repository: { owner: 'acme', repo: 'flights' },
      appSlug: server.app.slug,
      now: clock.now,
    });
  }

  other(): ChatopsContext {
    return { ...this.context, github: DriftWorld.client(this.server, this.clock) };
  }

  /** A run of the monitor, a day after the one before, without telling the bot. */
  run(
    told: Told | string | null = {},
    { event = 'schedule', conclusion }: { event?: string; conclusion?: string } = {},
  ): FakeRun {
    this.clock.forward(86_400_000);
    const run = this.repository.startRun({ workflow: 'monitor.yml', event, by: 'ann' });
    run.start();
    const text = told === null || typeof told === 'string' ? told : outcome(told);
    const alarms = typeof told === 'object' && told?.alerts !== undefined;
    run.complete(
      conclusion ?? (alarms ? 'failure' : 'success'),
      text === null ? {} : { 'modelgate-monitor': { 'outcome.json': text } },
    );
    return run;
  }

  async check(
    told: Told | string | null = {},
    how: { event?: string; conclusion?: string } = {},
  ): Promise<FakeRun> {
    const run = this.run(told, how);
    await onMonitorRun({ id: run.id }, this.context);
    return run;
  }

  async issues(label = 'modelgate-drift'): Promise<Issue[]> {
    const found: Issue[] = [];
    for await (const issue of this.context.github.issues({ labels: [label], state: 'all' }))
      found.push(issue);
    return found.sort((a, b) => a.number - b.number);
  }

  async notes(number: number): Promise<string[]> {
    const found: string[] = [];
    for await (const comment of this.context.github.comments(number)) found.push(comment.body);
    return found;
  }

  course = (issue: Issue | undefined) => (issue === undefined ? null : readState(issue).course);

  async [Symbol.asyncDispose](): Promise<void> {
    const { violations } = this.server;
    await this.server[Symbol.asyncDispose]();
    if (violations.length > 0) throw new Error(violations.join('\n'));
  }
}
