import { identifier, type SqlEngine } from '../data/engine.ts';
import { readFeatureColumns } from './feature-columns.ts';
import {
  compareAlone,
  compareParity,
  type ParityKind,
  type ParityPolicy,
  type ParityReport,
  requireParity,
} from './parity.ts';
import { parityRow } from './parity-rows.ts';
import type { Predictor } from './predictor.ts';

/** Rows that are predicted one by one as well as in a batch. */
const aloneRows = 100;

/**
 * Predicts the parity rows with the exported model and compares them with the framework's predictions.
 * Throws `model_parity`, and what the predictor throws.
 *
 * @param view view of parity.parquet
 * @param kinds how many rows of each kind it holds, in their order
 * @param trained the framework's predictions for all of them, NaN where it refuses
 */
export async function proveExport(request: {
  engine: SqlEngine;
  view: string;
  kinds: readonly { kind: ParityKind; rows: number }[];
  predictor: Predictor;
  trained: Float64Array;
  nullRefused: string | null;
  policy: ParityPolicy;
}): Promise<ParityReport> {
  const { engine, view, kinds, predictor, trained, nullRefused, policy } = request;
  const { signature } = predictor;
  const orderBy = identifier(parityRow);
  const { features, rows } = await readFeatureColumns({ engine, view, signature, orderBy });
  // a framework that refuses nulls says nothing of what the graph should answer to them
  const unasked = nullRefused === null ? 0 : (kinds.find(({ kind }) => kind === 'null')?.rows ?? 0);
  const asked = rows - unasked;
  const exported = new Float64Array(rows).fill(Number.NaN);
  exported.set(await predictor.predict(features, asked));
  const alone = await compareAlone({ predictor, features, batch: exported, rows: asked, sample: aloneRows });
  const { tolerance } = policy;
  const { task } = signature;
  const report = compareParity({ trained, exported, kinds, task, tolerance, nullRefused, alone });
  requireParity(report);
  return report;
}
