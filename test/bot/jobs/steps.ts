import { execFileSync, spawn } from 'node:child_process';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { unpackZip } from '../../../actions/zip.ts';
import { parseOutputs, root, runJob } from '../../actions/job.ts';
import type { FakeRun } from '../../github/fake/runs.ts';
import { interpolate, type Scope } from './expressions.ts';
import type { Step } from './workflow.ts';

/** Where the steps of a job run. */
export interface StepSetting {
  run: FakeRun;
  /** GITHUB_TOKEN. */
  token: string;
  folder: string;
  workspace: string;
  /** Commands that a hosted runner has. */
  tools: string;
  env: Readonly<Record<string, string>>;
}

export interface DoneStep {
  name: string;
  /** Whether it is one of our actions; its name is the action's then. */
  ours: boolean;
  exitCode: number;
  outputs: Readonly<Record<string, string>>;
  log: string;
}

/** The fake plays github.com here: the artifact client refuses any other server. */
export const serverUrl = 'https://github.com';

type Uses = Extract<Step, { uses: string }>;
type With = Readonly<Record<string, string>>;

/** The machine has Python, the store is a folder: nothing is to be set up. */
const skipped = ['actions/setup-python', 'aws-actions/configure-aws-credentials'];

/** Carries out a step; one that this runner does not know throws. */
export async function runStep(step: Step, setting: StepSetting, scope: Scope): Promise<DoneStep> {
  if ('run' in step) {
    const name = step.name ?? step.run.slice(0, 60);
    return { name, ours: false, ...(await script(step.run, setting)) };
  }
  const [action = ''] = step.uses.split('@');
  if (skipped.includes(action))
    return { name: action, ours: false, exitCode: 0, outputs: {}, log: 'skipped' };
  const given = Object.fromEntries(
    Object.entries(step.with).map(([name, text]) => [name, interpolate(text, scope)]),
  );
  if (action === 'actions/checkout') return checkout(given, setting);
  if (action === 'actions/upload-artifact') return upload(given, setting);
  if (action === 'actions/download-artifact') return download(given, setting);
  return ours(step, { action, given, setting, scope });
}

/** A clone with the files of a commit and without any token; of a pull request on top of the default branch. */
async function checkout(given: With, { run, workspace }: StepSetting): Promise<DoneStep> {
  const { ref, 'persist-credentials': persist, 'fetch-depth': depth = '1', ...more } = given;
  if (Object.keys(more).length > 0 || persist !== 'false') throw new Error('checkout with other inputs');
  const { repository } = run;
  const commit = repository.requireCommit(ref ?? run.headSha);
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=github', '-c', 'user.email=github@example.org', ...args], {
      cwd: workspace,
    });
  git('init', '--quiet');
  for (const { files } of depth === '1' ? [commit] : [repository.requireCommit('main'), commit]) {
    for (const [name, content] of files) {
      const file = path.join(workspace, name);
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, content);
    }
    git('add', '--all', '--force');
    git('commit', '--quiet', '--allow-empty', '--message', 'A commit');
  }
  return { name: 'actions/checkout', ours: false, exitCode: 0, outputs: {}, log: commit.sha };
}

/** One file under its own name, or all files of a folder. */
async function upload(given: With, { run, workspace }: StepSetting): Promise<DoneStep> {
  const { name = '', path: from = '', 'retention-days': _, 'if-no-files-found': _none, ...more } = given;
  const { overwrite, ...unknown } = more;
  const place = path.resolve(workspace, from);
  const files = (await stat(place)).isDirectory()
    ? (await readdir(place)).map((file) => path.join(place, file))
    : [place];
  const taken = run.artifacts.some((one) => one.name === name) && overwrite !== 'true';
  if (Object.keys(unknown).length > 0 || files.length === 0 || taken)
    throw new Error(
      `upload-artifact of ${from} with ${Object.keys(unknown).join(', ') || 'no file or name'}`,
    );
  const content = await Promise.all(
    files.map(async (file) => [path.basename(file), await readFile(file)] as const),
  );
  const { id } = run.upload(name, Object.fromEntries(content));
  const outputs = { 'artifact-id': String(id) };
  return { name: 'actions/upload-artifact', ours: false, exitCode: 0, outputs, log: name };
}

