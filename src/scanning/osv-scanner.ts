import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { assetPath } from '../assets.ts';
import { hasCode, UserError } from '../errors.ts';
import { type Json, parseJson } from '../json.ts';
import { runProcess } from '../training/process.ts';
import { visible } from '../visible.ts';
import { installScanner, type PinnedScanner } from './install-osv-scanner.ts';

/** What is scanned: a file of pinned requirements, or an image by its digest. */
export type Target = { requirements: string } | { image: string };

export interface ScannerRun {
  /** Path of the program. */
  scanner: string;
  target: Target;
  /** How messages and the report call it. */
  name: string;
  /** An empty folder of its own. */
  folder: string;
  /** Ask nobody: the databases lie in OSV_SCANNER_LOCAL_DB_CACHE_DIRECTORY. */
  offline: boolean;
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
  /** Bytes of a report at most. */
  limit: number;
}

/** Milliseconds for one scan; an image may have to be fetched. Two fit into the half hour of the job. */
const patience = 840_000;

/** What a program of strangers gets to know: where programs and proxies are, no token and no role. */
const passedOn =
  /^(PATH|HOME|USERPROFILE|LOCALAPPDATA|SYSTEMROOT|TMPDIR|TEMP|TMP|HTTPS?_PROXY|NO_PROXY|SSL_CERT_(FILE|DIR)|DOCKER_(HOST|CONFIG|CONTEXT|CERT_PATH|TLS_VERIFY)|XDG_RUNTIME_DIR|OSV_SCANNER_LOCAL_DB_CACHE_DIRECTORY)$/i;

/** The program: named in MODELGATE_SCANNER, or the one that osv-scanner-lock.json pins, kept in `cache`. */
export async function findScanner({
  env,
  cache,
  signal,
}: {
  env: NodeJS.ProcessEnv;
  cache: string;
  signal: AbortSignal;
}): Promise<string> {
  if (env.MODELGATE_SCANNER) return path.resolve(env.MODELGATE_SCANNER);
  const lock = assetPath(import.meta.url, 'osv-scanner-lock.json');
  const pinned = JSON.parse(await readFile(lock, 'utf8')) as PinnedScanner;
  const releases = env.MODELGATE_SCANNER_RELEASES || pinned.releases;
  const platform = `${process.platform}-${process.arch}`;
  return installScanner({ ...pinned, releases }, { platform, cache, signal });
}

/**
 * The scanner's JSON report, with the target's name in it, since the scanner's own says where a file lay. Known
 * weaknesses are no error: the gate judges them. Throws `scanner_missing`, `scanner_failed`, and `scan_incomplete`
 * where it found no package at all.
 */
export async function scanTarget(run: ScannerRun): Promise<{ [key: string]: Json }> {
  const { name, folder } = run;
  const report = path.join(folder, 'report.json');
  // an empty one of ours: none that lies beside what is scanned is looked for
  const config = path.join(folder, 'osv-scanner.toml');
  await writeFile(config, '');
  const { code, killedBy, timedOut, output } = await start(run, [
    ...('image' in run.target ? ['scan', 'image'] : ['scan', 'source', '--no-resolve']),
    ...['--all-packages', '--format', 'json', '--output-file', report, '--config', config],
    ...(run.offline ? ['--offline'] : []),
    ...('image' in run.target
      ? [run.target.image]
      : ['--lockfile', `requirements.txt:${run.target.requirements}`]),
  ]);
  if (code === 128) {
    throw new UserError({
      code: 'scan_incomplete',
      message: `OSV-Scanner found no package in ${name}.`,
      where: name,
      fix: 'See that it is the wanted one: of an image without packages a scan shows nothing.',
    });
  }
  // 0: nothing is known; 1: something is; all else is a scan that did not happen
  if (code !== 0 && code !== 1) {
    const ended = timedOut
      ? `took longer than ${patience / 60_000} minutes`
      : `ended with ${code ?? killedBy}`;
    throw failed(run, `OSV-Scanner ${ended} on ${name}: ${visible(output.trim().slice(-500))}`);
  }
  return { ...(await readReport(report, run)), modelgate: { target: name } };
}

async function start({ scanner, folder, env, signal }: ScannerRun, args: readonly string[]) {
  const passed = Object.entries(env).filter(
    (one): one is [string, string] => passedOn.test(one[0]) && one[1] !== undefined,
  );
  try {
    return await runProcess({
      ...{ command: scanner, args, cwd: folder, signal, timeout: patience },
      env: Object.fromEntries(passed),
    });
  } catch (cause) {
    if (!hasCode(cause, 'ENOENT') && !hasCode(cause, 'EACCES') && !hasCode(cause, 'ENOEXEC')) throw cause;
    throw new UserError({
      code: 'scanner_missing',
      message: 'The scanner cannot be started.',
      where: scanner,
      fix: 'Name an OSV-Scanner for this machine in MODELGATE_SCANNER, or leave it out for the pinned one.',
      cause,
    });
  }
}

async function readReport(file: string, run: ScannerRun): Promise<{ [key: string]: Json }> {
  try {
    if ((await stat(file)).size > run.limit) throw new Error(`it has more than ${run.limit} bytes`);
    const report = parseJson(await readFile(file, 'utf8'), run.limit);
    if (typeof report === 'object' && report !== null && !Array.isArray(report)) return report;
    throw new Error('it is no JSON object');
  } catch (cause) {
    throw failed(
      run,
      `The report of OSV-Scanner on ${run.name} cannot be read: ${visible(String(cause)).slice(0, 300)}`,
      cause,
    );
  }
}

function failed({ target, name }: ScannerRun, message: string, cause?: unknown): UserError {
  const fix =
    'image' in target
      ? 'Docker must be there and able to pull the image; the scanner must reach api.osv.dev.'
      : 'The scanner must reach api.osv.dev.';
  return new UserError({ code: 'scanner_failed', message: `${message}.`, where: name, fix, cause });
}
