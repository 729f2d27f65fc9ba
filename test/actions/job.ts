import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';

export const root = path.join(import.meta.dirname, '../..');

interface ActionFile {
  inputs: Record<string, { required: boolean; default?: string }>;
  outputs: Record<string, unknown>;
  runs: { main: string };
}

export interface Job {
  action: string;
  with: Record<string, string>;
  /** Where the runner keeps its files: a new folder a job. */
  home: string;
  /** The checkout. */
  workspace: string;
  env: Record<string, string>;
}

export interface JobResult {
  exitCode: number;
  outputs: Record<string, string>;
  summary: string;
  log: string;
  /** Data of `::error …::` commands that the runner would obey. */
  errors: string[];
}

/** Variables of this machine that a job may see: tools and package index, no more. */
const passed =
  /^(PATH|HOME|LANG|TZ|MODELGATE_CACHE|XDG_CACHE_HOME|PIP_.*|SSL_CERT_.*|REQUESTS_CA_BUNDLE|NODE_EXTRA_CA_CERTS|https?_proxy|no_proxy)$/i;

/** Runs a built action as the runner does: its `main` by Node, every declared input as a variable, files for results. */
export async function runJob(job: Job): Promise<JobResult> {
  const folder = job.action === '.' ? root : path.join(root, 'actions', job.action);
  const action = parse(await readFile(path.join(folder, 'action.yml'), 'utf8')) as ActionFile;
  const unknown = Object.keys(job.with).filter((input) => !(input in action.inputs));
  if (unknown.length > 0) throw new Error(`${job.action} has no input ${unknown.join(', ')}`);

  await mkdir(job.home, { recursive: true });
  const home = await mkdtemp(path.join(job.home, 'job-'));
  const file = async (name: string, text = '') => {
    await writeFile(path.join(home, name), text);
    return path.join(home, name);
  };
  const temporary = path.join(home, 'temp');
  await mkdir(temporary);
  const env: Record<string, string> = {
    ...Object.fromEntries(
      Object.entries(process.env).flatMap(([name, value]) =>
        passed.test(name) && value !== undefined ? [[name, value]] : [],
      ),
    ),
    GITHUB_ACTIONS: 'true',
    CI: 'true',
    GITHUB_WORKSPACE: job.workspace,
    GITHUB_OUTPUT: await file('output'),
    GITHUB_STEP_SUMMARY: await file('summary'),
    GITHUB_ENV: await file('env'),
    GITHUB_STATE: await file('state'),
    GITHUB_PATH: await file('path'),
    GITHUB_EVENT_PATH: await file('event.json', '{"ref":"refs/heads/main"}'),
    GITHUB_EVENT_NAME: 'push',
    GITHUB_SHA: 'c0ffee0000000000000000000000000000000000',
    GITHUB_REF: 'refs/heads/main',
    GITHUB_REPOSITORY: 'octo/flights',
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_ACTOR: 'octocat',
    GITHUB_RUN_ID: '42',
    GITHUB_RUN_ATTEMPT: '1',
    RUNNER_TEMP: temporary,
    RUNNER_NAME: 'runner-1',
    RUNNER_ENVIRONMENT: 'github-hosted',
    RUNNER_OS: 'Linux',
    RUNNER_ARCH: 'X64',
    ...job.env,
  };
  for (const [name, { default: fallback }] of Object.entries(action.inputs)) {
    env[`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`] = job.with[name] ?? fallback ?? '';
  }

  const { exitCode, log } = await start(path.join(folder, action.runs.main), job.workspace, env);
  const outputs = parseOutputs(await readFile(env.GITHUB_OUTPUT!, 'utf8'));
  const undeclared = Object.keys(outputs).filter((name) => !(name in action.outputs));
  if (undeclared.length > 0)
    throw new Error(`${job.action} sets undeclared outputs: ${undeclared.join(', ')}`);
  return {
    exitCode,
    outputs,
    summary: await readFile(env.GITHUB_STEP_SUMMARY!, 'utf8'),
    log,
    errors: obeyed(log).filter((line) => line.startsWith('::error')),
  };
}

function start(
  main: string,
  cwd: string,
  env: Record<string, string>,
): Promise<{ exitCode: number; log: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let log = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        log += text;
      });
    }
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ exitCode: code ?? (signal === null ? -1 : 128), log }));
  });
}

/** `name=value`, or `name<<delimiter`, lines, `delimiter`: how `@actions/core` writes them. */
export function parseOutputs(text: string): Record<string, string> {
  const outputs: Record<string, string> = {};
  const lines = text.split('\n');
  for (let at = 0; at < lines.length; at++) {
    const [, plain, value] = /^([^=<]+)=(.*)$/.exec(lines[at] ?? '') ?? [];
    if (plain !== undefined && value !== undefined) outputs[plain] = value;
    const [, name, delimiter] = /^([^=<]+)<<(.+)$/.exec(lines[at] ?? '') ?? [];
    if (name === undefined || delimiter === undefined) continue;
    const end = lines.indexOf(delimiter, at + 1);
    outputs[name] = lines.slice(at + 1, end).join('\n');
    at = end;
  }
  return outputs;
}

/** The command lines that a runner obeys: not those between `::stop-commands::TOKEN` and `::TOKEN::`. */
function obeyed(log: string): string[] {
  let stopped: string | null = null;
  const commands: string[] = [];
  for (const line of log.split(/\r?\n/)) {
    if (stopped !== null) {
      if (line === `::${stopped}::`) stopped = null;
      continue;
    }
    stopped = /^::stop-commands::(.+)$/.exec(line)?.[1] ?? null;
    if (stopped === null && line.startsWith('::')) commands.push(line);
  }
  return commands;
}
