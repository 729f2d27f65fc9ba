import type { Dirent } from 'node:fs';
import { lstat, open, opendir } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { hasCode, namesNoFile } from '../errors.ts';
import { parseLock } from '../training/requirements.ts';
import { visible } from '../visible.ts';
import { parseYaml } from '../yaml.ts';
import { isThere } from './new-files.ts';

export interface DataFile {
  /** From the repository's root, with `/`. */
  path: string;
  bytes: number;
}

/** What is there already, and what is made of it. */
export interface Survey {
  /** The likeliest training data first. */
  data: DataFile[];
  /** Data files whose names a pattern, a terminal or YAML could take for something else. */
  refused: string[];
  /** Files of other tools, and what they mean here. */
  found: { file: string; note: string }[];
  /** A training script that uses the module `modelgate`. */
  script: string | null;
  /** A lock with versions and hashes that holds what training needs. */
  lock: string | null;
  /** `train` of params.yaml, where it holds plain values. */
  params: Record<string, string | number | boolean> | null;
  /** Whether not all of the repository was looked at. */
  cut: boolean;
}

const mostEntries = 20_000;
const mostDepth = 6;
const mostScripts = 200;
const largestText = 256 * 1024;
const skipped =
  /^(\..*|node_modules|venv|env|__pycache__|site-packages|mlruns|mlartifacts|dist|build|evaluation)$/;
const dataFile = /\.(parquet|csv|csv\.gz)$/i;
/** `*` and its like are a pattern in modelgate.yaml, and a name that cannot be shown cannot be checked by a person. */
const strange = /[*?[\]{}()!@+|\\\p{Cc}\p{Cf}\p{Cs}]/u;
const notTraining =
  /(^|[^a-z])(test|valid|validation|holdout|sample|submission|predictions?|scores?)([^a-z]|$)/i;
const needed = ['numpy', 'onnx', 'pyarrow'];

/** Looks through a repository, bounded in depth and number; links are not followed. */
export async function survey(root: string): Promise<Survey> {
  const files: DataFile[] = [];
  const refused: string[] = [];
  const scripts: string[] = [];
  const others: string[] = [];
  let entries = 0;
  const visit = async (folder: string, depth: number): Promise<void> => {
    const folders: string[] = [];
    for (const entry of await entriesOf(path.join(root, folder), mostEntries - entries)) {
      entries++;
      const name = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory() && !skipped.test(entry.name)) folders.push(name);
      if (!entry.isFile()) continue;
      if (dataFile.test(name)) {
        if (strange.test(name) || name.length > 400) refused.push(visible(name).slice(0, 200));
        else files.push({ path: name, bytes: (await lstat(path.join(root, name))).size });
      } else if (name.endsWith('.py')) scripts.push(name);
      else others.push(name);
    }
    if (depth < mostDepth) for (const next of folders.sort()) await visit(next, depth + 1);
  };
  await visit('', 0);
  const found: Survey['found'] = [];
  const script = await trainingScript(root, scripts.sort().slice(0, mostScripts), found);
  return {
    data: files.filter(({ bytes }) => bytes > 0).sort(likelier),
    refused,
    found: [...found, ...(await otherTools(root, others))],
    script,
    lock: await goodLock(root, script),
    params: others.includes('params.yaml') ? await paramsOf(root) : null,
    cut: entries >= mostEntries,
  };
}

