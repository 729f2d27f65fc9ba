import { UserError } from '../errors.ts';
import type { FeatureColumns, Predictor, Signature } from './predictor.ts';

/** Rows as they are, with categories that training never saw, and with missing values. */
export type ParityKind = 'plain' | 'unseen' | 'null';

export interface ParityPolicy {
  /** Plain rows; a tenth as many with unseen categories, and with nulls, come on top. */
  rows: number;
  /** Largest |difference| of a probability; for regression relative to max(1, |value|). */
  tolerance: number;
}

export const defaultParity: ParityPolicy = { rows: 10_000, tolerance: 1e-5 };

/** Above this, a row is predicted positive. */
/** Differences up to this are float32 rounding, not another answer. */
const rounding = 1e-6;
const threshold = 0.5;

export interface ParityOfKind {
  kind: ParityKind;
  rows: number;
  /** Null when the framework refuses such rows, so that nothing can be compared. */
  max_difference: number | null;
  /** Rows beyond the tolerance. */
  beyond: number;
  /** Rows whose predicted class differs. */
  flips: number;
  /** The worst rows, counted from 0 over all kinds. */
  examples: { row: number; trained: number; exported: number }[];
}

/** `parity.json` of a model package. */
export interface ParityReport {
  rows: number;
  tolerance: number;
  max_difference: number;
  flips: number;
  kinds: ParityOfKind[];
  /** Why the framework refuses rows with nulls, if it does. */
  null_refused: string | null;
  /** Rows predicted one by one as well as in a batch, and the largest difference between the two. */
  alone: { rows: number; max_difference: number };
}

/**
 * Compares the framework's predictions with the exported graph's, row by row and kind by kind. Conversions
 * can succeed and be wrong, so nothing else proves an export.
 *
 * @param trained the framework's predictions [rows], NaN where it refuses
 * @param exported the graph's predictions for the same rows, NaN where they were not asked
 */
export function compareParity(request: {
  trained: Float64Array;
  exported: Float64Array;
  kinds: readonly { kind: ParityKind; rows: number }[];
  task: Signature['task'];
  tolerance: number;
  nullRefused: string | null;
  alone: ParityReport['alone'];
}): ParityReport {
  const { trained, exported, task, tolerance, nullRefused } = request;
  let first = 0;
  const kinds = request.kinds.map(({ kind, rows }): ParityOfKind => {
    const from = first;
    first += rows;
    if (kind === 'null' && nullRefused !== null) {
      return { kind, rows, max_difference: null, beyond: 0, flips: 0, examples: [] };
    }
    let max = 0;
    let beyond = 0;
    let flips = 0;
    const worst: { row: number; difference: number }[] = [];
    for (let row = from; row < from + rows; row++) {
      const a = trained[row]!;
      const b = exported[row]!;
      const scale = task === 'regression' ? Math.max(1, Math.abs(a)) : 1;
      const difference = Math.abs(a - b) / scale;
      // written so that NaN counts as beyond
      const within = difference <= tolerance;
      // two roundings of one half are the same answer
      const flipped =
        task === 'classification' && !(difference <= rounding) && a > threshold !== b > threshold;
      if (flipped) flips++;
      if (!within) beyond++;
      if (!(difference <= max)) max = Number.isNaN(difference) ? Number.MAX_VALUE : difference;
      if (!within) worst.push({ row, difference: Number.isNaN(difference) ? Number.MAX_VALUE : difference });
    }
    worst.sort((x, y) => y.difference - x.difference);
    const examples = worst
      .slice(0, 3)
      .map(({ row }) => ({ row, trained: finite(trained[row]!), exported: finite(exported[row]!) }));
    return { kind, rows, max_difference: max, beyond, flips, examples };
  });
  return {
    rows: first,
    tolerance,
    max_difference: Math.max(0, ...kinds.map((kind) => kind.max_difference ?? 0)),
    flips: kinds.reduce((sum, kind) => sum + kind.flips, 0),
    kinds,
    null_refused: nullRefused,
    alone: request.alone,
  };
}

/** JSON has no NaN. */
const finite = (value: number) => (Number.isFinite(value) ? value : Number.MAX_VALUE);

const kindNames: Record<ParityKind, string> = {
  plain: 'rows of the split',
  unseen: 'rows with unseen categories',
  null: 'rows with nulls',
};

/** Throws `model_parity` unless every difference is within the tolerance and no predicted class differs. */
export function requireParity(report: ParityReport): void {
  const wrong = report.kinds.filter((kind) => kind.beyond > 0 || kind.flips > 0);
  if (wrong.length > 0) {
    const told = wrong.map((kind) => {
      const [worst] = kind.examples;
      const example =
        worst === undefined ? '' : `; row ${worst.row}: ${say(worst.trained)} against ${say(worst.exported)}`;
      const flips = kind.flips === 0 ? '' : `, ${kind.flips} predicted otherwise`;
      return `${kind.beyond} of ${kind.rows} ${kindNames[kind.kind]} differ by more than ${report.tolerance}${flips} (largest difference ${say(kind.max_difference ?? 0)}${example})`;
    });
    throw parityError(`The exported model predicts otherwise than the trained one: ${told.join('; ')}.`);
  }
  if (report.alone.max_difference > report.tolerance) {
    throw parityError(
      `A row predicted alone differs by ${say(report.alone.max_difference)} from the same row in a batch: the model computes statistics over the rows it is given.`,
    );
  }
}

const say = (value: number) => (value === Number.MAX_VALUE ? 'NaN' : value.toPrecision(3));

function parityError(message: string): UserError {
  return new UserError({
    code: 'model_parity',
    message,
    where: 'model.onnx',
    fix: 'Change the pipeline to one that converts exactly: no scaler before trees, categories by OneHotEncoder or OrdinalEncoder instead of categorical_features; docs/training.md lists what does.',
  });
}

/**
 * The largest difference between rows predicted one by one and the same rows in a batch: 0 for a model whose
 * preprocessing holds its statistics [FEA-3].
 *
 * @param batch the predictions of all `rows` in one batch
 */
export async function compareAlone(request: {
  predictor: Predictor;
  features: FeatureColumns;
  batch: Float64Array;
  rows: number;
  sample: number;
}): Promise<ParityReport['alone']> {
  const { predictor, features, batch, rows } = request;
  const sample = Math.min(request.sample, rows);
  let max = 0;
  for (let i = 0; i < sample; i++) {
    const row = Math.floor((i * rows) / sample);
    const [alone] = await predictor.predict(rowOf(features, row), 1);
    max = Math.max(max, Math.abs(alone! - batch[row]!));
  }
  return { rows: sample, max_difference: max };
}

/** One row of feature columns. */
export function rowOf(features: FeatureColumns, row: number): FeatureColumns {
  return Object.fromEntries(
    Object.entries(features).map(([name, values]) => [name, values.slice(row, row + 1)]),
  );
}
