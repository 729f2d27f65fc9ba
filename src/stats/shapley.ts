import { seededRandom, shuffle } from './random.ts';

/**
 * Predictions of made rows: row r takes its feature j from row `source[j][r]` of one table that the caller holds.
 */
export type PredictMixed = (source: readonly Int32Array[], rows: number) => Promise<Float64Array>;

export interface ShapleyInput {
  /** Rows of the caller's table whose predictions are explained. */
  readonly explained: Int32Array;
  /** Rows of the same table that stand for "not known". */
  readonly background: Int32Array;
  readonly features: number;
  /** Orders of the features for each explained row, each walked forward and backward; 1 unless said. */
  readonly orders?: number;
  readonly seed: number;
  readonly predict: PredictMixed;
}

/** Explained rows × features, row by row; a row adds up to its prediction less the background's mean. */
export type ShapleyValues = Float64Array;

/** So many made rows are predicted at a time. */
const most = 200_000;

/**
 * Shapley values of predictions by sampling orders of the features: a feature's value is the mean change of the
 * prediction when it goes from the background's value to the row's own, over random orders in which the features go
 * and over all background rows. Each order is also walked backward, which makes the values exact for a model whose
 * features act alone or in pairs. Costs explained × background × orders × 2 × features predictions.
 *
 * Source: Castro, Gómez, Tejada (2009), Comput. Oper. Res. 36:1726-1730; Lundberg & Lee (2017), NeurIPS (the
 * background as "not known"); Mitchell, Cooper, Frank, Holmes (2022), JMLR 23 (backward orders).
 */
export async function shapleyValues(input: ShapleyInput): Promise<ShapleyValues> {
  const { explained, features, orders = 1, seed } = input;
  const random = seededRandom(seed);
  const order = Int32Array.from({ length: features }, (_, j) => j);
  const values = new Float64Array(explained.length * features);
  const walks: Walk[] = [];
  for (let row = 0; row < explained.length; row++) {
    for (let o = 0; o < orders; o++) {
      shuffle(order, random, features);
      walks.push({ row, order: order.slice() }, { row, order: order.slice().reverse() });
    }
  }
  const weight = 1 / (2 * orders * input.background.length);
  const together = Math.max(1, Math.floor(most / ((features + 1) * input.background.length)));
  for (let from = 0; from < walks.length; from += together) {
    const some = walks.slice(from, from + together);
    const predicted = await predictSteps(input, some);
    let at = 0;
    for (const walk of some) {
      for (let b = 0; b < input.background.length; b++) {
        for (const feature of walk.order) {
          const change = (predicted[at + 1] as number) - (predicted[at] as number);
          values[walk.row * features + feature]! += weight * change;
          at++;
        }
        at++;
      }
    }
  }
  return values;
}

/** One order in which the features of an explained row become known. */
interface Walk {
  readonly row: number;
  readonly order: Int32Array;
}

/** For each walk and background row: the background's prediction, then one after each step. */
function predictSteps(
  { explained, background, features, predict }: ShapleyInput,
  walks: readonly Walk[],
): Promise<Float64Array> {
  const rows = walks.length * background.length * (features + 1);
  const source = Array.from({ length: features }, () => new Int32Array(rows));
  let at = 0;
  for (const { row, order } of walks) {
    const own = explained[row] as number;
    for (const other of background) {
      for (const column of source) column.fill(other, at, at + features + 1);
      for (let step = 0; step < features; step++) {
        (source[order[step] as number] as Int32Array).fill(own, at + step + 1, at + features + 1);
      }
      at += features + 1;
    }
  }
  return predict(source, rows);
}

/** Mean absolute value of each feature over the explained rows: what is called its importance. */
export function meanMagnitude(values: ShapleyValues, features: number): Float64Array {
  const mean = new Float64Array(features);
  const rows = values.length / features;
  values.forEach((value, i) => {
    mean[i % features]! += Math.abs(value) / rows;
  });
  return mean;
}