async function entriesOf(folder: string, most: number): Promise<Dirent[]> {
  const found: Dirent[] = [];
  try {
    for await (const entry of await opendir(folder)) {
      if (found.length >= most) break;
      found.push(entry);
    }
  } catch (error) {
    // a folder that went away or may not be read has nothing for us
    if (!namesNoFile(error) && !hasCode(error, 'EACCES')) throw error;
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function likelier(a: DataFile, b: DataFile): number {
  const unlike = Number(notTraining.test(a.path)) - Number(notTraining.test(b.path));
  return unlike || b.bytes - a.bytes || (a.path < b.path ? -1 : 1);
}

/** The text of a small regular file; null where there is none. A pipe or a link is not opened. */
export async function smallText(file: string): Promise<string | null> {
  try {
    const { size } = await lstat(file).then((found) =>
      found.isFile() ? found : { size: Number.POSITIVE_INFINITY },
    );
    if (size > largestText) return null;
    const handle = await open(file);
    try {
      return await handle.readFile('utf8');
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (namesNoFile(error) || hasCode(error, 'EACCES')) return null;
    throw error;
  }
}

async function trainingScript(
  root: string,
  scripts: readonly string[],
  found: Survey['found'],
): Promise<string | null> {
  let ours: string | null = null;
  for (const name of scripts) {
    const text = await smallText(path.join(root, name));
    if (text === null || strange.test(name)) continue;
    const uses = /^\s*(import modelgate\b|from modelgate import )/m.test(text) && /\bsave\(/.test(text);
    if (uses) ours ??= name;
    else if (/(^|\/)train[^/]*\.py$/i.test(name) || /\.fit\(/.test(text)) {
      found.push({
        file: name,
        note: 'trains, but not through the module modelgate: move its model into the script that modelgate.yaml names',
      });
    }
  }
  if (ours !== null) found.push({ file: ours, note: 'is the training script: it uses the module modelgate' });
  return ours;
}

const notes: Readonly<Record<string, string>> = {
  'dvc.yaml':
    'dvc goes on as before; ModelGate keeps digests of its own. `dvc pull` first, so that the data are there',
  'dvc.lock': 'versions of DVC are not read: ModelGate takes a digest of each data file itself',
  MLproject: 'its environment is not used; the script that modelgate.yaml names is run, with its lock',
  'params.yaml': 'parameters of training belong under train.params of modelgate.yaml',
  'uv.lock':
    '`uv export --format requirements-txt > train/requirements.lock` makes a lock that ModelGate takes',
  'pyproject.toml':
    'training needs a lock with hashes: `uv pip compile --generate-hashes pyproject.toml -o train/requirements.lock`',
  'requirements.txt':
    'training needs a lock with hashes: `uv pip compile --generate-hashes requirements.txt -o train/requirements.lock`',
};

async function otherTools(root: string, names: readonly string[]): Promise<Survey['found']> {
  const found = Object.entries(notes).flatMap(([file, note]) =>
    names.includes(file) ? [{ file, note }] : [],
  );
  const tracked = names.filter((name) => /\.(csv|parquet)(\.gz)?\.dvc$/i.test(name)).slice(0, 20);
  for (const name of tracked) {
    const there = await isThere(path.join(root, name.slice(0, -'.dvc'.length)));
    if (!there)
      found.push({ file: visible(name), note: 'DVC tracks data that are not here: run `dvc pull`' });
  }
  return found;
}

async function goodLock(root: string, script: string | null): Promise<string | null> {
  const beside = script === null ? 'train' : path.posix.dirname(script);
  const names = ['requirements.lock', 'requirements.txt'];
  for (const name of [...names.map((one) => path.posix.join(beside, one)), ...names]) {
    const text = await smallText(path.join(root, name));
    if (text === null) continue;
    try {
      const packages = parseLock(text, name).map((one) => one.name.toLowerCase());
      if (needed.every((one) => packages.includes(one))) return name;
    } catch {
      // not a lock: said by its note
    }
  }
  return null;
}

const Params = z.record(
  z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/),
  z.union([z.string().max(200), z.number(), z.boolean()]),
);

async function paramsOf(root: string): Promise<Survey['params']> {
  const text = await smallText(path.join(root, 'params.yaml'));
  if (text === null) return null;
  try {
    const { value } = parseYaml(text, 'params.yaml', 'config_invalid');
    return z.object({ train: Params }).parse(value).train;
  } catch {
    return null; // of another form: its note says where parameters belong
  }
}
