import { identifier, type SqlEngine } from '../data/engine.ts';
import { floorShares, psiTerms, toShares } from '../stats/divergence.ts';
import { innerEdges, quantileShares } from '../stats/quantile-bins.ts';
import type { ColumnData } from './column-data.ts';
import type { Histogram, Segment } from './drift-report.ts';
import { readable } from './format.ts';
import type { Side, TablePair } from './tables.ts';

/** Segments told by dimension; the rest is one segment, so that the parts still add up. */
const told = 12;
const nullLabel = '(null)';

/** Terms of the column's psi: by the reference's decile for numbers, by level else. They add up to the psi. */
export function ownSegments(data: ColumnData): Segment[] {
  if (data.kind === 'categorical') {
    return psiSegments(data.name, data.levels, [data.reference.counts, data.current.counts]);
  }
  const { reference, current } = data;
  const edges = innerEdges(reference.sample.quantiles(quantileShares()));
  return numericSegments(data.name, edges, [
    reference.sample.countInBins(edges),
    current.sample.countInBins(edges),
  ]);
}

/** The same from rows of both sides between edges. */
export function numericSegments(
  name: string,
  edges: Float64Array,
  counts: [Float64Array, Float64Array],
): Segment[] {
  return psiSegments(name, binLabels(edges), counts);
}

function psiSegments(
  name: string,
  labels: readonly string[],
  [reference, current]: [Float64Array, Float64Array],
): Segment[] {
  const [p, q] = [toShares(reference), toShares(current)];
  const terms = psiTerms(floorShares(p), floorShares(q));
  const total = terms.reduce((sum, term) => sum + term, 0);
  const parts = labels.map((segment, i) => ({
    segment,
    share_reference: p[i] as number,
    share_current: q[i] as number,
    contribution: terms[i] as number,
  }));
  return largest(parts).map((part) => ({
    dimension: name,
    ...part,
    mean_reference: null,
    mean_current: null,
    of: 'psi' as const,
    total,
  }));
}

function binLabels(edges: Float64Array): string[] {
  if (edges.length === 0) return ['all values'];
  const texts = Array.from(edges, readable);
  return [`< ${texts[0]}`, ...texts.slice(1).map((text, i) => `${texts[i]} to ${text}`), `≥ ${texts.at(-1)}`];
}

/**
 * How the difference of means splits over the levels of another column. With p, q the shares of a level before
 * and after, m, m' its means, and M the mean of the whole reference, its part is q (m' − M) − p (m − M): what it
 * shifted in itself and by taking a larger or smaller share. The parts add up to the difference of means.
 */
export async function segmentsBy(
  engine: SqlEngine,
  { pair, name, dimension }: { pair: TablePair; name: string; dimension: string },
): Promise<Segment[]> {
  const before = await meansBy(engine, { pair, side: pair.reference, name, dimension });
  const after = await meansBy(engine, { pair, side: pair.current, name, dimension });
  const rows = (groups: Groups) => [...groups.values()].reduce((sum, group) => sum + group.n, 0);
  const mean = (groups: Groups) =>
    [...groups.values()].reduce((sum, { n, mean }) => sum + n * mean, 0) / rows(groups);
  const [n, m] = [rows(before), rows(after)];
  if (n === 0 || m === 0) return [];
  const middle = mean(before);
  const parts = [...new Set([...before.keys(), ...after.keys()])].map((segment) => {
    const [old, now] = [before.get(segment), after.get(segment)];
    const [p, q] = [(old?.n ?? 0) / n, (now?.n ?? 0) / m];
    return {
      segment,
      share_reference: p,
      share_current: q,
      mean_reference: old?.mean ?? null,
      mean_current: now?.mean ?? null,
      contribution: q * ((now?.mean ?? middle) - middle) - p * ((old?.mean ?? middle) - middle),
    };
  });
  const total = mean(after) - middle;
  return largest(parts).map((part) => ({ dimension, ...part, of: 'mean_difference' as const, total }));
}

type Groups = Map<string, { n: number; mean: number }>;

