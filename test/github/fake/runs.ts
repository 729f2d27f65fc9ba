import { parse } from 'yaml';
import { z } from 'zod';
import { type Member, zip } from '../../actions/zip-writer.ts';
import { HttpError, invalid } from './errors.ts';
import type { Author } from './github.ts';
import * as render from './render.ts';
import type { FakeRepository } from './repository.ts';
import type { Account, Artifact, Environment, PullRequest, Workflow } from './state.ts';

export interface NewRun {
  repository: FakeRepository;
  /** File name under .github/workflows. */
  workflow: string;
  event: string;
  by: string | Author;
  headSha?: string;
  headBranch?: string | null;
  headRepository?: FakeRepository;
  /** For `pull_request`: head and branch are its own. */
  pull?: PullRequest;
  title?: string;
  inputs?: Readonly<Record<string, string>>;
}

/** Files by name, or the bytes of an archive as somebody made it. */
export type ArtifactContent = Readonly<Record<string, string | Buffer>> | Buffer;

/** Ids of runs are beyond 32 bits, as on github.com. */
const firstRun = 19_571_000_000;

/** A run of a workflow: queued until it is started, running until it is completed. */
export class FakeRun {
  readonly id: number;
  readonly number: number;
  attempt = 1;
  readonly repository: FakeRepository;
  readonly workflow: Workflow;
  readonly event: string;
  readonly title: string;
  readonly actor: Account;
  readonly inputs: Readonly<Record<string, string>>;
  readonly headSha: string;
  readonly headBranch: string | null;
  readonly headRepository: FakeRepository | null;
  readonly pulls: readonly PullRequest[];
  readonly createdAt: string;
  updatedAt: string;
  status: 'queued' | 'in_progress' | 'waiting' | 'completed' = 'queued';
  conclusion: string | null = null;
  readonly artifacts: Artifact[] = [];
  private readonly waiting = new Map<string, (state: 'approved' | 'rejected') => void>();

  private constructor(run: NewRun, workflow: Workflow) {
    const { repository, pull } = run;
    const { github } = repository;
    const fork = pull !== undefined && pull.pull.headRepository !== repository;
    this.id = firstRun + github.id();
    this.number = repository.runs.filter((one) => one.workflow === workflow).length + 1;
    this.repository = repository;
    this.workflow = workflow;
    this.event = run.event;
    this.headBranch = run.headBranch === undefined ? (pull?.pull.headRef ?? 'main') : run.headBranch;
    this.headSha = run.headSha ?? pull?.pull.headSha ?? repository.head('main');
    this.headRepository = run.headRepository ?? pull?.pull.headRepository ?? repository;
    this.pulls = pull === undefined || fork ? [] : [pull];
    this.title = run.title ?? pull?.title ?? workflow.name;
    this.inputs = run.inputs ?? {};
    this.actor = github.author(run.by).user;
    this.createdAt = github.time();
    this.updatedAt = this.createdAt;
  }

  static start(wanted: NewRun): FakeRun {
    const { repository } = wanted;
    const workflow =
      repository.workflow(wanted.workflow) ?? repository.addWorkflow(`.github/workflows/${wanted.workflow}`);
    const run = new FakeRun(wanted, workflow);
    repository.runs.push(run);
    run.emit('requested');
    return run;
  }

