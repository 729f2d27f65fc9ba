import { spawn } from 'node:child_process';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Prepared } from './prepared.ts';

const root = path.join(import.meta.dirname, '../..');

/** A bundled action or command line on a copy of the prepared store, as a runner starts it. */
export interface Start {
  /** Of bundled files. */
  dist: string;
  /** File in `dist`, without .js. */
  entry: string;
  prepared: Prepared;
  /** Where this run writes: made anew. */
  home: string;
  inputs?: Readonly<Record<string, string>>;
  args?: readonly string[];
  /** Flags of Node itself. */
  flags?: readonly string[];
  env?: Readonly<Record<string, string>>;
}

/**
 * The command line as a file of `dist` that runs, to be started as the entry `command`: bin/modelgate.js prefers the
 * sources of a clone.
 */
export async function writeCommand(dist: string): Promise<void> {
  await writeFile(
    path.join(dist, 'command.js'),
    "import { main } from './cli.js';\nprocess.exitCode = await main(process.argv.slice(2));\n",
  );
}

export interface Started {
  code: number | null;
  outputs: string;
  log: string;
}

export interface ReadyStart {
  command: readonly [program: string, args: readonly string[]];
  env: Record<string, string>;
  cwd: string;
  run(): Promise<Started>;
}

/** Prepares a start, so that it can be timed by itself. It is good for one run. */
export async function prepareStart(start: Start): Promise<ReadyStart> {
  const { home, prepared, inputs = {}, args = [], flags = [] } = start;
  await rm(home, { recursive: true, force: true });
  await mkdir(path.join(home, 'temp'), { recursive: true });
  const store = path.join(home, 'store');
  await cp(prepared.store, store, { recursive: true });
  const output = path.join(home, 'output');
  for (const file of ['output', 'summary']) await writeFile(path.join(home, file), '');
  const given = { config: 'modelgate.yaml', store, ...inputs };
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: home,
    GITHUB_ACTIONS: 'true',
    GITHUB_WORKSPACE: prepared.workspace,
    GITHUB_OUTPUT: output,
    GITHUB_STEP_SUMMARY: path.join(home, 'summary'),
    GITHUB_SHA: 'c0ffee0000000000000000000000000000000000',
    GITHUB_RUN_ID: '42',
    GITHUB_REPOSITORY: 'octo/orders',
    RUNNER_TEMP: path.join(home, 'temp'),
    MODELGATE_NATIVE: root,
    ...Object.fromEntries(
      Object.entries(given).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]),
    ),
    ...start.env,
  };
  const command = [
    process.execPath,
    [...flags, path.join(start.dist, `${start.entry}.js`), ...args],
  ] as const;
  const cwd = prepared.workspace;
  return {
    ...{ command, env, cwd },
    run: () =>
      new Promise((resolve, reject) => {
        const child = spawn(...command, { cwd, env });
        let log = '';
        for (const stream of [child.stdout, child.stderr])
          stream.setEncoding('utf8').on('data', (text: string) => {
            log += text;
          });
        child.once('error', reject);
        child.once('close', async (code) => resolve({ code, log, outputs: await readFile(output, 'utf8') }));
      }),
  };
}