async function meansBy(
  engine: SqlEngine,
  { pair, side, name, dimension }: { pair: TablePair; side: Side; name: string; dimension: string },
): Promise<Groups> {
  const value = `CAST(${identifier(name)} AS DOUBLE)`;
  const rows = await engine.rows(
    `SELECT CAST(${identifier(dimension)} AS VARCHAR) AS g, CAST(count(*) AS DOUBLE) AS n, avg(${value}) AS mean
     FROM ${side.relation} WHERE ${identifier(pair.block)} IS NOT NULL AND isfinite(${value}) GROUP BY 1`,
  );
  return new Map(
    rows.map((row) => [
      row.g === null ? nullLabel : String(row.g),
      { n: Number(row.n), mean: Number(row.mean) },
    ]),
  );
}

/** How unevenly a dimension's levels carry the shift, compared with their shares of the rows; 0 is evenly. */
export function concentration(segments: readonly Segment[]): number {
  return segments.reduce(
    (sum, segment) => sum + Math.abs(segment.contribution / segment.total - segment.share_current) / 2,
    0,
  );
}

interface Part {
  segment: string;
  share_reference: number;
  share_current: number;
  contribution: number;
  mean_reference?: number | null;
  mean_current?: number | null;
}

/** The parts that contribute most, largest first; all others as one. */
function largest<P extends Part>(
  parts: readonly P[],
): (P & { mean_reference: number | null; mean_current: number | null })[] {
  const ordered = parts
    .map((part) => ({ mean_reference: null, mean_current: null, ...part }))
    .sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution) || (a.segment < b.segment ? -1 : 1));
  const rest = ordered.slice(told);
  if (rest.length < 2) return ordered;
  const sum = (pick: (part: P) => number) => rest.reduce((total, part) => total + pick(part), 0);
  return [
    ...ordered.slice(0, told),
    {
      ...(rest[0] as (typeof rest)[number]),
      segment: `(${rest.length} others)`,
      share_reference: Math.min(
        1,
        sum((part) => part.share_reference),
      ),
      share_current: Math.min(
        1,
        sum((part) => part.share_current),
      ),
      mean_reference: null,
      mean_current: null,
      contribution: sum((part) => part.contribution),
    },
  ];
}

const drawnBins = 24;
const drawnLevels = 10;

/** Shares of both sides for a drawing: equal bins between the 1st and 99th percentile of both, or the top levels. */
export function histogramOf(data: ColumnData): Histogram | null {
  if (data.reference.n === 0 || data.current.n === 0) return null;
  if (data.kind === 'categorical') {
    const fold = (counts: Float64Array) => {
      const shares = Array.from(toShares(counts));
      const rest = shares.slice(drawnLevels).reduce((sum, share) => sum + share, 0);
      return shares.length > drawnLevels ? [...shares.slice(0, drawnLevels), rest] : shares;
    };
    const more = data.levels.length - drawnLevels;
    return {
      edges: null,
      labels: [...data.levels.slice(0, drawnLevels), ...(more > 0 ? [`(${more} others)`] : [])],
      reference: fold(data.reference.counts),
      current: fold(data.current.counts),
    };
  }
  const [before, after] = [data.reference.sample, data.current.sample];
  const ends = [before, after].map((sample) => sample.quantiles([0.01, 0.99]) as [number, number]);
  const low = Math.min(...ends.map(([least]) => least));
  const high = Math.max(...ends.map(([, most]) => most));
  const edges = drawnEdges(low, high);
  const inner = edges.subarray(1, -1);
  return numericHistogram(edges, [before.countInBins(inner), after.countInBins(inner)]);
}

/** Edges of equal bins from `low` to `high`; of one bin around them where they are one value. */
export function drawnEdges(low: number, high: number): Float64Array {
  const bins = high > low ? drawnBins : 1;
  // not low + i (high − low) / bins: the difference of the largest doubles overflows
  const edge = (i: number) => (high > low ? low * (1 - i / bins) + high * (i / bins) : low - 0.5 + i);
  return Float64Array.from({ length: bins + 1 }, (_, i) => edge(i));
}

/** Shares of both sides in the bins between edges, of which the outer ones are open. */
export function numericHistogram(
  edges: Float64Array,
  [reference, current]: [Float64Array, Float64Array],
): Histogram {
  return {
    edges: Array.from(edges),
    labels: binLabels(edges.subarray(1, -1)),
    reference: Array.from(toShares(reference)),
    current: Array.from(toShares(current)),
  };
}
