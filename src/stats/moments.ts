/** Count, mean, and sum of squared differences from it. */
export interface Moments {
  n: number;
  mean: number;
  m2: number;
}

export const noMoments: Moments = { n: 0, mean: 0, m2: 0 };

/** Of two samples together, by the pairwise formula of Chan, Golub and LeVeque (1979). */
export function addMoments(a: Moments, b: Moments): Moments {
  if (a.n === 0) return b;
  if (b.n === 0) return a;
  const n = a.n + b.n;
  const delta = b.mean - a.mean;
  return { n, mean: a.mean + (delta * b.n) / n, m2: a.m2 + b.m2 + (delta * delta * a.n * b.n) / n };
}
