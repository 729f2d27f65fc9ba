/** Adjusted p-values for several tests at once; the result has the order of the input. */

/**
 * Holm (1979), "A Simple Sequentially Rejective Multiple Test Procedure": p₍ᵢ₎ (m − i + 1), made monotone, at
 * most 1. Controls the chance of any false rejection under every dependence.
 */
export function holm(p: readonly number[]): number[] {
  const order = ascending(p);
  const out = new Array<number>(p.length);
  let running = 0;
  order.forEach((index, rank) => {
    running = Math.max(running, Math.min(1, (p[index] as number) * (p.length - rank)));
    out[index] = running;
  });
  return out;
}

/**
 * Benjamini & Hochberg (1995), "Controlling the False Discovery Rate": p₍ᵢ₎ m / i, made monotone from above, at
 * most 1. Controls the expected share of false rejections under independence or positive dependence.
 */
export function benjaminiHochberg(p: readonly number[]): number[] {
  const order = ascending(p);
  const out = new Array<number>(p.length);
  let running = 1;
  for (let rank = order.length - 1; rank >= 0; rank--) {
    const index = order[rank] as number;
    running = Math.min(running, ((p[index] as number) * p.length) / (rank + 1));
    out[index] = running;
  }
  return out;
}

function ascending(p: readonly number[]): number[] {
  if (!p.every((x) => x >= 0 && x <= 1)) throw new RangeError('p-values must lie in [0, 1]');
  return p.map((_, i) => i).sort((i, j) => (p[i] as number) - (p[j] as number) || i - j);
}
