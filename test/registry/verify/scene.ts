import { mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Json } from '../../../src/json.ts';
import type { Random } from '../../../src/stats/random.ts';
import type { Tree } from './specimen.ts';

export interface Scene {
  /** The store that is spoilt; `outside` is a folder beside it that nobody may read. */
  folder: string;
  outside: string;
  /** What the store held before. */
  tree: Tree;
  random: Random;
}

export function put(scene: Scene, key: string, bytes: Buffer): void {
  const target = path.join(scene.folder, key);
  makeFolders(path.dirname(target));
  rmSync(target, { recursive: true, force: true });
  writeFileSync(target, bytes);
}

export function drop(scene: Scene, key: string): void {
  rmSync(path.join(scene.folder, key), { recursive: true, force: true });
  makeFolders(path.dirname(path.join(scene.folder, key)));
}

export function link(scene: Scene, key: string, targets: readonly string[]): void {
  symlinkSync(targets[scene.random.below(targets.length)]!, path.join(scene.folder, key));
}

export function file({ tree, random }: Scene, pattern = /./): string {
  const found = [...tree.keys()].filter((key) => pattern.test(key));
  return found[random.below(found.length)]!;
}

export function folder(scene: Scene): string {
  const parts = file(scene).split('/');
  return parts.slice(0, 1 + scene.random.below(parts.length - 1)).join('/');
}

export function parse({ tree }: Scene, key: string): Json {
  return JSON.parse(tree.get(key)!.toString('utf8')) as Json;
}

/** As `mkdir -p`. Node's own never ends where a link of an earlier mutation leads nowhere. */
export function makeFolders(folder: string): void {
  try {
    if (statSync(folder).isDirectory()) return;
  } catch {
    makeFolders(path.dirname(folder));
  }
  mkdirSync(folder);
}
