import { glob, lstat, readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { hasCode, namesNoFile, UserError, type Where } from '../errors.ts';
import { suggest } from '../suggest.ts';
import { type KeyPath, parseYaml, schemaError, type YamlFile } from '../yaml.ts';
import { Config } from './schema.ts';

export interface Loaded {
  config: Config;
  /** The folder of the outermost configuration file that others extend: where `store` is looked up. */
  root: string;
  /** All files that the configuration was read from. */
  files: string[];
  /** All other paths and patterns that it names, absolute, whether or not they are there. */
  named: string[];
  /** Where a value was written. */
  locate(path: KeyPath): Where;
}

/** Where configuration files are read from. */
export interface ConfigFiles {
  /** The text of a file by its absolute path; null where there is none. */
  read(file: string): Promise<string | null>;
  /** Whether the other files that a configuration names can be looked for. */
  complete: boolean;
}

/** From disk. */
export const diskFiles: ConfigFiles = {
  async read(file) {
    try {
      return await readFile(file, 'utf8');
    } catch (error) {
      if (namesNoFile(error)) return null;
      throw error;
    }
  },
  complete: true,
};

type Mapping = Record<string, unknown>;
interface Layer {
  file: string;
  yaml: YamlFile;
}

const fix =
  'See docs/configuration.md; an editor that knows docs/schema/modelgate.schema.json completes and checks it.';

/** Where paths stand in the configuration; `*` is any key. They are relative to the file that names them. */
const pathKeys: readonly KeyPath[] = [
  ['paths', '*'],
  ['data', 'sources', '*', 'file'],
  ['data', 'sources', '*', 'contract'],
  ['features', 'sql'],
  ['train', 'script'],
  ['train', 'requirements'],
  ['evaluation', 'file'],
  ['gate'],
  ['gate', 'golden'],
  ['gate', 'golden', 'file'],
  ['monitoring', 'runbooks'],
  ['monitoring', 'labels', 'file'],
  ['environments', '*', 'signature', 'keys', '*'],
  ['environments', '*', 'signature', 'keys', '*', 'file'],
  ['environments', '*', 'signature', 'trusted_root'],
  ['environments', '*', 'provenance', 'trusted_root'],
];

/**
 * Reads modelgate.yaml: with the files that it extends, its gate policy from a file of its own, and every path
 * made absolute and looked for. Throws `config_missing` or `config_invalid` with file, line and column.
 */
export async function loadConfig(file: string, files: ConfigFiles = diskFiles): Promise<Loaded> {
  const layers = await readLayers(path.resolve(file), { files, seen: [] });
  let merged: unknown = {};
  for (const { file: from, yaml } of layers) {
    const value = absolutePaths({ folder: path.dirname(from), value: yaml.value as Mapping });
    delete value.extends;
    merged = merge(merged, value);
  }
  const locate = (at: KeyPath): Where => {
    const owner = layers.findLast((layer) => layer.yaml.has(at)) ?? layers.at(-1)!;
    return owner.yaml.locate(at);
  };
  const named = new Set(namedPaths(merged as Mapping));
  await inlineGatePolicy(merged as Mapping, { files, locate });
  for (const one of namedPaths(merged as Mapping)) named.add(one);

  const parsed = Config.safeParse(merged);
  if (!parsed.success) {
    throw withSuggestion(
      schemaError({ error: parsed.error, locate, code: 'config_invalid', fix }),
      parsed.error,
    );
  }
  const loaded = {
    config: parsed.data,
    root: path.dirname(layers[0]!.file),
    files: layers.map((layer) => layer.file),
    named: [...named],
    locate,
  };
  if (files.complete) await requireFiles(loaded);
  return loaded;
}

/**
 * The same for commands that read no data: the files that it names are not looked for. Null where there is no
 * such file at all; what it extends and its gate policy must be there, or its rules would be lost with them.
 */
export async function loadSettings(file: string): Promise<Loaded | null> {
  try {
    await lstat(file);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    if (!namesNoFile(error)) throw error;
  }
  return loadConfig(file, { ...diskFiles, complete: false });
}

/** The configuration and those it extends, the innermost first. */
async function readLayers(
  file: string,
  { files, seen }: { files: ConfigFiles; seen: readonly string[] },
): Promise<Layer[]> {
  if (seen.includes(file) || seen.length >= 5) {
    throw new UserError({
      code: 'config_invalid',
      message: 'The files extend each other in a circle, or more than five deep.',
      where: { file },
      fix: 'Let `extends` name a file that does not extend this one.',
    });
  }
  const text = await files.read(file);
  if (text === null) {
    throw new UserError({
      code: 'config_missing',
      message: 'The configuration file is not there.',
      where: { file: seen.at(-1) ?? file, ...(seen.length > 0 ? { key: 'extends' } : {}) },
      fix: 'Name it with --config, or run in the folder that holds modelgate.yaml.',
    });
  }
  const yaml = parseYaml(text, file, 'config_invalid');
  if (typeof yaml.value !== 'object' || yaml.value === null || Array.isArray(yaml.value)) {
    throw new UserError({
      code: 'config_invalid',
      message: 'The file is not a mapping of keys.',
      where: { file },
      fix,
    });
  }
  const base = (yaml.value as Mapping).extends;
  const layer = { file, yaml };
  if (typeof base !== 'string') return [layer];
  const outer = await readLayers(path.resolve(path.dirname(file), base), { files, seen: [...seen, file] });
  return [...outer, layer];
}

/** A copy whose paths are absolute. */
function absolutePaths({ folder, value: given }: { folder: string; value: Mapping }): Mapping {
  const value = structuredClone(given);
  visitPaths(value, (named) => path.resolve(folder, named));
  return value;
}

function namedPaths(value: Mapping): string[] {
  const found: string[] = [];
  visitPaths(value, (named) => {
    found.push(named);
    return named;
  });
  return found;
}

/** Puts in place of each path what `change` makes of it. */
function visitPaths(value: Mapping, change: (named: string) => string): void {
  const visit = (at: unknown, [key, ...rest]: KeyPath): void => {
    if (typeof at !== 'object' || at === null || key === undefined) return;
    const mapping = at as Mapping;
    for (const name of key === '*' ? Object.keys(mapping) : [String(key)]) {
      const member = mapping[name];
      if (rest.length > 0) visit(member, rest);
      else if (typeof member === 'string' && member !== '') mapping[name] = change(member);
    }
  };
  for (const key of pathKeys) visit(value, key);
}

/** Mappings are merged key by key; anything else is replaced. */
function merge(base: unknown, over: unknown): unknown {
  if (!isMapping(base) || !isMapping(over)) return over;
  const result: Mapping = { ...base };
  for (const [key, value] of Object.entries(over)) {
    if (key === '__proto__' || key === 'constructor' || key === 'prototype') continue;
    result[key] = key in result ? merge(result[key], value) : value;
  }
  return result;
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function inlineGatePolicy(
  config: Mapping,
  { files, locate }: { files: ConfigFiles; locate: (at: KeyPath) => Where },
): Promise<void> {
  if (typeof config.gate !== 'string') return;
  const file = config.gate;
  const text = await files.read(file);
  if (text === null) throw notThere(file, locate(['gate']));
  const policy = parseYaml(text, file, 'config_invalid').value;
  config.gate = absolutePaths({ folder: path.dirname(file), value: { gate: policy } }).gate;
}

/** Throws `config_missing` for the first file that training needs and that is not there. */
export async function requireFiles({ config, locate }: Pick<Loaded, 'config' | 'locate'>): Promise<void> {
  const wanted: { file: string | undefined; at: KeyPath }[] = [
    ...Object.entries(config.data.sources).flatMap(([name, source]) => [
      { file: source.file, at: ['data', 'sources', name, 'file'] },
      { file: source.contract, at: ['data', 'sources', name, 'contract'] },
    ]),
    { file: config.features.sql, at: ['features', 'sql'] },
    { file: config.train.script, at: ['train', 'script'] },
    { file: config.train.requirements, at: ['train', 'requirements'] },
    { file: config.monitoring?.runbooks, at: ['monitoring', 'runbooks'] },
  ];
  for (const { file, at } of wanted) {
    if (file !== undefined && (await expandFiles(file)).length === 0) throw notThere(file, locate(at));
  }
}

/** The files that a path or a pattern with * names, sorted. */
export async function expandFiles(pattern: string): Promise<string[]> {
  // a plain path needs no matcher, which takes longer to load than a configuration to read
  if (!/[*?[\]{}()!+@#\\]/.test(pattern)) {
    return lstat(pattern).then(
      () => [path.normalize(pattern)],
      () => [],
    );
  }
  const found: string[] = [];
  for await (const file of glob(pattern)) found.push(file);
  return found.sort();
}

function notThere(file: string, where: Where): UserError {
  return new UserError({
    code: 'config_missing',
    message: `The path ${file} is not there.`,
    where,
    fix: 'Mend the path: it is relative to the file that names it.',
  });
}

/** Adds "did you mean" for the first unknown key. */
function withSuggestion(error: UserError, cause: z.ZodError): UserError {
  const issue = cause.issues.find((candidate) => candidate.code === 'unrecognized_keys');
  if (issue?.code !== 'unrecognized_keys') return error;
  const known = keysAt(Config, issue.path);
  const near = suggest(issue.keys[0] ?? '', known);
  const hint = near === null ? `Known here: ${known.join(', ')}.` : `Did you mean "${near}"?`;
  return new UserError({
    code: error.code,
    message: error.message,
    ...whereOf(error),
    fix: `${hint} ${error.fix}`,
  });
}

function whereOf(error: UserError): { where?: Where | string } {
  return error.where === undefined ? {} : { where: error.where };
}

/** The keys that a schema knows at a path; empty where it can't be told. */
function keysAt(schema: z.ZodType, at: KeyPath): string[] {
  let json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema | undefined;
  for (const key of at) {
    json =
      json?.properties?.[String(key)] ??
      (typeof json?.additionalProperties === 'object' ? json.additionalProperties : undefined) ??
      json?.items;
    json = json?.anyOf?.find((branch) => branch.properties !== undefined) ?? json;
  }
  return Object.keys(json?.properties ?? {});
}

interface JsonSchema {
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
}