/** All files of an artifact of this run. */
async function download(given: With, { run, workspace, folder }: StepSetting): Promise<DoneStep> {
  const { name, 'artifact-ids': id, path: to = '', ...more } = given;
  const artifact = run.artifacts.findLast((one) =>
    id === undefined ? one.name === name : String(one.id) === id,
  );
  if (Object.keys(more).length > 0 || artifact === undefined)
    throw new Error(
      `download-artifact of ${name ?? id} with ${Object.keys(more).join(', ') || 'no artifact'}`,
    );
  const file = path.join(folder, 'downloaded.zip');
  await writeFile(file, artifact.zip);
  await unpackZip(file, path.resolve(workspace, to), { entries: 1000, bytes: 100_000_000 });
  return { name: 'actions/download-artifact', ours: false, exitCode: 0, outputs: {}, log: artifact.name };
}

const ActionFile = z.object({
  inputs: z.record(z.string(), z.object({ default: z.string().optional() })),
});

/** One of our actions, as it is built. */
async function ours(
  { uses }: Uses,
  about: { action: string; given: With; setting: StepSetting; scope: Scope },
): Promise<DoneStep> {
  const { given, setting, scope } = about;
  const action = /^modelgate\/modelgate\/actions\/([a-z]+)$/.exec(about.action)?.[1];
  if (action === undefined) throw new Error(`this runner does not know the action ${uses}`);
  const { inputs } = ActionFile.parse(
    parse(await readFile(path.join(root, 'actions', action, 'action.yml'), 'utf8')),
  );
  const defaults = Object.entries(inputs).flatMap(([name, { default: text }]) =>
    text === undefined ? [] : [[name, interpolate(text, scope)] as const],
  );
  const { folder: home, workspace } = setting;
  const env = { ...variablesOf(setting), ...setting.env };
  const result = await runJob({
    ...{ action, home, workspace, env },
    with: { ...Object.fromEntries(defaults), ...given },
  });
  return { name: action, ours: true, exitCode: result.exitCode, outputs: result.outputs, log: result.log };
}

async function script(text: string, setting: StepSetting): Promise<Omit<DoneStep, 'name' | 'ours'>> {
  const { workspace, folder, tools } = setting;
  const output = path.join(folder, 'output');
  await writeFile(output, '');
  const env = {
    ...{ PATH: `${tools}:${process.env.PATH}`, HOME: folder, LANG: 'C.UTF-8', GITHUB_OUTPUT: output },
    ...{ RUNNER_TEMP: folder, GITHUB_WORKSPACE: workspace },
    ...variablesOf(setting),
    ...setting.env,
  };
  // `shell: bash` on GitHub
  const child = spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', text], {
    cwd: workspace,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => {
      log += part;
    });
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 128));
  });
  return { exitCode, log, outputs: parseOutputs(await readFile(output, 'utf8')) };
}

function variablesOf({ run, folder }: StepSetting): Record<string, string> {
  const { repository } = run;
  const { url } = repository.github;
  return {
    TMPDIR: folder,
    GITHUB_ACTOR: run.actor.login,
    GITHUB_API_URL: url,
    GITHUB_EVENT_NAME: run.event,
    GITHUB_REF: `refs/heads/${run.headBranch ?? repository.defaultBranch}`,
    GITHUB_REPOSITORY: repository.fullName,
    GITHUB_RUN_ATTEMPT: String(run.attempt),
    GITHUB_RUN_ID: String(run.id),
    GITHUB_SERVER_URL: serverUrl,
    GITHUB_SHA: run.headSha,
  };
}
