import { readFileSync } from 'node:fs';
import { expect } from 'vitest';

/** Reads a fixture made by test/fixtures/stats/generate.py. */
export function fixture<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../fixtures/stats/${name}.json`, import.meta.url), 'utf8')) as T;
}

/** Equality to 1e-9, absolute or relative, unless said. */
export function expectClose(actual: number, expected: number, what: string, tolerance = 1e-9): void {
  const error = Math.abs(actual - expected) / Math.max(1, Math.abs(expected));
  expect(error, `${what}: ${actual}, expected ${expected}`).toBeLessThanOrEqual(tolerance);
}

/** Relative equality however small the number; 0 only equals 0. */
export function expectRelative(actual: number, expected: number, what: string, tolerance: number): void {
  const error = actual === expected ? 0 : Math.abs(actual - expected) / Math.abs(expected);
  expect(error, `${what}: ${actual}, expected ${expected}`).toBeLessThanOrEqual(tolerance);
}

/** A long sample that both sides can make: frac(i · step) · scale + shift, cut to whole numbers with `digits`. */
export function weyl(
  n: number,
  { scale = 1, shift = 0, step = 0.6180339887498949, digits = null as number | null },
): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => {
    const x = (((i + 1) * step) % 1) * scale + shift;
    return digits === null ? x : Math.floor(x * 10 ** digits);
  });
}

/** Two samples of the fixture `two-samples` that are too long to be written down, and what SciPy says of them. */
export interface LongSamples {
  n: number;
  m: number;
  scale: number;
  shift: number;
  digits: number | null;
  ks: [number, number];
  cvm: [number, number];
  wasserstein: number;
}