  /** As POST …/dispatches: the workflow of that ref says which inputs there are. */
  static dispatch(
    repository: FakeRepository,
    by: Author,
    { workflow: name, ref, inputs }: { workflow: string; ref: string; inputs: Record<string, unknown> },
  ): FakeRun {
    const workflow = repository.workflow(name);
    if (workflow === null) throw new HttpError(404, 'Not Found');
    const branch = ref.replace(/^refs\/heads\//, '');
    const commit = repository.commit(branch);
    if (commit === null) throw invalid(`No ref found for: ${ref}`);
    const declared = WorkflowFile.parse(parse(commit.files.get(workflow.path)?.toString() ?? '{}'));
    const trigger = declared.on.workflow_dispatch;
    if (trigger === undefined) throw invalid("Workflow does not have 'workflow_dispatch' trigger");
    const known = trigger?.inputs ?? {};
    const unknown = Object.keys(inputs).filter((key) => known[key] === undefined);
    if (unknown.length > 0) throw invalid(`Unexpected inputs provided: ${JSON.stringify(unknown)}`);
    const given: Record<string, string> = {};
    for (const [key, input] of Object.entries(known)) {
      const value = inputs[key] ?? input?.default;
      if (value !== undefined) given[key] = String(value);
      else if (input?.required === true) throw invalid(`Required input '${key}' not provided`);
    }
    const title = declared['run-name']?.replaceAll(
      /\$\{\{\s*(?:github\.event\.)?inputs\.([\w-]+)(?:\s*\|\|\s*(?:'([^']*)'|github\.event_name))?\s*\}\}/g,
      (_, key: string, otherwise?: string) => given[key] || (otherwise ?? ''),
    );
    const run = FakeRun.start({
      repository,
      workflow: workflow.path,
      event: 'workflow_dispatch',
      by,
      headSha: commit.sha,
      headBranch: branch,
      inputs: given,
      ...(title === undefined ? {} : { title }),
    });
    const { github } = repository;
    github.later(() => github.onDispatch?.(run));
    return run;
  }

  start(): void {
    this.move('in_progress');
    this.emit('in_progress');
  }

  complete(conclusion: string, artifacts: Readonly<Record<string, ArtifactContent>> = {}): void {
    for (const [name, content] of Object.entries(artifacts)) this.upload(name, content);
    this.conclusion = conclusion;
    this.move('completed');
    this.emit('completed');
  }

  /** The same run again, as a person presses "Re-run all jobs". */
  rerun(): void {
    this.attempt += 1;
    this.conclusion = null;
    this.move('queued');
    this.emit('requested');
  }

  cancel(): void {
    if (this.status === 'completed') {
      throw new HttpError(409, 'Cannot cancel a workflow run that is completed.');
    }
    this.complete('cancelled');
  }

  upload(name: string, content: ArtifactContent): Artifact {
    const members = (files: Exclude<ArtifactContent, Buffer>): Member[] =>
      Object.entries(files).map(([file, text]) => ({ name: file, content: text }));
    const { github } = this.repository;
    const made: Artifact = {
      id: github.id(),
      name,
      run: this,
      zip: Buffer.isBuffer(content) ? content : zip(members(content)),
      expired: false,
      createdAt: github.time(),
    };
    this.artifacts.push(made);
    return made;
  }

  /** A job comes to an environment: waits until the app answers its protection rule, if it has one. */
  async enter(name: string): Promise<'approved' | 'rejected'> {
    const environment: Environment = this.repository.environments.get(name) ?? { name, protection: [] };
    const { github } = this.repository;
    if (!environment.protection.includes(github.app)) return 'approved';
    this.move('waiting');
    const answer = new Promise<'approved' | 'rejected'>((resolve) => this.waiting.set(name, resolve));
    const deployment = this.repository.deployments.findLast((one) => one.environment === name);
    github.emit(this.repository, 'deployment_protection_rule', 'requested', this.actor, {
      environment: name,
      event: this.event,
      sha: this.headSha,
      ref: this.headBranch ?? '',
      deployment_callback_url: `${github.url}/repos/${this.repository.fullName}/actions/runs/${this.id}/deployment_protection_rule`,
      ...(deployment === undefined ? {} : { deployment: render.deployment(this.repository, deployment) }),
      pull_requests: [],
    });
    return answer;
  }

  /** The app's answer. Another one after it, or for what does not wait, is refused as GitHub does. */
  decide(name: string, state: 'approved' | 'rejected'): void {
    const resolve = this.waiting.get(name);
    if (resolve === undefined) throw invalid('No pending custom deployment rule for this environment');
    this.waiting.delete(name);
    this.move('in_progress');
    resolve(state);
  }

  private move(status: FakeRun['status']): void {
    this.status = status;
    this.updatedAt = this.repository.github.time();
  }

  private emit(action: 'requested' | 'in_progress' | 'completed'): void {
    this.repository.github.emit(this.repository, 'workflow_run', action, this.actor, {
      workflow_run: render.run(this),
      workflow: render.workflow(this.repository, this.workflow),
    });
  }
}

const Input = z.object({ required: z.boolean().optional(), default: z.unknown().optional() });
/** `on` is a word, a list or a map. */
const Triggers = z.preprocess(
  (on) => {
    const words = typeof on === 'string' ? [on] : on;
    return Array.isArray(words) ? Object.fromEntries(words.map((word) => [word, null])) : words;
  },
  z.object({
    workflow_dispatch: z.object({ inputs: z.record(z.string(), Input.nullable()).nullish() }).nullish(),
  }),
);
const WorkflowFile = z.object({ 'run-name': z.string().optional(), on: Triggers.default({}) });
