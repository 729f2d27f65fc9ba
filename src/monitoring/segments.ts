import { identifier, type SqlEngine } from '../data/engine.ts';
import { floorShares, psiTerms, toShares } from '../stats/divergence.ts';
import { innerEdges, quantileShares } from '../stats/quantile-bins.ts';
import type { ColumnData } from './column-data.ts';
import type { Segment } from './drift-report.ts';
import type { Ends } from './far-values.ts';
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

/** Names of the bins between inner edges, the outer ones open. */
export function binLabels(edges: Float64Array): string[] {
  if (edges.length === 0) return ['all values'];
  const texts = Array.from(edges, readable);
  return [`< ${texts[0]}`, ...texts.slice(1).map((text, i) => `${texts[i]} to ${text}`), `≥ ${texts.at(-1)}`];
}

/** What a numeric column is divided by, and what of it is divided. */
export interface SegmentQuestion {
  name: string;
  /** Another column. */
  dimension: string;
  /** Values beyond them are left out of means; null where there are none. */
  ends: Ends | null;
  /** The difference of means, or that of the shares (in points) beyond the ends. */
  of: 'mean_difference' | 'far_values';
}

/**
 * How the difference of means splits over the levels of another column. With p, q the shares of a level before
 * and after, m, m' its means, and M the mean of the whole reference, its part is q (m' − M) − p (m − M): what it
 * shifted in itself and by taking a larger or smaller share. The parts add up to the difference of means.
 */
export async function segmentsBy(
  engine: SqlEngine,
  pair: TablePair,
  question: SegmentQuestion,
): Promise<Segment[]> {
  const { dimension, of } = question;
  const before = await meansBy(engine, pair, { ...question, side: pair.reference });
  const after = await meansBy(engine, pair, { ...question, side: pair.current });
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
  return largest(parts).map((part) => ({ dimension, ...part, of, total }));
}

type Groups = Map<string, { n: number; mean: number }>;

async function meansBy(
  engine: SqlEngine,
  pair: TablePair,
  { side, name, dimension, ends, of }: SegmentQuestion & { side: Side },
): Promise<Groups> {
  const value = `CAST(${identifier(name)} AS DOUBLE)`;
  const within = ends === null ? null : `${value} >= $1 AND ${value} < $2`;
  const far = of === 'far_values' && within !== null;
  const measured = far ? `CASE WHEN ${within} THEN 0.0 ELSE 100.0 END` : value;
  const chosen = [
    `${identifier(pair.block)} IS NOT NULL AND isfinite(${value})`,
    ...(far || within === null ? [] : [within]),
  ];
  const rows = await engine.rows(
    `SELECT CAST(${identifier(dimension)} AS VARCHAR) AS g, CAST(count(*) AS DOUBLE) AS n, avg(${measured}) AS mean
     FROM ${side.relation} WHERE ${chosen.join(' AND ')} GROUP BY 1`,
    ends === null ? [] : [ends.low, ends.high],
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
  if (segments.some(({ total }) => total === 0)) return 0;
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
