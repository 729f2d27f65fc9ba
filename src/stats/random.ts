/**
 * Seeded random numbers: sfc32 (C. Doty-Humphrey, PractRand), seeded through splitmix32. Same seed, same
 * numbers, on every machine; nothing here reads a clock or Math.random.
 */

/** A stream of random numbers. */
export interface Random {
  /** A whole number in [0, 2^32). */
  readonly uint32: () => number;
  /** A double in [0, 1) with 53 random bits. */
  readonly uniform: () => number;
  /** A whole number in [0, n), without modulo bias; 1 ≤ n ≤ 2^32. */
  readonly below: (n: number) => number;
}

/** The stream that belongs to a seed (any safe integer). */
export function seededRandom(seed: number): Random {
  let state = (seed | 0) ^ Math.imul(Math.trunc(seed / 4294967296) | 0, 0x9e3779b1);
  const splitmix = () => {
    state = (state + 0x9e3779b9) | 0;
    let z = state ^ (state >>> 16);
    z = Math.imul(z, 0x21f0aaad);
    z ^= z >>> 15;
    z = Math.imul(z, 0x735a2d97);
    return (z ^ (z >>> 15)) | 0;
  };
  let a = splitmix();
  let b = splitmix();
  let c = splitmix();
  let counter = 1;
  const uint32 = () => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    c |= 0;
    return t >>> 0;
  };
  for (let i = 0; i < 12; i++) uint32();
  return {
    uint32,
    uniform: () => ((uint32() >>> 5) * 67108864 + (uint32() >>> 6)) / 9007199254740992,
    below: (n) => {
      const limit = 4294967296 - (4294967296 % n);
      let x = uint32();
      while (x >= limit) x = uint32();
      return x % n;
    },
  };
}

/** Shuffles in place (Fisher-Yates); with `count`, only the first `count` places are settled. */
export function shuffle(values: Int32Array, random: Random, count: number = values.length): void {
  const n = values.length;
  for (let i = 0; i < count && i < n - 1; i++) {
    const j = i + random.below(n - i);
    const kept = values[i] as number;
    values[i] = values[j] as number;
    values[j] = kept;
  }
}
