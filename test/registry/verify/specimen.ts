import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { lock, retire, unlock } from '../../../src/registry/locks.ts';
import { register } from '../../../src/registry/register.ts';
import type { Registry } from '../../../src/registry/registry.ts';
import { promote, rollback } from '../../../src/rollout/move.ts';
import {
  alice,
  bob,
  environments,
  model,
  openRegistry,
  promotion,
  registerVersions,
  storeRun,
} from '../world.ts';

export const otherModel = 'diamonds-price';

/** Contents of a store's files, by key; without its temporary files. */
export type Tree = ReadonlyMap<string, Buffer>;

/** Two models: four versions, moves, a rollback, locks and a retirement. 26 log entries. */
export async function fillStore(folder: string): Promise<Registry> {
  const registry = openRegistry(folder);
  await registerVersions(registry, 3);
  await move(registry, 1, 'staging');
  await move(registry, 1, 'production');
  await move(registry, 2, 'staging');
  await move(registry, 2, 'production');
  const back = { ...promotion, environment: 'production', to: null, reason: 'slow', actor: bob };
  await rollback(registry, back);
  await holdAndFree(registry, 'staging', 4);
  await move(registry, 3, 'staging');
  await move(registry, 3, 'production');
  await retire(registry, { model, version: 2, op_id: null, reason: null, actor: alice });
  const gate = await storeRun(registry.store, { seed: 77, rows: 500 });
  await register(registry, { model: otherModel, gate, actor: alice });
  return registry;
}

export async function move(registry: Registry, version: number, environment: string): Promise<void> {
  await promote(registry, { ...promotion, version, environment, actor: alice });
}

/** `times` two entries that change nothing in the end: a lock and its end. */
export async function holdAndFree(registry: Registry, environment: string, times: number): Promise<void> {
  const held = { model, environment, environments, op_id: null, reason: null, actor: alice };
  for (let time = 0; time < times; time += 1) {
    await lock(registry, { ...held, ttl: null });
    await unlock(registry, { ...held, force: false });
  }
}

export function readTree(folder: string): Map<string, Buffer> {
  const tree = new Map<string, Buffer>();
  for (const found of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!found.isFile()) continue;
    const file = path.join(found.parentPath, found.name);
    const key = path.relative(folder, file).split(path.sep).join('/');
    if (!key.startsWith('tmp/')) tree.set(key, readFileSync(file));
  }
  return tree;
}

/** A folder that is spoilt again and again, and each time made to hold the same tree and nothing else. */
export class Spoilable {
  readonly folder: string;
  private readonly tree: Tree;
  private readonly folders: ReadonlySet<string>;
  /** When each file last changed, in nanoseconds: one that did not is not written again. */
  private readonly changed = new Map<string, bigint>();

  constructor(folder: string, tree: Tree) {
    this.folder = folder;
    this.tree = tree;
    const parents = [...tree.keys()].flatMap((key) => {
      const parts = key.split('/').slice(0, -1);
      return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
    });
    this.folders = new Set(parents);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
  }

  restore(): void {
    const kept = new Set<string>();
    this.clean('', kept);
    for (const [key, bytes] of this.tree) {
      if (kept.has(key)) continue;
      const file = path.join(this.folder, key);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, bytes);
      this.changed.set(key, lstatSync(file, { bigint: true }).ctimeNs);
    }
  }

  /** Removes all that is not as it was; adds the files that are to `kept`. */
  private clean(below: string, kept: Set<string>): void {
    for (const found of readdirSync(path.join(this.folder, below), { withFileTypes: true })) {
      const key = below === '' ? found.name : `${below}/${found.name}`;
      const place = path.join(this.folder, key);
      if (found.isDirectory() && this.folders.has(key)) this.clean(key, kept);
      else if (lstatSync(place, { bigint: true }).ctimeNs === this.changed.get(key)) kept.add(key);
      else rmSync(place, { recursive: true });
    }
  }
}
