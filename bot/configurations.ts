import { loadConfig } from '../src/config/load.ts';
import type { Config } from '../src/config/schema.ts';
import { UserError } from '../src/errors.ts';
import type { GitHub } from '../src/github/port.ts';
import { canonicalJson } from '../src/json.ts';
import type { Logger } from '../src/logger.ts';
import { mapAtMost } from '../src/map-at-most.ts';
import { isGlob, matchesGlob } from '../src/repository/glob.ts';
import { dependsOf, isSample } from '../src/repository/touched.ts';

/** A configuration file is small; parseYaml refuses more. */
const largestFile = 64 * 1024;
/** Configurations of one repository, and those read at once. */
const most = 1000;
const atOnce = 8;

/** A configuration of the default branch. */
export interface Found {
  file: string;
  config: Config;
  depends: readonly string[];
}

/** The text of a blob, kept by whoever asks: what a commit left alone is not read again. */
export type Blobs = (blob: string, make: () => Promise<string | null>) => Promise<string | null>;

/**
 * Reads those of the named configurations that a commit has, in their order; patterns stand for what they fit. Of
 * those that only a pattern names, one that cannot be read keeps no other from being read. Throws `config_invalid`,
 * `config_missing`.
 */
export async function readConfigurations(
  github: GitHub,
  { sha, wanted, blobs, logger }: { sha: string; wanted: readonly string[]; blobs: Blobs; logger: Logger },
): Promise<Found[]> {
  const named = wanted.filter((file) => !isGlob(file));
  const tree = named.length === wanted.length ? null : await treeOf(github, sha);
  const files = tree === null ? named : expand(wanted, [...tree.keys()]);
  const read = reader(github, { sha, tree, blobs });
  const found = await mapAtMost(files, atOnce, (file) =>
    readOne(file, read).catch((error: unknown) => {
      if (named.includes(file) || !(error instanceof UserError && error.code.startsWith('config_')))
        throw error;
      logger.warn(`${file} of ${sha.slice(0, 12)} is left out: ${error.message}`);
      return null;
    }),
  );
  const there = found.filter((one) => one !== null);
  if (there.length === 0) throw nothingThere(wanted);
  if (!named.includes(there[0]!.file)) requireOnePolicy(there);
  return there;
}

type Read = (file: string) => Promise<string | null>;

async function readOne(file: string, read: Read): Promise<Found | null> {
  if ((await read(`/${file}`)) === null) return null;
  const loaded = await loadConfig(`/${file}`, { read, complete: false });
  return { file, config: loaded.config, depends: dependsOf('/', loaded) };
}

/** Each file once; with the tree what it does not hold is not asked for. */
function reader(
  github: GitHub,
  { sha, tree, blobs }: { sha: string; tree: ReadonlyMap<string, string> | null; blobs: Blobs },
): Read {
  const texts = new Map<string, Promise<string | null>>();
  const ask = async (path: string) =>
    (await github.file({ path, sha, limit: largestFile }))?.toString('utf8') ?? null;
  return (file) => {
    const path = file.replace(/^\//, '');
    const blob = tree?.get(path);
    const make = () => (blob === undefined ? ask(path) : blobs(blob, () => ask(path)));
    const text = texts.get(path) ?? (tree !== null && blob === undefined ? Promise.resolve(null) : make());
    texts.set(path, text);
    return text;
  };
}

async function treeOf(github: GitHub, sha: string): Promise<ReadonlyMap<string, string>> {
  const files = await github.tree(sha);
  if (files !== null) return new Map(files.map(({ path, blob }) => [path, blob]));
  throw new UserError({
    code: 'config_invalid',
    message: 'The repository has more files than GitHub lists, so patterns for configurations find nothing.',
    where: 'MODELGATE_CONFIG_FILES',
    fix: 'Name the paths without * there.',
  });
}

/** In the order in which they are named; those of one pattern by depth, then by name. */
function expand(wanted: readonly string[], files: readonly string[]): string[] {
  const depth = (file: string) => file.split('/').length;
  const sorted = files
    .filter((file) => !isSample(file))
    .sort((a, b) => depth(a) - depth(b) || (a < b ? -1 : 1));
  const expanded = new Set(
    wanted.flatMap((one) => (isGlob(one) ? sorted.filter((file) => matchesGlob(one, file)) : [one])),
  );
  if (expanded.size <= most) return [...expanded];
  throw new UserError({
    code: 'config_invalid',
    message: `${expanded.size} files fit the patterns for configurations; ${most} at most are read.`,
    where: 'MODELGATE_CONFIG_FILES',
    fix: 'Name fewer.',
  });
}

/** Nobody may give the repository its policy by the name of a folder. */
function requireOnePolicy([first, ...others]: readonly Found[]): void {
  const policy = canonicalJson(first!.config.chatops);
  const other = others.find(({ config }) => canonicalJson(config.chatops) !== policy);
  if (other === undefined) return;
  throw new UserError({
    code: 'config_invalid',
    message: `The policies of ${first!.file} and ${other.file} differ, and no file was named whose policy holds.`,
    where: { file: other.file, key: 'chatops' },
    fix: 'Put the path of that file first in MODELGATE_CONFIG_FILES, e.g. modelgate.yaml,**/modelgate.yaml.',
  });
}

const nothingThere = (wanted: readonly string[]): UserError =>
  new UserError({
    code: 'config_missing',
    message: `The default branch has none of ${wanted.slice(0, 20).join(', ')}.`,
    where: { file: wanted[0] ?? 'modelgate.yaml' },
    fix: 'Add modelgate.yaml, or name its path in MODELGATE_CONFIG_FILES of the bot.',
  });
