import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { silentLogger } from '../../src/logger.ts';
import type { Actor } from '../../src/registry/entries.ts';
import { register } from '../../src/registry/register.ts';
import { Registry } from '../../src/registry/registry.ts';
import type { StageContext } from '../../src/stages/define.ts';
import { FileSystemStorage } from '../../src/store/file-system.ts';
import { Store } from '../../src/store/store.ts';
import { producer, type Recipe, storeRun } from './runs.ts';

export { type Recipe, storeRun };

export const model = 'flights-late';
export const environments = ['staging', 'production'];
export const alice: Actor = { name: 'alice', via: 'cli' };
export const bob: Actor = { name: 'bob', via: 'cli' };

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'modelgate-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A clock that stands still until it is moved. */
export class Clock {
  time: number;
  constructor(at = '2026-01-01T00:00:00.000Z') {
    this.time = Date.parse(at);
  }
  now = () => new Date(this.time);
  forward(milliseconds: number) {
    this.time += milliseconds;
  }
}

export function openRegistry(folder: string, now: () => Date = () => new Date()): Registry {
  return new Registry({ store: new Store(new FileSystemStorage(folder)), now, logger: silentLogger });
}

/** Registers versions 1 to `count`, which passed. */
export async function registerVersions(
  registry: Registry,
  count: number,
  recipe: Recipe = {},
): Promise<void> {
  for (let seed = 1; seed <= count; seed += 1) {
    const gate = await storeRun(registry.store, { seed, ...recipe });
    await register(registry, { model, gate, actor: alice });
  }
}

/** The same packages with another gate result: new versions of what is there. */
export const judgedAgain: Recipe = { gate: { facts: { verdict: 'pass', metrics: { auc: 0.69 } } } };

/** All moves of an environment, from the log. */
export async function movesOf(registry: Registry, environment: string) {
  const entries = (await registry.entries(model)).map(({ entry }) => entry);
  return entries.filter(
    (entry) => (entry.type === 'promote' || entry.type === 'rollback') && entry.environment === environment,
  );
}

export function contextOf(registry: Registry, actor = alice): StageContext {
  return {
    store: registry.store,
    registry,
    engine: () => Promise.reject(new Error('no engine here')),
    logger: silentLogger,
    signal: new AbortController().signal,
    now: registry.now,
    producer,
    actor,
    workDirectory: '/nowhere',
    cacheDirectory: '/nowhere',
  };
}

export const promotion = {
  model,
  environment: 'staging',
  environments,
  version: null,
  expected_generation: null,
  op_id: null,
  reason: null,
  dry_run: false,
  override: null,
};
