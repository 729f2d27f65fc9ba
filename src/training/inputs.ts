import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { identifier, type SqlEngine } from '../data/engine.ts';
import { type FeatureType, featureTypes, type Roles } from '../evaluation/feature-columns.ts';
import type { ParityKind } from '../evaluation/parity.ts';
import { writeParityRows } from '../evaluation/parity-rows.ts';
import { requireLabel } from './label.ts';

/** What a script is given. */
export interface TrainingData {
  features: FeatureType[];
  /** Rows of each part. */
  rows: Record<string, number>;
  /** Parity rows of each kind, in their order. */
  parity: { kind: ParityKind; rows: number }[];
  /** First and last time of prediction in the train part; null without a time column. */
  window: { from: string; until: string } | null;
}

/**
 * Fills the input folder of a script: train.parquet and validation.parquet (copies, so that a script that
 * writes to them harms nothing), parity.parquet, features.json. The engine's session has views `train` and
 * `validation` from then on. Throws `data_empty`, `label_invalid`.
 *
 * @param parts local Parquet file of each part
 */
export async function writeTrainingInputs(request: {
  engine: SqlEngine;
  parts: { train: string; validation: string };
  roles: Roles;
  task: 'classification' | 'regression';
  parityRows: number;
  seed: number;
  folder: string;
}): Promise<TrainingData> {
  const { engine, parts, roles, task, folder } = request;
  const rows: Record<string, number> = {};
  for (const [part, file] of Object.entries(parts)) {
    await engine.addFile(part, file, 'parquet');
    rows[part] = await requireLabel({ engine, view: part, label: roles.label, task });
    await copyFile(file, join(folder, `${part}.parquet`));
  }
  const features = featureTypes(await engine.describe('SELECT * FROM train'), roles);
  const parity = await writeParityRows({
    engine,
    views: Object.keys(parts),
    key: roles.key,
    features,
    rows: request.parityRows,
    seed: request.seed,
    file: join(folder, 'parity.parquet'),
  });
  const described = {
    task,
    features,
    key: roles.key,
    label: roles.label,
    time: roles.time ?? null,
    keep: roles.keep,
    rows,
    parity: Object.fromEntries(parity.map((kind) => [kind.kind, kind.rows])),
  };
  await writeFile(join(folder, 'features.json'), JSON.stringify(described));
  return { features, rows, parity, window: await trainWindow(engine, roles.time) };
}

async function trainWindow(engine: SqlEngine, time: string | undefined): Promise<TrainingData['window']> {
  if (time === undefined) return null;
  const moment = `CAST(${identifier(time)} AS TIMESTAMP)`;
  const [row] = await engine.rows(`SELECT min(${moment}) AS "from", max(${moment}) AS "until" FROM train`);
  return row?.from == null ? null : { from: String(row.from), until: String(row.until) };
}
