/**
 * Cuts the number line into some thousand buckets of about equal shares of a sample, by integer arithmetic on a
 * double's upper half: sign and exponent choose a range of buckets, the leading bits of the mantissa one of them.
 * Monotone for any values, whatever the sample was: the sample decides only how evenly the buckets are filled.
 */
export interface BucketMap {
  /** Number of buckets. */
  readonly size: number;
  /** Per sign and exponent (4096 of them) four numbers: its first bucket, its lowest mantissa, shift, last bucket. */
  readonly ranges: Int32Array;
  /** Least double of each bucket; of the first and the last, which hold infinities and NaN, not used. */
  readonly lows: Float64Array;
}

/** No map has more, so that a bucket's number has 16 bits. */
export const bucketLimit = 2 ** 16;
/** Each of the 4096 exponents can have three more. */
const sampledLimit = 48_000;
const exponents = 4096;
const mantissa = 0xfffff;

/** The range of 0 and what is nearest above it, which has its bucket with the one below: −0 is among these. */
const denormals = exponents / 2;

/**
 * A map fitted to values (none is possible), which share about so many buckets. Numbers of an exponent that none of
 * them has are in one bucket; infinities and NaN in the first and the last, alone.
 */
export function bucketMap(sample: Float64Array, buckets: number): BucketMap {
  const sampledBuckets = Math.min(buckets, sampledLimit);
  const words = new Uint32Array(sample.buffer, sample.byteOffset, 2 * sample.length);
  const counts = new Int32Array(exponents);
  const least = new Int32Array(exponents).fill(mantissa);
  const most = new Int32Array(exponents);
  for (let i = 1; i < words.length; i += 2) {
    const key = orderedKey(words[i] as number);
    const range = key >>> 20;
    counts[range]!++;
    least[range] = Math.min(least[range] as number, key & mantissa);
    most[range] = Math.max(most[range] as number, key & mantissa);
  }
  const ranges = new Int32Array(4 * exponents);
  let size = 0;
  for (let range = 0; range < exponents; range++) {
    const n = counts[range] as number;
    if (range === denormals) {
      ranges.set(ranges.subarray(4 * (range - 1), 4 * range), 4 * range);
      continue;
    }
    if (n === 0 || range === denormals - 1 || range === 0 || range === exponents - 1) {
      ranges.set([size++, 0, 0, 0], 4 * range);
      continue;
    }
    const low = least[range] as number;
    const width = (most[range] as number) - low;
    const wanted = (sampledBuckets * n) / sample.length;
    let shift = 0;
    while (width >> shift >= wanted) shift++;
    // mantissas below the sample's least have one bucket, those above its greatest another
    const last = (width >> shift) + 2;
    ranges.set([size, low, shift, last], 4 * range);
    size += last + 1;
  }
  return { size, ranges, lows: lowsOf(ranges, size) };
}

/** Writes each value's bucket. */
export function findBuckets(values: Float64Array, { ranges }: BucketMap, buckets: Uint16Array): void {
  const words = new Int32Array(values.buffer, values.byteOffset, 2 * values.length);
  const rows = values.length;
  for (let row = 0; row < rows; row++) {
    // each second word is the upper half of a value's bits
    const key = orderedKey(words[2 * row + 1] as number);
    const range = (key >>> 20) << 2;
    const step = (((key & mantissa) - (ranges[range + 1] as number)) >> (ranges[range + 2] as number)) + 1;
    const last = ranges[range + 3] as number;
    buckets[row] = (ranges[range] as number) + (step < 0 ? 0 : step > last ? last : step);
  }
}

/** Upper halves ordered as the doubles are: sign bit flipped, negative ones inverted. */
function orderedKey(high: number): number {
  return high ^ ((high >> 31) | 0x80000000);
}

function lowsOf(ranges: Int32Array, size: number): Float64Array {
  const lows = new Float64Array(size);
  const words = new Uint32Array(lows.buffer);
  for (let range = 0; range < exponents; range++) {
    if (range === denormals) continue;
    const [first, low, shift, last] = ranges.subarray(4 * range, 4 * range + 4) as unknown as number[];
    for (let step = 0; step <= (last as number); step++) {
      const from = step === 0 ? 0 : (low as number) + ((step - 1) << (shift as number));
      // one that would begin beyond the range is empty: it begins with the next
      const key = (range * 2 ** 20 + Math.min(from, 2 ** 20)) >>> 0;
      const negative = key < 0x80000000;
      const at = 2 * ((first as number) + step);
      // of a negative number's lower half all bits count down
      words[at] = negative ? 0xffffffff : 0;
      words[at + 1] = negative ? ~key : key ^ 0x80000000;
    }
  }
  return lows;
}
