import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { openDuckDb } from '../../src/data/duckdb.ts';
import type { SqlEngine } from '../../src/data/engine.ts';
import { silentLogger } from '../../src/logger.ts';
import { Registry } from '../../src/registry/registry.ts';
import type { StageContext } from '../../src/stages/define.ts';
import { FileSystemStorage } from '../../src/store/file-system.ts';
import { Store } from '../../src/store/store.ts';

export const flightsData = path.resolve('examples/flights/data');

export interface TestContext {
  folder: string;
  store: Store;
  context: StageContext;
  warnings: string[];
  engine(): Promise<SqlEngine>;
  /** Writes a query's rows as a Parquet file of this folder. */
  parquet(name: string, sql: string): Promise<string>;
  /** Stores texts as a code manifest. */
  code(files: Record<string, string>): Promise<string>;
  close(): Promise<void>;
}

/** A store, an engine and a stage context in a folder of their own. */
export async function testContext(): Promise<TestContext> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'modelgate-data-'));
  const store = new Store(new FileSystemStorage(path.join(folder, 'store')));
  const warnings: string[] = [];
  const logger = { ...silentLogger, warn: (message: string) => void warnings.push(message) };
  const workDirectory = path.join(folder, 'work');
  await mkdir(workDirectory);
  const engines: SqlEngine[] = [];
  const open = async (options = {}) => {
    const engine = await openDuckDb({ workDirectory, ...options });
    engines.push(engine);
    return engine;
  };
  const now = () => new Date('2013-02-01T00:00:00Z');
  const producer = { commit: null, run: 'test', attempt: 1, trigger: 'test', modelgate: 'test' };
  return {
    folder,
    store,
    warnings,
    context: {
      store,
      registry: new Registry({ store, now, logger }),
      engine: open,
      logger,
      signal: new AbortController().signal,
      now,
      producer,
      actor: { name: 'test', via: 'cli' },
      workDirectory,
      cacheDirectory: path.join(folder, 'cache'),
    },
    engine: open,
    async parquet(name, sql) {
      const engine = await open();
      const file = path.join(folder, name);
      await engine.writeParquet(sql, file);
      await engine.close();
      return file;
    },
    async code(files) {
      const stored = await Promise.all(
        Object.entries(files).map(async ([name, text]) => {
          const bytes = Buffer.from(text);
          return { name, size: bytes.length, sha256: await store.putBytes(bytes) };
        }),
      );
      return store.putManifest({ kind: 'code', files: stored, inputs: {}, facts: {}, producer });
    },
    async close() {
      for (const engine of engines) await engine.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
