import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { unpackZip } from '../../../actions/zip.ts';
import { ResultsService } from '../../actions/results-service.ts';
import { tools } from '../tools.ts';

/** A line of act's log, as far as it is looked at. */
const Line = z.object({
  msg: z.string().default(''),
  jobID: z.string().optional(),
  stepID: z.array(z.string()).optional(),
  step: z.string().optional(),
  raw_output: z.boolean().default(false),
  command: z.string().optional(),
  name: z.string().optional(),
  arg: z.string().optional(),
  content: z.string().optional(),
  stepResult: z.string().optional(),
  jobResult: z.string().optional(),
});

export interface ActResult {
  exitCode: number;
  /** By job: how it ended. A job that was skipped is not there. */
  jobs: Record<string, string>;
  /** By job and step, `gate.evaluate`: the step's outputs. */
  outputs: Record<string, Record<string, string>>;
  summary: string;
  /** Steps with their ends, and what they printed; for messages of failing tests. */
  said: string;
}

export interface ActSettings {
  /** An empty folder. */
  home: string;
  /** The git repository whose checked-out state is run. */
  repository: string;
  localRepositories: readonly string[];
  variables: Readonly<Record<string, string>>;
  /** Variables of the runner's machine. */
  environment: Readonly<Record<string, string>>;
  /** Programs that a hosted runner has. */
  programs: string;
}

export interface ActRun {
  workflow: string;
  event: string;
  actor?: string;
  /** Of a `workflow_dispatch`. */
  inputs?: Readonly<Record<string, string>>;
  payload?: Readonly<Record<string, unknown>>;
  token?: string;
  /** By which GitHub knows the run; left out, act's runs are numbered. */
  id?: number;
  /** Of the repository, beside those of every run. */
  variables?: Readonly<Record<string, string>>;
}

/** Variables of this machine that a job may see: tools and package index, no more. */
const passed =
  /^(PATH|HOME|LANG|TZ|TMPDIR|MODELGATE_CACHE|XDG_CACHE_HOME|PIP_.*|PYENV_.*|SSL_CERT_.*|REQUESTS_CA_BUNDLE|https?_proxy|no_proxy)$/i;

/**
 * Carries out workflow files by act on this machine, without containers. Left out, since act does not know them:
 * concurrency groups, permissions, environments and OIDC. Artifacts go to a results service of our own, which tells
 * the runs apart.
 */
export class ActRunner implements AsyncDisposable {
  readonly artifacts: ResultsService;
  private readonly settings: ActSettings;
  private runs = 0;

  private constructor(artifacts: ResultsService, settings: ActSettings) {
    this.artifacts = artifacts;
    this.settings = settings;
  }

  static async open(settings: ActSettings): Promise<ActRunner> {
    await mkdir(settings.home, { recursive: true });
    return new ActRunner(await ResultsService.start(), settings);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.artifacts[Symbol.asyncDispose]();
  }

  /** Unpacks the newest artifact of a name into a folder; its path. */
  async unpack(name: string, into = path.join(this.settings.home, 'unpacked', name)): Promise<string> {
    await mkdir(into, { recursive: true });
    const file = path.join(this.settings.home, `${name}.zip`);
    await writeFile(file, this.artifacts.content(name));
    await unpackZip(file, into, { entries: 1000, bytes: 100_000_000 });
    return into;
  }

  async run(wanted: ActRun): Promise<ActResult> {
    const { home, repository, localRepositories, variables, environment, programs } = this.settings;
    this.runs += 1;
    const folder = await mkdtemp(path.join(home, `run-${this.runs}-`));
    const event = path.join(folder, 'event.json');
    await writeFile(
      event,
      JSON.stringify({
        ...(wanted.inputs === undefined ? {} : { inputs: wanted.inputs }),
        repository: { default_branch: 'main' },
        ...wanted.payload,
      }),
    );
    const run = String(wanted.id ?? this.runs);
    const given = { GITHUB_RUN_ID: run, ...this.artifacts.variables(run, 'act'), ...environment };
    const args = [
      ...[wanted.event, '--json', '--eventpath', event],
      ...['--workflows', path.join(repository, '.github/workflows', wanted.workflow)],
      ...['--actor', wanted.actor ?? 'octocat', '--defaultbranch', 'main'],
      // on this machine, whatever the label
      ...['ubuntu-latest', 'self-hosted', 'gpu'].flatMap((label) => ['--platform', `${label}=-self-hosted`]),
      // also the checkout is a step: its stand-in takes the commit that it is told
      ...['--no-skip-checkout', '--no-cache-server', '--action-cache-path', path.join(folder, 'act')],
      ...localRepositories.flatMap((local) => ['--local-repository', local]),
      ...Object.entries({ ...variables, ...wanted.variables }).flatMap(([name, value]) => [
        '--var',
        `${name}=${value}`,
      ]),
      ...Object.entries(given).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
      ...['--secret', `GITHUB_TOKEN=${wanted.token ?? 'none'}`],
    ];
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => passed.test(name)));
    // `using: node24` is the first node there: the one of these tests
    const first = [programs, path.dirname(process.execPath), env.PATH].join(path.delimiter);
    return read(spawn(tools.act, args, { cwd: repository, env: { ...env, PATH: first }, stdio }));
  }
}

const stdio = ['ignore', 'pipe', 'pipe'] as ['ignore', 'pipe', 'pipe'];

async function read(child: ReturnType<typeof spawn>): Promise<ActResult> {
  const result: ActResult = { exitCode: -1, jobs: {}, outputs: {}, summary: '', said: '' };
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 128));
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    result.said += text;
  });
  for await (const text of createInterface({ input: child.stdout! })) take(text, result);
  result.exitCode = await ended;
  // the end says what went wrong
  result.said = result.said.slice(-8000);
  return result;
}

function take(text: string, result: ActResult): void {
  const parsed = Line.safeParse(text.startsWith('{') ? JSON.parse(text) : null);
  if (!parsed.success) {
    result.said += `${text}\n`;
    return;
  }
  const line = parsed.data;
  const job = line.jobID ?? '';
  // of a matrix, one that failed
  if (line.jobResult !== undefined && result.jobs[job] !== 'failure') result.jobs[job] = line.jobResult;
  if (line.command === 'summary') result.summary += line.content ?? '';
  else if (line.command === 'set-output') {
    const step = `${job}.${line.stepID?.at(-1) ?? ''}`;
    result.outputs[step] = { ...result.outputs[step], [line.name ?? '']: line.arg ?? '' };
  } else if (line.command === 'warning' || line.command === 'error')
    result.said += `${line.command}: ${line.arg ?? ''}\n`;
  else if (line.raw_output || line.stepResult !== undefined || line.jobResult !== undefined)
    result.said += line.raw_output ? line.msg : `${job} | ${line.msg}\n`;
}
