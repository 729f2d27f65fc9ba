import { aspectsOf, type Candidate, countsOfRows, type Parted } from './aspects.ts';
import { type ClassicalStatistics, classicalStatistics } from './classical.ts';
import type { ColumnData } from './column-data.ts';
import type { DriftColumn, Histogram, Segment } from './drift-report.ts';
import { histogramOf } from './histogram.ts';
import type { MonitoringPolicy } from './policy.ts';
import { ownSegments } from './segments.ts';
import type { TablePair } from './tables.ts';

/** What is kept of a column once its rows are gone. */
export interface Measured {
  name: string;
  kind: ColumnData['kind'];
  n: [number, number];
  means: [number | null, number | null];
  levels: number;
  statistics: ClassicalStatistics;
  candidates: Candidate[];
  parted: Parted | null;
  histogram: Histogram | null;
  segments: Segment[];
  unseen: DriftColumn['unseen'];
}

/** Measures a column from its rows. */
export function measure(data: ColumnData, pair: TablePair, policy: MonitoringPolicy): Measured {
  const statistics = classicalStatistics(data, policy.classical);
  const counts = countsOfRows(data, statistics, { pair, policy });
  const both = data.reference.n > 0 && data.current.n > 0;
  return {
    name: data.name,
    kind: data.kind,
    n: [data.reference.n, data.current.n],
    means:
      data.kind === 'numeric' ? [data.reference.sample.mean(), data.current.sample.mean()] : [null, null],
    levels: data.kind === 'categorical' ? data.levels.length : Number.POSITIVE_INFINITY,
    statistics,
    candidates: aspectsOf(counts, { pair, policy }),
    parted: counts.parted,
    histogram: histogramOf(data, counts.parted),
    segments: both ? ownSegments(data) : [],
    unseen: unseenLevels(data),
  };
}

/** Levels that the reference lacks: at most 20 of them, and their share of the current rows. */
export function unseenLevels(data: ColumnData): DriftColumn['unseen'] {
  if (data.kind !== 'categorical' || data.current.n === 0) return null;
  const unknown = data.levels
    .map((level, i) => ({
      level,
      rows: data.current.counts[i] as number,
      known: data.reference.counts[i] !== 0,
    }))
    .filter(({ known }) => !known);
  const rows = unknown.reduce((sum, level) => sum + level.rows, 0);
  return { share: rows / data.current.n, levels: unknown.slice(0, 20).map(({ level }) => level) };
}
