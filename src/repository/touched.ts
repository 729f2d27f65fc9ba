import path from 'node:path';
import type { Loaded } from '../config/load.ts';
import { isGlob, matchesGlob } from './glob.ts';

/** A model of the repository and what it is made from; all paths from the repository's root, with slashes. */
export interface ModelPaths {
  model: string;
  /** Its configuration file. */
  config: string;
  /** The configuration of its sample run, whether or not it is there. */
  sample: string;
  /** Files, folders and patterns that it depends on beside its own folder; `.` is the whole repository. */
  depends: readonly string[];
}

/** `models/flights/modelgate.yaml` has the sample run of `models/flights/modelgate.sample.yaml`. */
export const sampleOf = (config: string): string => config.replace(/(\.ya?ml)?$/, (end) => `.sample${end}`);

export const isSample = (file: string): boolean => /\.sample(\.ya?ml)?$/.test(file);

/** What a configuration names in the repository whose root this is. */
export function dependsOf(root: string, { config, files, named }: Omit<Loaded, 'root' | 'locate'>): string[] {
  // what is trained takes every Python file beside the script
  const beside = path.join(path.dirname(config.train.script), '*.py');
  const inside = [...files, ...named, beside]
    .map((one) => path.relative(root, one).split(path.sep).join('/') || '.')
    .filter((one) => one !== '..' && !one.startsWith('../') && !path.isAbsolute(one));
  return [...new Set(inside.flatMap(withFolder))].sort();
}

/** Configurations take more signs in patterns than `matchesGlob`: for those stands the folder, which is no less. */
function withFolder(named: string): string[] {
  if (!/[[{\\]|[!@+?*]\(/.test(named)) return [named];
  const parts = named.split('/');
  const plain = parts.findIndex((part) => /[[{\\*?]|[!@+]\(/.test(part));
  return [named, parts.slice(0, plain).join('/') || '.'];
}

/**
 * The models that a change of these paths touches. A path counts for the model of the nearest folder above it that
 * has one, and for every model that names it, a folder above it, or a pattern that it fits; a submodule or a link also
 * for what is named below it. Configurations count for the models that read them alone: two models may share a folder.
 */
export function touchedModels<M extends ModelPaths>(models: readonly M[], changed: readonly string[]): M[] {
  const { folders, places } = lookUp(models, changed);
  const files = new Set(changed);
  const patterns = new Map<string, boolean>();
  const fits = (pattern: string): boolean => {
    const known = patterns.get(pattern) ?? changed.some((file) => matchesGlob(pattern, file));
    patterns.set(pattern, known);
    return known;
  };
  return models.filter(
    ({ config, sample, depends }) =>
      folders.has(folderOf(config)) ||
      [config, sample, ...depends].some((named) => places.has(named) || (isGlob(named) && fits(named))) ||
      depends.some((named) => isBelow(named, files)),
  );
}

/** Whether it lies below one of these paths. */
const isBelow = (file: string, paths: ReadonlySet<string>): boolean =>
  foldersAbove(file).some((folder) => paths.has(folder));

/**
 * These paths and the symbolic links that change with them: what a link leads to is as if it stood at the link.
 *
 * @param links the repository's links and what each names, both from its root
 */
export function withLinks(changed: readonly string[], links: ReadonlyMap<string, string>): string[] {
  const all = new Set(changed);
  const places = new Set(changed.flatMap((file) => [file, ...foldersAbove(file)]));
  // a link may lead to a link
  for (let before = -1; before < all.size; ) {
    before = all.size;
    for (const [link, end] of links) {
      if (all.has(link) || !(places.has(end) || isBelow(end, all))) continue;
      all.add(link);
      for (const one of [link, ...foldersAbove(link)]) places.add(one);
    }
  }
  return [...all];
}

/** The folders of models in which something changed, and all paths that changed with the folders above them. */
function lookUp(
  models: readonly ModelPaths[],
  changed: readonly string[],
): { folders: Set<string>; places: Set<string> } {
  const owners = new Set(models.map(({ config }) => folderOf(config)));
  const configurations = new Set(models.flatMap(({ config, sample }) => [config, sample]));
  const folders = new Set<string>();
  const places = new Set<string>(changed.length > 0 ? ['.'] : []);
  for (const file of changed) {
    places.add(file);
    const above = foldersAbove(file);
    for (const folder of above) places.add(folder);
    const owner = above.find((folder) => owners.has(folder));
    if (owner !== undefined && !configurations.has(file)) folders.add(owner);
  }
  return { folders, places };
}

/** The nearest first; the root is ''. */
function foldersAbove(file: string): string[] {
  const found: string[] = [];
  for (let folder = folderOf(file); ; folder = folderOf(folder)) {
    found.push(folder);
    if (folder === '') return found;
  }
}

function folderOf(file: string): string {
  const folder = path.posix.dirname(file);
  return folder === '.' || folder === '/' ? '' : folder;
}
