import { readFileSync } from 'node:fs';
import { onTestFinished } from 'vitest';
import type { ChatopsContext } from '../../../src/chatops/context.ts';
import { ChatopsPolicy } from '../../../src/chatops/policy.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { GateRecord } from '../../../src/gate/record.ts';
import { canonicalJson } from '../../../src/json.ts';
import { silentLogger } from '../../../src/logger.ts';
import type { Verdict } from '../../../src/outcome.ts';
import { register } from '../../../src/registry/register.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { recordOf } from '../../gate/report-world.ts';
import type { FakeRepository } from '../../github/fake/repository.ts';
import type { ArtifactContent, FakeRun } from '../../github/fake/runs.ts';
import type { FakeGitHubServer } from '../../github/fake/server.ts';
import type { PullRequest } from '../../github/fake/state.ts';
import { openWorld, probot } from '../../github/world.ts';
import { producer, storeRun } from '../../registry/runs.ts';
import { openRegistry, temporaryFolder } from '../../registry/world.ts';

export const model = 'flights-late';
export const other = 'flights-cancelled';

/** modelgate.yaml of a model, as it stands in the repository. */
export const configuration = (name: string, { alpha = 0.05, set = 'e' } = {}) => `schema: modelgate/1
model: ${name}
data:
  sources:
    flights: { file: rows.csv, contract: contract.yaml }
features: { sql: features.sql, key: id, label: late }
split: { by: hash }
train: { script: train.py, requirements: requirements.lock, task: classification }
evaluation: { id: june, file: evaluation.parquet, sha256: ${set.repeat(64)} }
gate:
  alpha: ${alpha}
  metrics: [{ metric: auc, margin: 0.01 }]
`;

let gateRecord: GateRecord | null = null;
function judged(): GateRecord {
  gateRecord ??= recordOf({ values: ['UA', 'AA'] });
  return gateRecord;
}

const template = (name: string) => readFileSync(`workflows-templates/${name}`, 'utf8');

/** An outcome as `modelgate run` writes it; anybody can. */
export const outcome = (change: Record<string, unknown> = {}) => ({
  schema: 'modelgate.outcome/1',
  stage: 'run',
  verdict: 'inconclusive',
  reason_code: 'gate_inconclusive',
  summary: 'The sample cannot decide AUC.',
  inputs: { model },
  outputs: { reasons: ['AUC: 1,000 rows cannot see a drop of 0.01.'], contract_checks: [] },
  timings: { total: 61 },
  trace_id: 'trace',
  cached: false,
  ...change,
});

export const artifact = (value: unknown): Record<string, string> => ({
  'outcome.json': typeof value === 'string' ? value : JSON.stringify(value),
});

/** A repository with a model or two on a fake GitHub, reached by the real adapter, with a real registry. */
export class ReportWorld {
  readonly server: FakeGitHubServer;
  readonly repository: FakeRepository;
  readonly context: ChatopsContext;
  readonly registry: Registry;

  private constructor(parts: Pick<ReportWorld, 'server' | 'repository' | 'context' | 'registry'>) {
    this.server = parts.server;
    this.repository = parts.repository;
    this.context = parts.context;
    this.registry = parts.registry;
  }

  static async open({ models = [model], policy = {} }: { models?: string[]; policy?: object } = {}) {
    const { github, server, repository } = await openWorld(probot);
    onTestFinished(() => server[Symbol.asyncDispose]());
    const files: Record<string, string> = {
      'features.sql': 'SELECT 1',
      'train.py': 'print(1)',
      'contract.yaml': 'a: 1',
      ...Object.fromEntries(
        ['train.yml', 'promote.yml', 'rollback.yml'].map((name) => [
          `.github/workflows/${name}`,
          template(name),
        ]),
      ),
    };
    const paths = models.map((name, index) => (index === 0 ? 'modelgate.yaml' : `${name}.yaml`));
    paths.forEach((path, index) => {
      files[path] = configuration(models[index] ?? '');
    });
    repository.push('main', files);
    const registry = openRegistry(temporaryFolder());
    const base = await github.defaultBranch();
    const read = async (file: string) => files[file.slice(1)] ?? null;
    const configured = await Promise.all(
      paths.map(async (file) => {
        const { config } = await loadConfig(`/${file}`, { read, complete: false });
        return [config.model, { file, config, registry }] as const;
      }),
    );
    const context: ChatopsContext = {
      github,
      models: new Map(configured),
      policy: ChatopsPolicy.parse(policy),
      base: { branch: base.name, sha: base.sha },
      now: () => new Date(),
      logger: silentLogger,
    };
    return new ReportWorld({ server, repository, context, registry });
  }

