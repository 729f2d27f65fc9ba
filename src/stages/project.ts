import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { cacheDirectory } from '../cache-directory.ts';
import { type Loaded, loadConfig, loadSettings, requireFiles } from '../config/load.ts';
import { Config, Instant } from '../config/schema.ts';
import { contentProducer } from '../data/manifests.ts';
import { hasCode, UserError } from '../errors.ts';
import type { Logger } from '../logger.ts';
import type { Actor } from '../registry/entries.ts';
import { Registry } from '../registry/registry.ts';
import type { Producer } from '../store/manifest.ts';
import { openStorage, storeUrl } from '../store/open.ts';
import { Store } from '../store/store.ts';
import { version } from '../version.ts';
import { ciRun } from './ci-run.ts';
import type { Project } from './command.ts';
import type { StageContext } from './define.ts';
import { triggerOf } from './trigger.ts';

export interface ProjectOptions {
  /** Default `modelgate.yaml` in the current folder. */
  configFile?: string | undefined;
  /** A folder or s3://bucket/prefix; default: the configuration's `store`. */
  store?: string | undefined;
  /** Take this as the present when the age of data is judged. */
  asOf?: string | undefined;
  actor: Actor;
  producer?: Producer;
  logger: Logger;
  signal: AbortSignal;
}

/**
 * Opens a model repository: its configuration when asked for, its store, and a work folder that is removed at
 * the end. The store may be given where there is no configuration.
 */
export async function openProject(options: ProjectOptions): Promise<Project & AsyncDisposable> {
  const file = path.resolve(options.configFile ?? 'modelgate.yaml');
  let reading: Promise<Loaded | null> | undefined;
  const read = () => {
    reading ??= loadSettings(file).then((loaded) => loaded && withAsOf(loaded, options.asOf));
    return reading;
  };
  let loading: Promise<Loaded> | undefined;
  const config = () => {
    loading ??= read().then(async (loaded) => {
      if (loaded === null) return loadConfig(file); // which says what is missing
      await requireFiles(loaded);
      return loaded;
    });
    return loading;
  };
  const settings = async () => {
    const loaded = await read();
    // only the default may be absent: a mistyped name would take every rule away
    return loaded === null && options.configFile !== undefined ? config() : loaded;
  };
  const storage = await openStorage(await placeOfStore(options.store, file, settings));
  const store = new Store(storage);
  const workRoot = path.join(os.tmpdir(), 'modelgate');
  await mkdir(workRoot, { recursive: true });
  const workDirectory = await mkdtemp(path.join(workRoot, 'run-'));
  const context: StageContext = {
    store,
    registry: new Registry({ store, now: () => new Date(), logger: options.logger }),
    // what only some stages need is loaded when it is asked for: a promotion starts in half of the time
    async engine(engineOptions) {
      const { openDuckDb } = await import('../data/duckdb.ts');
      return openDuckDb({ workDirectory, signal: options.signal, ...engineOptions });
    },
    logger: options.logger,
    signal: options.signal,
    now: () => new Date(),
    producer: options.producer ?? (await localProducer(path.dirname(file))),
    actor: options.actor,
    workDirectory,
    cacheDirectory: cacheDirectory(),
  };
  return {
    config,
    settings,
    context,
    async [Symbol.asyncDispose]() {
      await rm(workDirectory, { recursive: true, force: true });
    },
  };
}

async function placeOfStore(
  given: string | undefined,
  file: string,
  settings: () => Promise<Loaded | null>,
): Promise<string> {
  if (given !== undefined) return storeUrl(given);
  const usual = path.resolve(path.dirname(file), '.modelgate/store');
  try {
    const loaded = await settings();
    if (loaded === null) return usual;
    const { config: parsed, root } = loaded;
    return storeUrl(parsed.store, root);
  } catch (error) {
    // A command that needs no configuration works beside a broken or missing modelgate.yaml; a mistyped name of
    // another file would lead to another store.
    const mistyped = error instanceof UserError && error.code === 'config_missing';
    if (error instanceof UserError && !(mistyped && path.basename(file) !== 'modelgate.yaml')) return usual;
    throw error;
  }
}

function withAsOf(loaded: Loaded, asOf: string | undefined): Loaded {
  if (asOf === undefined) return loaded;
  const parsed = Instant.safeParse(asOf);
  if (!parsed.success) {
    throw new UserError({
      code: 'usage',
      message: `--as-of is not a time: ${JSON.stringify(asOf)}.`,
      fix: 'Give a date or a time, e.g. --as-of 2013-04-01.',
    });
  }
  return { ...loaded, config: Config.parse({ ...loaded.config, as_of: parsed.data }) };
}

/** Who runs this: from the variables of the CI, from git and the clock elsewhere. */
export async function localProducer(folder: string): Promise<Producer> {
  const { commit, run, attempt } = ciRun(process.env);
  return {
    commit: commit ?? (await gitCommit(folder)),
    run: run ?? `local-${new Date().toISOString().replace(/[:.]/g, '-')}`,
    attempt,
    trigger: triggerOf(process.env),
    modelgate: version,
  };
}

async function gitCommit(folder: string): Promise<string | null> {
  const [{ execFile }, { promisify }] = await Promise.all([
    import('node:child_process'),
    import('node:util'),
  ]);
  try {
    const { stdout } = await promisify(execFile)('git', ['rev-parse', 'HEAD'], {
      cwd: folder,
      timeout: 5000,
    });
    return stdout.trim() || null;
  } catch {
    return null; // not a repository, or no git: the digest of the code still names it
  }
}

/** The digest of files of the user's repository, by the name that the stage knows them under. */
export async function putCode(store: Store, files: Record<string, string>): Promise<string> {
  const stored = await Promise.all(
    Object.entries(files)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(async ([name, file]) => {
        try {
          const bytes = await readFile(file);
          return { name, size: bytes.length, sha256: await store.putBytes(bytes) };
        } catch (error) {
          if (!hasCode(error, 'ENOENT')) throw error;
          throw new UserError({
            code: 'config_missing',
            message: 'The file is not there.',
            where: { file },
            fix: 'Mend the path in modelgate.yaml.',
          });
        }
      }),
  );
  return store.putManifest({ kind: 'code', files: stored, inputs: {}, facts: {}, producer: contentProducer });
}
