/** The three methods for P(Dₙ ≤ d) that kolmogorov.ts chooses between, after SciPy's `_ksstats.py` (BSD-3-Clause). */

const BIG = 2 ** 128;

/** Durbin's matrix by Marsaglia, Tsang & Wang (2003): entry k,k of n!/nⁿ Hⁿ; cost (2k−1)³ log n, k = ⌈nd⌉. */
export function kolmogorovMatrix(n: number, d: number): number {
  const nd = n * d;
  if (nd <= 0.5) return 0;
  const k = Math.ceil(nd);
  const h = k - nd;
  const m = 2 * k - 1;
  const inverseFactorial = new Float64Array(m + 1);
  inverseFactorial[0] = 1;
  for (let j = 1; j <= m; j++) inverseFactorial[j] = (inverseFactorial[j - 1] as number) / j;
  let H: Float64Array = new Float64Array(m * m);
  for (let i = 0; i < m; i++)
    for (let j = 0; j <= Math.min(i + 1, m - 1); j++) H[i * m + j] = inverseFactorial[i - j + 1] as number;
  for (let i = 0; i < m; i++) {
    const value = (1 - h ** (i + 1)) * (inverseFactorial[i + 1] as number);
    H[i * m] = value;
    H[(m - 1) * m + (m - 1 - i)] = value;
  }
  H[(m - 1) * m] = (1 + Math.max(2 * h - 1, 0) ** m - 2 * h ** m) * (inverseFactorial[m] as number);
  let power: Float64Array = new Float64Array(m * m);
  for (let i = 0; i < m; i++) power[i * m + i] = 1;
  let exponent = 0;
  let hExponent = 0;
  for (let left = n; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) {
      power = multiply(power, H, m);
      exponent += hExponent;
      if (Math.abs(power[(k - 1) * m + k - 1] as number) > BIG) {
        for (let i = 0; i < power.length; i++) power[i] = (power[i] as number) / BIG;
        exponent += 128;
      }
    }
    H = multiply(H, H, m);
    hExponent *= 2;
    if (Math.abs(H[(k - 1) * m + k - 1] as number) > BIG) {
      for (let i = 0; i < H.length; i++) H[i] = (H[i] as number) / BIG;
      hExponent += 128;
    }
  }
  let p = power[(k - 1) * m + k - 1] as number;
  for (let i = 1; i <= n; i++) {
    p = (i * p) / n;
    if (Math.abs(p) < 1 / BIG) {
      p *= BIG;
      exponent -= 128;
    }
  }
  return scale(p, exponent);
}

function multiply(a: Float64Array, b: Float64Array, m: number): Float64Array {
  const out = new Float64Array(m * m);
  for (let i = 0; i < m; i++)
    for (let k = 0; k < m; k++) {
      const x = a[i * m + k] as number;
      if (x === 0) continue;
      for (let j = 0; j < m; j++) out[i * m + j] = (out[i * m + j] as number) + x * (b[k * m + j] as number);
    }
  return out;
}

