import { rowOf } from './parity.ts';
import type { FeatureColumns, Predictor } from './predictor.ts';

/** Times of predictions of one row, milliseconds, the way to the model's process and back included. */
export interface Latency {
  rows: number;
  median_ms: number;
  p99_ms: number;
}

/**
 * Measures predictions of single rows, taken evenly from `rows` rows of features, after some that warm up.
 *
 * @param sample number of measured predictions
 */
export async function measureLatency(request: {
  predictor: Predictor;
  features: FeatureColumns;
  rows: number;
  sample: number;
}): Promise<Latency> {
  const { predictor, features, rows, sample } = request;
  const warmup = Math.ceil(sample / 4);
  const times: number[] = [];
  for (let i = -warmup; i < sample; i++) {
    const row = rowOf(features, Math.floor(((i + warmup) * rows) / (sample + warmup)));
    const started = performance.now();
    await predictor.predict(row, 1);
    if (i >= 0) times.push(performance.now() - started);
  }
  times.sort((a, b) => a - b);
  return { rows: sample, median_ms: quantile(times, 0.5), p99_ms: quantile(times, 0.99) };
}

/** The nearest-rank quantile of sorted values. */
function quantile(sorted: readonly number[], p: number): number {
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? 0;
}
