import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { openDuckDb } from '../../src/data/duckdb.ts';
import type { SqlEngine } from '../../src/data/engine.ts';
import { silentLogger } from '../../src/logger.ts';
import { Registry } from '../../src/registry/registry.ts';
import type { StageContext } from '../../src/stages/define.ts';
import { FileSystemStorage } from '../../src/store/file-system.ts';
import { Store } from '../../src/store/store.ts';

export interface Bench {
  folder: string;
  context: StageContext;
  engine: SqlEngine;
  /** Writes a query's rows as a Parquet file of this folder. */
  parquet(name: string, sql: string): Promise<string>;
}

/** A store, a registry and an engine in a folder of their own, gone at the end of the test. */
export async function bench(): Promise<Bench> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'modelgate-monitoring-'));
  const workDirectory = path.join(folder, 'work');
  await mkdir(workDirectory);
  const store = new Store(new FileSystemStorage(path.join(folder, 'store')));
  const now = () => new Date('2013-08-01T00:00:00Z');
  const engine = await openDuckDb({ workDirectory });
  onTestFinished(async () => {
    await engine.close();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    folder,
    engine,
    context: {
      store,
      registry: new Registry({ store, now, logger: silentLogger }),
      engine: (options) => openDuckDb({ workDirectory, ...options }),
      logger: silentLogger,
      signal: new AbortController().signal,
      now,
      producer: { commit: null, run: 'test', attempt: 1, trigger: 'local', modelgate: '0.1.0' },
      actor: { name: 'test', via: 'cli' },
      workDirectory,
      cacheDirectory: path.join(folder, 'cache'),
    },
    async parquet(name, sql) {
      const file = path.join(folder, name);
      await engine.writeParquet(sql, file);
      return file;
    },
  };
}

export const driftInputs = {
  time: null,
  block: 'day' as const,
  importance: null,
  columns: null,
  seed: 0,
};
