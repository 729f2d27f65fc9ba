import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleInto } from '../../scripts/bundle.ts';
import { canonicalJson } from '../../src/json.ts';
import { Outcome } from '../../src/outcome.ts';
import { parseOutputs } from '../actions/job.ts';
import { prepareStart } from './action.ts';
import { type Prepared, prepare } from './prepared.ts';

const root = path.join(import.meta.dirname, '../..');
const commit = 'c0ffee0000000000000000000000000000000000';

let folder: string;
let dist: string;
let prepared: Prepared;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'same-outcome-'));
  dist = path.join(folder, 'dist');
  await bundleInto(dist);
  // as npm installs it: the command beside the bundle, without sources
  await cp(path.join(root, 'bin'), path.join(folder, 'bin'), { recursive: true });
  prepared = await prepare(path.join(folder, 'world'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

type Options = Record<string, string>;

/** The outcome as bytes, without what says when and in which process: `timings` and `trace_id`. */
function bytesOf(text: string): string {
  const { timings: _, trace_id: __, ...rest } = Outcome.parse(JSON.parse(text));
  return canonicalJson(rest);
}

/** As an action's step. */
async function inGitHub(stage: string, options: Options, home: string): Promise<string> {
  const env = { GITHUB_EVENT_NAME: 'push', GITHUB_RUN_ID: '42', GITHUB_SHA: commit };
  const inputs = { ...options, store: path.join(home, 'store') };
  const { outputs, log } = await (
    await prepareStart({ dist, entry: stage, prepared, inputs, home, env })
  ).run();
  const { outcome } = parseOutputs(outputs);
  if (outcome === undefined) throw new Error(log);
  return readFile(outcome, 'utf8');
}

/** By the command line, with the variables of a CI or none. */
async function byCommand(stage: string, options: Options, home: string, env: Options): Promise<string> {
  const store = path.join(home, 'store');
  await cp(prepared.store, store, { recursive: true });
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const args = [path.join(folder, 'bin/modelgate.js'), stage, '--json', '--store', store, ...flags];
  const { PATH = '' } = process.env;
  const call = promisify(execFile)(process.execPath, args, {
    cwd: prepared.workspace,
    env: { PATH, HOME: home, MODELGATE_NATIVE: root, ...env },
  });
  // exit 2 of an undecided gate is an answer as well
  return call.then(
    ({ stdout }) => stdout,
    ({ stdout }: { stdout: string }) => stdout,
  );
}

describe('one stage in GitHub Actions, GitLab CI and a plain shell', () => {
  it.each(['validate', 'gate'])('%s gives an outcome of equal bytes', async (stage) => {
    const options: Options = stage === 'gate' ? { evaluation: prepared.evaluation } : {};
    const home = (name: string) => path.join(folder, `${stage}-${name}`);
    const github = await inGitHub(stage, options, home('github'));
    const gitlab = await byCommand(stage, options, home('gitlab'), {
      ...{ CI: 'true', GITLAB_CI: 'true', CI_COMMIT_SHA: commit, CI_PIPELINE_ID: '42' },
      ...{ CI_PIPELINE_SOURCE: 'push', CI_PROJECT_DIR: prepared.workspace, CI_JOB_NAME: stage },
    });
    const shell = await byCommand(stage, options, home('shell'), {
      ...{ MODELGATE_COMMIT: commit, MODELGATE_RUN: '42', MODELGATE_TRIGGER: 'code' },
    });
    expect(Outcome.parse(JSON.parse(github)).verdict).not.toBe('error');
    expect(bytesOf(gitlab)).toBe(bytesOf(github));
    expect(bytesOf(shell)).toBe(bytesOf(github));
  });

  it('another run is told apart by the digest that its record has', async () => {
    const options: Options = { evaluation: prepared.evaluation };
    const say = (run: string) => ({
      MODELGATE_COMMIT: commit,
      MODELGATE_RUN: run,
      MODELGATE_TRIGGER: 'code',
    });
    const first = await byCommand('gate', options, path.join(folder, 'run-1'), say('1'));
    const second = await byCommand('gate', options, path.join(folder, 'run-2'), say('2'));
    expect(bytesOf(second)).not.toBe(bytesOf(first));
    expect(JSON.parse(second).report).toBe(JSON.parse(first).report);
  });
});
