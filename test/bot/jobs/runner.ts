import { mkdir, mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { ResultsService } from '../../actions/results-service.ts';
import type { FakeRepository } from '../../github/fake/repository.ts';
import type { FakeRun, NewRun } from '../../github/fake/runs.ts';
import { putScanner } from '../../workflows/act/scanner.ts';
import { asText, condition, evaluate, interpolate, type Scope } from './expressions.ts';
import { putGitHubCommand } from './github-command.ts';
import { type DoneStep, runStep, type StepSetting, serverUrl } from './steps.ts';
import {
  asCalled,
  type CallingJob,
  type Job,
  parseWorkflow,
  readMatrix,
  type StepsJob,
  type Workflow,
} from './workflow.ts';

/** A step that was carried out, and where. */
export interface StepRecord extends DoneStep {
  run: FakeRun;
  job: string;
}

type Result = 'success' | 'failure' | 'skipped';
interface DoneJob {
  result: Result;
  outputs: Readonly<Record<string, string>>;
}
/** A run that is being carried out. */
interface Current {
  run: FakeRun;
  workflow: Workflow;
  /** Of the event, or of the call. */
  inputs: Readonly<Record<string, string>>;
  done: Map<string, DoneJob>;
}

/**
 * Carries out runs of the fake GitHub as its runners would: the workflow file of the run's commit, job after job, our
 * actions as built and as processes, artifacts through the results service. Left out: concurrency groups, timeouts,
 * and the steps that set up clouds and Python; a pull request is checked out as its head on top of main's.
 */
export class WorkflowRunner implements AsyncDisposable {
  /** In order of their ends. */
  readonly steps: StepRecord[] = [];
  private readonly service: ResultsService;
  private readonly home: string;
  private readonly variables: Readonly<Record<string, string>>;
  /** Of every job. */
  private readonly environment: Readonly<Record<string, string>>;
  private readonly uploaded = new Set<number>();

  private constructor(settings: {
    service: ResultsService;
    home: string;
    variables: Record<string, string>;
    environment: Record<string, string>;
  }) {
    this.service = settings.service;
    this.home = settings.home;
    this.variables = settings.variables;
    this.environment = settings.environment;
  }

  /** `home`: a folder for the jobs' files; `variables`: what `vars` holds. */
  static async open(options: { home: string; variables: Record<string, string> }): Promise<WorkflowRunner> {
    const home = path.join(options.home, 'runner');
    await putGitHubCommand(path.join(home, 'bin'));
    const environment = await putScanner(path.join(home, 'bin'));
    const service = await ResultsService.start();
    return new WorkflowRunner({ service, home, variables: options.variables, environment });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.service[Symbol.asyncDispose]();
  }

  /** Starts a run, as an event of the repository does, and resolves at its end. */
  async start(repository: FakeRepository, wanted: Omit<NewRun, 'repository'>): Promise<FakeRun> {
    const run = repository.startRun(wanted);
    await this.carryOut(run);
    return run;
  }

  /** Our actions that ran, with how they ended: `train 0, evaluate 0`. */
  actionsOf(run: FakeRun): string {
    return this.steps
      .filter((step) => step.run === run && step.ours)
      .map(({ name, exitCode }) => `${name} ${exitCode}`)
      .join(', ');
  }

  /** What a run's steps printed, with their ends: for messages of failing tests. */
  told(run?: FakeRun): string {
    return this.steps
      .filter((step) => run === undefined || step.run === run)
      .map(({ job, name, exitCode, log }) => {
        const lines = log.split('\n').filter((line) => !line.startsWith('::debug::'));
        return `${job} / ${name}: exit ${exitCode}\n${lines.join('\n').slice(-2000)}`;
      })
      .join('\n');
  }

  async carryOut(run: FakeRun): Promise<void> {
    const workflow = workflowAt(run, run.workflow.path);
    run.start();
    const result = await this.jobs({ run, workflow, inputs: run.inputs, done: new Map() });
    if (run.status !== 'completed') run.complete(result); // else cancelled meanwhile
  }

  private async jobs(current: Current): Promise<'success' | 'failure'> {
    for (const [id, job] of Object.entries(current.workflow.jobs)) {
      current.done.set(id, await this.job(current, id, job));
      if (current.run.status === 'completed') break;
    }
    const failed = [...current.done.values()].some(({ result }) => result === 'failure');
    return failed ? 'failure' : 'success';
  }

  private async job(current: Current, id: string, job: Job): Promise<DoneJob> {
    const { done } = current;
    for (const needed of job.needs) if (!done.has(needed)) throw new Error(`${id} stands before ${needed}`);
    const scope = this.scopeOf(current, job);
    if (!condition(job.if, scope)) return { result: 'skipped', outputs: {} };
    const one = (inJob: Scope) =>
      'uses' in job ? this.call(current.run, job, inJob) : this.jobOf(current, { id, job, scope: inJob });
    if (job.strategy === undefined) return one(scope);
    const jobs: DoneJob[] = [];
    for (const matrix of readMatrix(jsonOf(job.strategy.matrix, scope))) {
      const contexts = {
        ...scope.contexts,
        matrix: (asked: readonly string[]) => only(asked, Object.keys(matrix), matrix[asked[0] ?? '']),
      };
      jobs.push(await one({ ...scope, contexts }));
    }
    const result = jobs.some((done) => done.result === 'failure') ? 'failure' : 'success';
    // which of them would tell is not known
    return { result, outputs: {} };
  }

  /** The jobs of another workflow, with no more rights than its caller has. */
  private async call(
    run: FakeRun,
    { uses, with: given, permissions }: CallingJob,
    scope: Scope,
  ): Promise<DoneJob> {
    const workflow = workflowAt(run, uses.slice('./'.length));
    for (const { permissions: wanted } of Object.values(workflow.jobs))
      for (const [name, level] of Object.entries(wanted))
        if (![level, 'write'].includes(permissions[name] ?? ''))
          throw new Error(`${uses} may not ${level} ${name}`);
    const { inputs, outputs } = asCalled(workflow, filled(given, scope));
    const done = new Map<string, DoneJob>();
    const result = await this.jobs({ run, workflow, inputs, done });
    const jobs = ([id = '', word, ...name]: readonly string[]) =>
      done.has(id) && word === 'outputs' && name.length === 1
        ? (done.get(id)?.outputs[name[0]!] ?? '')
        : unknown('jobs', [id, word ?? '', ...name]);
    return { result, outputs: filled(outputs, { ...scope, contexts: { jobs } }) };
  }

  private async jobOf(
    { run, workflow }: Current,
    { id, job, scope }: { id: string; job: StepsJob; scope: Scope },
  ): Promise<DoneJob> {
    const environment = job.environment === undefined ? null : interpolate(job.environment, scope);
    if (environment !== null && (await run.enter(environment)) === 'rejected')
      return { result: 'failure', outputs: {} };
    const folder = await mkdtemp(path.join(await made(this.home), `${id}-`));
    // the API writes pull_requests where workflows write pull-requests
    const permissions = Object.fromEntries(
      Object.entries(job.permissions).map(([name, level]) => [name.replaceAll('-', '_'), level]),
    );
    const token = run.repository.github.actionsToken(run.repository, permissions);
    const setting: StepSetting = {
      run,
      token,
      folder,
      workspace: await made(path.join(folder, 'workspace')),
      tools: path.join(this.home, 'bin'),
      env: {
        ...this.service.variables(String(run.id), id),
        ...this.environment,
        ...filled(workflow.env, scope),
        ...filled(job.env, scope),
      },
    };
    return this.stepsOf(run, { id, job, setting, scope });
  }

  private async stepsOf(
    run: FakeRun,
    { id, job, setting, scope }: { id: string; job: StepsJob; setting: StepSetting; scope: Scope },
  ): Promise<DoneJob> {
    const ended = new Map<string, DoneJob>();
    const ids = new Set(job.steps.flatMap((step) => (step.id === undefined ? [] : [step.id])));
    let result: Result = 'success';
    const inJob: Scope = {
      contexts: {
        ...scope.contexts,
        github: (asked) => (asked.join('.') === 'token' ? setting.token : scope.contexts.github!(asked)),
        job: (asked) => only(asked, ['status'], result),
        // a step that has not run has no outputs; a name that no step has is a mistake
        steps: ([step = '', word, name = '', ...more]) => {
          if (ids.has(step) && word === 'outcome' && name === '') return ended.get(step)?.result ?? 'skipped';
          return ids.has(step) && word === 'outputs' && name !== '' && more.length === 0
            ? (ended.get(step)?.outputs[name] ?? '')
            : unknown('steps', [step, word ?? '', name, ...more]);
        },
      },
      functions: {
        ...scope.functions,
        success: () => result === 'success',
        failure: () => result === 'failure',
      },
    };
    for (const step of job.steps) {
      if (!condition(step.if, inJob)) continue;
      const ran = await runStep(
        step,
        { ...setting, env: { ...setting.env, ...filled(step.env, inJob) } },
        inJob,
      );
      const end = ran.exitCode === 0 ? 'success' : 'failure';
      if (step.id !== undefined) ended.set(step.id, { result: end, outputs: ran.outputs });
      if (end === 'failure' && step['continue-on-error'] !== true) result = 'failure';
      this.steps.push({ run, job: id, ...ran });
      this.handOver(run);
    }
    return { result, outputs: filled(job.outputs, inJob) };
  }

  /** What the results service has taken is an artifact of the run from then on. */
  private handOver(run: FakeRun): void {
    for (const artifact of this.service.artifacts) {
      const { id, finalized, content, name } = artifact;
      if (artifact.run !== String(run.id) || !finalized || content === null || this.uploaded.has(id))
        continue;
      this.uploaded.add(id);
      run.upload(name, content);
    }
  }

  private scopeOf({ run, inputs, done }: Current, job: Job): Scope {
    const { repository } = run;
    const github: Readonly<Record<string, string>> = {
      actor: run.actor.login,
      event_name: run.event,
      repository: repository.fullName,
      run_id: String(run.id),
      server_url: serverUrl,
      sha: run.headSha,
    };
    const results = job.needs.map((id) => done.get(id)?.result);
    return {
      contexts: {
        // of an event that is none of a merge queue
        github: (asked) =>
          asked.join('.') === 'event.merge_group.base_sha'
            ? ''
            : only(asked, Object.keys(github), github[asked[0] ?? '']),
        vars: (asked) => only(asked, Object.keys(this.variables), this.variables[asked[0] ?? '']),
        // FakeRun or asCalled has filled in the defaults, and refused what the workflow does not have
        inputs: ([name = '', ...more]) =>
          more.length === 0 ? (inputs[name] ?? '') : unknown('inputs', [name, ...more]),
        needs: ([id = '', word, ...name]) => {
          const needed = job.needs.includes(id) ? done.get(id) : undefined;
          if (needed !== undefined && word === 'result' && name.length === 0) return needed.result;
          if (needed !== undefined && word === 'outputs' && name.length === 1)
            return needed.outputs[name[0]!] ?? '';
          return unknown('needs', [id, word ?? '', ...name]);
        },
      },
      functions: {
        always: () => true,
        cancelled: () => run.conclusion === 'cancelled',
        success: () => results.every((result) => result === 'success'),
        failure: () => results.includes('failure'),
      },
    };
  }
}

/** A workflow as the run's commit has it. */
function workflowAt(run: FakeRun, file: string): Workflow {
  const content = run.repository.requireCommit(run.headSha).files.get(file);
  if (content === undefined) throw new Error(`${run.headSha} has no ${file}`);
  return parseWorkflow(content.toString('utf8'));
}

async function made(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  return folder;
}

function filled(texts: Readonly<Record<string, string>>, scope: Scope): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, interpolate(text, scope)]));
}

/** The text that `fromJSON` reads in a matrix. */
function jsonOf(text: string, scope: Scope): string {
  const expression = /^\$\{\{ fromJSON\((.+)\) \}\}$/.exec(text)?.[1];
  if (expression === undefined) throw new Error(`this runner does not know the matrix ${text}`);
  return asText(evaluate(expression, scope));
}

/** A value of one name below a context. */
function only(asked: readonly string[], known: readonly string[], value: string | undefined): string {
  if (asked.length !== 1 || !known.includes(asked[0]!) || value === undefined) return unknown('', asked);
  return value;
}

function unknown(context: string, asked: readonly string[]): never {
  throw new Error(`this runner does not know ${[context, ...asked].filter(Boolean).join('.')}`);
}
