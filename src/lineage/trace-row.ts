import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { identifier, type SqlEngine } from '../data/engine.ts';
import { parseJson } from '../json.ts';
import type { Store } from '../store/store.ts';
import { type TracedSnapshot, traceOrigin } from './trace.ts';

export interface TraceRow {
  store: Store;
  engine: SqlEngine;
  /** The registry's versions of the model. */
  versions: readonly { version: number; manifest: string }[];
  /** Value of the feature key, as text. */
  key: string;
}

export interface RowUse {
  /** Batches that went into a split with this row. */
  snapshots: TracedSnapshot[];
  versions: {
    version: number;
    model: string;
    split: string;
    /** Parts of the split that hold the row: train, validation, test. */
    parts: string[];
    /** Whether the model saw the row in training; that it answers as it does because of it is not said. */
    trained_on: boolean;
  }[];
}

const Definition = z.object({ key: z.string().min(1) });
const definitionLimit = 1_000_000;

/** Goes from one row of the data forward to the batches and the versions that it went into. */
export async function traceRow({ store, engine, versions, key }: TraceRow): Promise<RowUse> {
  const snapshots = new Map<string, TracedSnapshot>();
  const used: RowUse['versions'] = [];
  const partsBySplit = new Map<string, string[]>();
  for (const { version, manifest } of versions) {
    const origin = await traceOrigin(store, manifest);
    if (origin.split === null) continue;
    const column = await keyColumn(store, manifest);
    const id = `${origin.split} ${column}`;
    const parts =
      partsBySplit.get(id) ?? (await partsWith({ store, engine, split: origin.split, column, key }));
    partsBySplit.set(id, parts);
    if (parts.length === 0) continue;
    for (const snapshot of origin.snapshots) snapshots.set(snapshot.digest, snapshot);
    used.push({ version, model: manifest, split: origin.split, parts, trained_on: parts.includes('train') });
  }
  return { snapshots: [...snapshots.values()], versions: used };
}

async function keyColumn(store: Store, model: string): Promise<string> {
  const file = await store.manifestFile(model, 'feature-definition.json');
  return Definition.parse(parseJson(await readFile(file, 'utf8'), definitionLimit)).key;
}

interface PartsWith {
  store: Store;
  engine: SqlEngine;
  split: string;
  column: string;
  key: string;
}

async function partsWith({ store, engine, split, column, key }: PartsWith): Promise<string[]> {
  const { files } = await store.readManifest(split, 'split');
  const parts: string[] = [];
  for (const { name, sha256 } of files) {
    if (!name.endsWith('.parquet')) continue;
    await engine.addFile('part', await store.localFile(sha256), 'parquet');
    const found = await engine.rows(
      `SELECT 1 AS found FROM part WHERE CAST(${identifier(column)} AS VARCHAR) = ? LIMIT 1`,
      [key],
    );
    if (found.length > 0) parts.push(name.slice(0, -'.parquet'.length));
  }
  return parts;
}
