import { access, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { asStorageError, hasCode, UserError } from '../errors.ts';
import { Digest, digestOf, parseJson, sha256 } from '../json.ts';
import type { Logger } from '../logger.ts';
import { runProcess } from './process.ts';
import { findPython, type Interpreter, lastLine } from './python-command.ts';
import { parseLock } from './requirements.ts';

/** What a model was trained in: `environment.json` of a model package. */
export const EnvironmentRecord = z.object({
  python: z.string(),
  implementation: z.string(),
  platform: z.string(),
  /** sha256 of the lock file. */
  lock: Digest,
  /** Installed packages: name → version. */
  packages: z.record(z.string(), z.string()),
});
export type EnvironmentRecord = z.infer<typeof EnvironmentRecord>;

export interface PythonEnvironment {
  /** Path of the environment's interpreter. */
  python: string;
  record: EnvironmentRecord;
  /** Whether it was there already. */
  cached: boolean;
}

const marker = 'modelgate-environment.json';
const installTimeout = 30 * 60_000;
/** pip can install into another environment since 22.3; before, each environment needs a pip of its own. */
const pipForOthers = [22, 3] as const;

/**
 * The Python environment of a lock: made once by `pip install --require-hashes` and kept in
 * `cacheDirectory` by the digest of lock, Python and platform. It is built in a folder of its own and moved
 * to its place whole, so that a killed installation leaves nothing that counts, and of concurrent ones the
 * first wins and the others use its result.
 *
 * Throws `environment_unpinned`, `python_missing`, `environment_failed`, `storage_unavailable`.
 */
export async function prepareEnvironment(request: {
  lockFile: string;
  cacheDirectory: string;
  logger: Logger;
  signal: AbortSignal;
}): Promise<PythonEnvironment> {
  const { cacheDirectory, logger, signal } = request;
  const lock = await readFile(request.lockFile);
  const requirements = parseLock(lock.toString('utf8'), 'requirements.lock');
  const env = installerVariables();
  const interpreter = await findPython(env, signal);
  const key = digestOf({
    lock: sha256(lock),
    python: interpreter.version,
    implementation: interpreter.implementation,
    platform: interpreter.platform,
    executable: interpreter.executable, // an environment links to the Python that made it
  });
  const parent = join(cacheDirectory, 'python');
  const home = join(parent, key.slice(0, 32));
  const ready = await readReady(home);
  if (ready !== null) return { python: pythonOf(home), record: ready, cached: true };

  logger.info(`installing the Python environment (${requirements.length} pinned packages), once`);
  const started = performance.now();
  let building: string | undefined;
  try {
    await mkdir(parent, { recursive: true });
    building = await mkdtemp(join(parent, 'building-'));
    const lockFile = join(building, 'requirements.lock'); // the bytes that were checked
    await writeFile(lockFile, lock);
    const folder = join(building, 'environment');
    await install({ interpreter, folder, lockFile, env, logger, signal });
    const record: EnvironmentRecord = {
      python: interpreter.version,
      implementation: interpreter.implementation,
      platform: interpreter.platform,
      lock: sha256(lock),
      packages: await installedPackages(folder, env, signal),
    };
    await writeFile(join(folder, marker), JSON.stringify(record));
    await moveInto(folder, home);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    logger.info(`installed ${Object.keys(record.packages).length} packages in ${seconds} s`);
    return { python: pythonOf(home), record, cached: false };
  } catch (error) {
    throw asStorageError(error, parent);
  } finally {
    if (building !== undefined) await rm(building, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function install(request: {
  interpreter: Interpreter;
  folder: string;
  lockFile: string;
  env: Record<string, string>;
  logger: Logger;
  signal: AbortSignal;
}): Promise<void> {
  const { interpreter, folder, env, logger, signal } = request;
  const [major = 0, minor = 0] = interpreter.pip ?? [];
  const shared = major > pipForOthers[0] || (major === pipForOthers[0] && minor >= pipForOthers[1]);
  const run = async (what: string, command: string, args: readonly string[]) => {
    const result = await runProcess({
      command,
      args,
      cwd: join(folder, '..'),
      env,
      signal,
      timeout: installTimeout,
      onLine: (line) => {
        const step = /^(Collecting|Downloading|Installing) .*/.exec(line.trim());
        if (step !== null) logger.debug(step[0]);
      },
    });
    if (result.code !== 0) throw installFailure(what, result.output, result.timedOut);
  };
  const venv = ['-I', '-m', 'venv', ...(shared ? ['--without-pip'] : []), folder];
  await run('make the virtual environment', interpreter.executable, venv);
  const pip = shared
    ? { command: interpreter.executable, args: ['-m', 'pip', '--python', pythonOf(folder)] }
    : { command: pythonOf(folder), args: ['-m', 'pip'] };
  await run('install the locked packages', pip.command, [
    ...pip.args,
    'install',
    '--require-hashes',
    '--only-binary',
    ':all:',
    '--no-compile', // what is imported is compiled then; all of it up front costs longer than the download
    '--no-input',
    '--disable-pip-version-check',
    '--progress-bar',
    'off',
    '-r',
    request.lockFile,
  ]);
}

async function installedPackages(
  folder: string,
  env: Record<string, string>,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const script =
    'import json; from importlib.metadata import distributions as d; print(json.dumps({p.metadata["Name"]: p.version for p in d()}))';
  const result = await runProcess({
    command: pythonOf(folder),
    args: ['-I', '-c', script],
    cwd: folder,
    env,
    signal,
    timeout: 60_000,
  });
  if (result.code !== 0) throw installFailure('start the new environment', result.output, result.timedOut);
  const line = result.output.split('\n').find((text) => text.startsWith('{')); // warnings may stand around it
  return z.record(z.string(), z.string()).parse(parseJson(line ?? ''));
}

/** Moves a finished environment to its place, or leaves the one that another process put there first. */
async function moveInto(folder: string, home: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await rename(folder, home);
      return;
    } catch (error) {
      const taken = hasCode(error, 'ENOTEMPTY') || hasCode(error, 'EEXIST') || hasCode(error, 'EPERM');
      if (!taken || attempt === 3) throw error;
      if ((await readReady(home)) !== null) return;
      // without a marker it is a leftover that nobody uses
      await rm(home, { recursive: true, force: true, maxRetries: 3 });
    }
  }
}

async function readReady(home: string): Promise<EnvironmentRecord | null> {
  try {
    const record = EnvironmentRecord.parse(parseJson(await readFile(join(home, marker), 'utf8')));
    await access(pythonOf(home)); // the Python that it links to may be gone
    return record;
  } catch {
    return null;
  }
}

function pythonOf(folder: string): string {
  return process.platform === 'win32' ? join(folder, 'Scripts', 'python.exe') : join(folder, 'bin', 'python');
}

/** What pip may see: the user's pip, proxy and certificate settings, and no other secret of the caller. */
function installerVariables(): Record<string, string> {
  const allowed =
    /^(PATH|HOME|USERPROFILE|APPDATA|LOCALAPPDATA|SYSTEMROOT|TMPDIR|TEMP|TMP|LANG|LC_ALL|NETRC|PIP_.*|XDG_.*|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|(HTTPS?|NO|ALL)_PROXY|PYENV_.*|LD_LIBRARY_PATH)$/i;
  const passed = Object.entries(process.env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && allowed.test(entry[0]),
  );
  return { HOME: homedir(), ...Object.fromEntries(passed), PIP_REQUIRE_VIRTUALENV: '0' };
}

function installFailure(what: string, output: string, timedOut: boolean): UserError {
  const reason = output.split('\n').filter((line) => /error|no module named/i.test(line));
  const said = (reason.at(0) ?? lastLine(output)).trim().slice(0, 300);
  const full = /no space left on device/i.test(output);
  return new UserError({
    code: 'environment_failed',
    message: timedOut
      ? `Could not ${what} within ${installTimeout / 60_000} minutes.`
      : full
        ? `Could not ${what}: the disk is full.`
        : `Could not ${what}: ${said || 'no message'}`,
    where: 'requirements.lock',
    fix: full
      ? 'Free some space and run the same command again.'
      : /ensurepip|No module named venv|No module named pip/.test(output)
        ? "Install Python's venv and pip (Debian: python3-venv), then run the same command again."
        : /hash/i.test(said)
          ? 'A package does not have the bytes that the lock names: lock again, or check where pip downloads from.'
          : 'Check that pip can reach its package index and that the lock fits this Python and platform, then run the same command again.',
  });
}
