import { mkdtemp } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { GeneratedLog, type LogPlan } from '../../bench/registry/log-generator.ts';
import { silentLogger } from '../../src/logger.ts';
import { Registry } from '../../src/registry/registry.ts';
import { keys } from '../../src/store/keys.ts';
import { Store } from '../../src/store/store.ts';
import { MemoryStorage } from '../store/memory-storage.ts';

/** A storage in memory that keeps the keys that were read or looked for. */
export class CountingStorage extends MemoryStorage {
  readonly asked: string[] = [];

  static override async open(): Promise<CountingStorage> {
    return new CountingStorage(await mkdtemp(path.join(os.tmpdir(), 'memory-storage-')));
  }

  override read(key: string, limit?: number): Promise<Buffer | null> {
    this.asked.push(key);
    return super.read(key, limit);
  }

  override size(key: string): Promise<number | null> {
    this.asked.push(key);
    return super.size(key);
  }
}

/** Writes a generated log into the storage: entries alone, as after the loss of all caches. */
export async function writeLog(storage: MemoryStorage, plan: LogPlan): Promise<GeneratedLog> {
  const log = new GeneratedLog(plan);
  for (const { entry, bytes } of log.entries()) await storage.create(keys.log(plan.model, entry.seq), bytes);
  return log;
}

export function registryOver(storage: MemoryStorage, now: () => Date = () => new Date()): Registry {
  return new Registry({ store: new Store(storage), now, logger: silentLogger });
}
