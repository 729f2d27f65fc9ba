/** What a configuration names, as the stages take it: files as stored objects, columns and metrics as lists. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { expandFiles, type Loaded } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { parseContract } from '../data/contract.ts';
import { personalColumns } from '../data/personal.ts';
import { UserError } from '../errors.ts';
import { goldenFormat } from '../gate/golden-cases.ts';
import type { Digest } from '../json.ts';
import type { Store } from '../store/store.ts';
import { putCode } from './project.ts';

/** The data contracts, by the source that they speak of. */
export async function contractFiles(store: Store, { data }: Config): Promise<Record<string, Digest>> {
  const contracts: Record<string, Digest> = {};
  for (const [name, { contract }] of Object.entries(data.sources)) {
    if (contract !== undefined) contracts[name] = await putCode(store, { 'contract.yaml': contract });
  }
  return contracts;
}

/** The script, the lock, and the other Python files beside the script. */
export async function trainingCode(
  store: Store,
  { script, requirements }: { script: string; requirements: string },
): Promise<Digest> {
  const files: Record<string, string> = { 'requirements.lock': requirements };
  for (const file of await expandFiles(path.join(path.dirname(script), '*.py')))
    files[path.basename(file)] = file;
  delete files[path.basename(script)];
  return putCode(store, { ...files, 'train.py': script });
}

/** Throws `config_missing` when the evaluation set is not there. */
export async function evaluationFile(store: Store, { config, locate }: Loaded): Promise<Digest> {
  const { file } = config.evaluation;
  const found = await expandFiles(file);
  if (found.length !== 1) {
    throw new UserError({
      code: 'config_missing',
      message: `The evaluation set ${file} is not there.`,
      where: locate(['evaluation', 'file']),
      fix: 'Mend the path, or make the file with modelgate pin.',
    });
  }
  return (await store.putFile(file)).sha256;
}

/** The file of golden cases as a stored object; null where the policy has none. */
export async function goldenCases(store: Store, { config, locate }: Loaded) {
  const { golden } = config.gate;
  if (golden === undefined) return null;
  const at = locate(['gate', 'golden']);
  const [file, ...others] = await expandFiles(golden.file);
  const format = goldenFormat(golden.file);
  if (file === undefined || others.length > 0) {
    throw new UserError({
      code: 'config_missing',
      message: `The golden cases ${golden.file} are not there.`,
      where: at,
      fix: 'Mend the path: it is relative to the file that names it.',
    });
  }
  if (format === null) {
    throw new UserError({
      code: 'config_invalid',
      message: `The golden cases ${golden.file} are of no known format.`,
      where: at,
      fix: 'Give a file that ends in .jsonl, .ndjson, .csv or .parquet.',
    });
  }
  return { file: (await store.putFile(file)).sha256, format };
}

/** The columns that the contracts mark as personal; key and label also by the names that they have in an evaluation. */
export async function personalNames({ data, features }: Config): Promise<string[]> {
  const found = new Set<string>();
  for (const [name, { contract }] of Object.entries(data.sources)) {
    if (contract === undefined) continue;
    const text = await readFile(contract, 'utf8');
    for (const column of personalColumns(parseContract(text, contract, name))) found.add(column);
  }
  const { key, label } = features;
  if (found.has(key)) found.add('key');
  if (found.has(label)) found.add('label');
  return [...found].sort();
}

/** What of the policy's metrics a measurement of noise needs. */
export function measuredMetrics({ gate }: Config) {
  return gate.metrics.map(({ metric, threshold, k, row_loss, numerator, denominator, aggregate }) => ({
    metric,
    ...(threshold === undefined ? {} : { threshold }),
    ...(k === undefined ? {} : { k }),
    ...(row_loss === undefined ? {} : { row_loss }),
    ...(numerator === undefined ? {} : { numerator }),
    ...(denominator === undefined ? {} : { denominator }),
    ...(aggregate === undefined ? {} : { aggregate }),
  }));
}

/** Columns by whose values the policy cuts slices. */
export function slicedColumns({ gate: { slices } }: Config): string[] {
  const critical = (slices?.critical ?? []).flatMap(({ where }) => Object.keys(where));
  return [...new Set([...(slices?.by ?? []), ...critical])].sort();
}

export function definitionOf(config: Config) {
  const { sql: _, ...definition } = config.features;
  return definition;
}

export function knownOf(config: Config) {
  return Object.fromEntries(
    Object.entries(config.data.sources).map(([name, { known, known_at }]) => [
      name,
      { known: known ?? [], known_at: known_at ?? null },
    ]),
  );
}