/** Pomeranz (1974): rows of convolutions with three Poisson laws. */
export function pomeranz(n: number, d: number): number {
  const t = n * d;
  const whole = Math.floor(t);
  const f = t - whole;
  const g = Math.min(f, 1 - f);
  const ceilF = f > 0 ? 1 : 0;
  const roundF = f > 0.5 ? 1 : 0;
  const width = 2 * (whole + 1);
  const [edge, even, odd] = [g, 1 - 2 * g, 2 * g].map((rate) => {
    const powers = new Float64Array(width);
    powers[0] = 1;
    for (let m = 1; m < width; m++) powers[m] = ((powers[m - 1] as number) * rate) / n / m;
    return powers;
  }) as [Float64Array, Float64Array, Float64Array];
  const range = (i: number): [number, number] => {
    const half = Math.floor((i + 1) / 2);
    let j1: number;
    let j2: number;
    if (i === 0) [j1, j2] = [-whole - ceilF - 1, whole + ceilF - 1];
    else if ((i + 1) % 2 === 1) [j1, j2] = [half - 1 - whole - 1, half + whole + roundF - 1];
    else if (half === n + 1) [j1, j2] = [n - whole - ceilF - 1, n + whole + ceilF - 1];
    else [j1, j2] = [half - 1 - whole - roundF - 1, half + whole - 1 + ceilF - 1];
    return [Math.max(j1 + 2, 0), Math.min(j2, n)];
  };
  let previous = new Float64Array(width);
  let current = new Float64Array(width);
  current[0] = 1;
  let previousStart = 0;
  let currentStart = 0;
  let exponent = 0;
  let [j1, j2] = range(0);
  for (let i = 1; i <= 2 * n + 1; i++) {
    const k1 = j1;
    [previous, current] = [current, previous];
    [previousStart, currentStart] = [currentStart, previousStart];
    current.fill(0);
    [j1, j2] = range(i);
    const powers = i === 1 || i === 2 * n + 1 ? edge : i % 2 === 1 ? odd : even;
    const length = j2 - k1 + 1;
    if (length <= 0) continue;
    let largest = 0;
    for (let j = j1; j <= j2; j++) {
      let sum = 0;
      for (let k = k1; k <= j; k++) {
        const at = k - previousStart;
        if (at >= 0 && at < width) sum += (previous[at] as number) * (powers[j - k] ?? 0);
      }
      current[j - j1] = sum;
      if (sum > largest) largest = sum;
    }
    if (largest > 0 && largest < 1 / BIG) {
      for (let j = 0; j < width; j++) current[j] = (current[j] as number) * BIG;
      exponent -= 128;
    }
    currentStart = j1;
  }
  let answer = current[n - currentStart] as number;
  for (let m = 1; m <= n; m++) {
    if (Math.abs(answer) > BIG) {
      answer /= BIG;
      exponent += 128;
    }
    answer *= m;
  }
  return scale(answer, exponent);
}

/** Pelz & Good (1976): K₀(z) + K₁(z)/√n + K₂(z)/n + K₃(z)/n^1.5 with z = d√n, in the form for small z. */
export function pelzGood(n: number, d: number): number {
  const z = Math.sqrt(n) * d;
  const z2 = z * z;
  const z4 = z2 * z2;
  const z6 = z4 * z2;
  const pi2 = Math.PI ** 2;
  const log = -pi2 / 8 / z2;
  if (log < -708) return 0;
  let q = Math.exp(log);
  const pi4 = pi2 * pi2;
  const pi6 = pi4 * pi2;
  const sums = [0, 0, 0, 0];
  const last = Math.ceil((16 * z) / Math.PI);
  for (let k = last; k >= 1; k--) {
    const m2 = (2 * k - 1) ** 2;
    const m4 = m2 * m2;
    const m6 = m4 * m2;
    const terms = [
      1,
      -z2 + (pi2 / 4) * m2,
      6 * z6 + 2 * z4 + (((2 * z4 - 5 * z2) * pi2) / 4) * m2 + ((pi4 * (1 - 2 * z2)) / 16) * m4,
      -30 * z6 -
        90 * z4 * z4 +
        ((pi2 * (135 * z4 - 96 * z6)) / 4) * m2 +
        ((pi4 * (-60 * z2 + 212 * z4)) / 16) * m4 +
        ((pi6 * (5 - 30 * z2)) / 64) * m6,
    ];
    const power = q ** (8 * k);
    for (let i = 0; i < 4; i++) sums[i] = (sums[i] as number) * power + (terms[i] as number);
  }
  const divisors = [z, 6 * z4, 72 * z ** 7, 6480 * z ** 10];
  const root = Math.sqrt(2 * Math.PI);
  for (let i = 0; i < 4; i++) sums[i] = ((sums[i] as number) * q * root) / (divisors[i] as number);
  q = Math.exp(-pi2 / 2 / z2);
  let second = 0;
  let third = 0;
  for (let k = last; k >= 1; k--) {
    const power = k * k * q ** (k * k);
    second += power;
    third += (3 * z2 - pi2 * k * k) * power;
  }
  sums[2] = (sums[2] as number) + (second * pi2 * root) / (-36 * z * z2);
  sums[3] = (sums[3] as number) + (third * pi2 * root) / (216 * z6);
  return sums.reduce((total, value, i) => total + value / n ** (i / 2), 0);
}

/** x · 2^exponent without overflow on the way. */
function scale(x: number, exponent: number): number {
  let value = x;
  let left = exponent;
  while (left >= 128 && Number.isFinite(value)) {
    value *= BIG;
    left -= 128;
  }
  while (left <= -128 && value !== 0) {
    value /= BIG;
    left += 128;
  }
  return value;
}