  pull({
    branch = 'better',
    by = 'ana',
    files = { 'train.py': 'print(2)' },
  }: {
    branch?: string;
    by?: string;
    files?: Record<string, string>;
  } = {}): PullRequest {
    return this.repository.openPullRequest(by, { branch, files });
  }

  /** A run of the pull-request workflow that has ended and uploaded this. */
  sample(
    pull: PullRequest,
    artifacts: Record<string, ArtifactContent> = { 'modelgate-result': artifact(outcome()) },
    change: Partial<Parameters<FakeRepository['startRun']>[0]> & { conclusion?: string } = {},
  ): FakeRun {
    const { conclusion = 'success', ...more } = change;
    const run = this.repository.startRun({
      ...{ workflow: 'pull-request.yml', event: 'pull_request', by: 'ana', pull },
      ...more,
    });
    run.start();
    run.complete(conclusion, artifacts);
    return run;
  }

  /** A run of train.yml of the default branch, as the bot dispatches it, with what it has registered. */
  async trained(
    commit: string,
    {
      verdict = 'pass',
      conclusion = 'success',
      registers = true,
      name = model,
    }: {
      verdict?: Verdict;
      conclusion?: string;
      registers?: boolean;
      name?: string;
    } = {},
  ): Promise<FakeRun> {
    const run = this.repository.startRun({
      ...{ workflow: 'train.yml', event: 'workflow_dispatch', by: this.server.bot, headBranch: 'main' },
      title: `Train ${commit} (${'a'.repeat(64)})`,
    });
    run.start();
    if (registers) await this.register(commit, { verdict, run: run.id, name });
    run.complete(conclusion);
    return run;
  }

  async register(
    commit: string,
    {
      verdict = 'pass',
      run = 1,
      name = model,
      script = 'print(2)',
    }: { verdict?: Verdict; run?: number; name?: string; script?: string } = {},
  ) {
    const { store } = this.registry;
    const made = { ...producer, commit, run: String(run), trigger: 'train' };
    const record: GateRecord = { ...judged(), verdict, release: { model: name, environment: 'staging' } };
    const bytes = Buffer.from(canonicalJson(record));
    const codeFile = Buffer.from(script);
    const code = await store.putManifest({
      kind: 'code',
      inputs: {},
      facts: {},
      producer: made,
      files: [{ name: 'train.py', size: codeFile.length, sha256: await store.putBytes(codeFile) }],
    });
    const seed = (await this.registry.state(name)).versions.length + 1;
    const first = await storeRun(store, { seed });
    const evaluation = (await store.readManifest(first, 'gate')).inputs.evaluation ?? '';
    const package_ = (await store.readManifest(evaluation, 'evaluation')).inputs.model ?? '';
    const { inputs } = await store.readManifest(package_, 'model');
    const gate = await storeRun(store, {
      seed,
      verdict,
      model: { producer: made, inputs: { ...inputs, code } },
      gate: {
        producer: made,
        files: [{ name: 'gate.json', size: bytes.length, sha256: await store.putBytes(bytes) }],
        facts: {
          verdict,
          on_inconclusive: 'block',
          metrics: { auc: 0.7 },
          reasons: record.reasons,
          champion: null,
        },
      },
    });
    return register(this.registry, { model: name, gate, actor: { name: 'train', via: 'action' } });
  }

  /** Bodies of comments that our app wrote. */
  reports(pull: PullRequest): string[] {
    return pull.comments.filter(({ user }) => user.login === 'modelgate[bot]').map(({ body }) => body);
  }

  checks(sha: string) {
    return this.repository.checks
      .filter((check) => check.headSha === sha)
      .map(({ name, conclusion, title, summary, annotations }) => ({
        ...{ name, conclusion, title, summary, annotations },
      }));
  }
}
