import type { SqlEngine } from '../data/engine.ts';
import { type Candidate, hasMoved } from './aspects.ts';
import { brokenRules } from './classical.ts';
import { nullRate, summarize } from './column-summary.ts';
import { smallestDetectable } from './detectable.ts';
import type { Aspect, ColumnVerdict, DriftColumn, DriftReport, Segment } from './drift-report.ts';
import type { Ends } from './far-values.ts';
import type { Importance } from './importance.ts';
import { jointDrift } from './joint.ts';
import { type Measured, measure } from './measure.ts';
import type { MonitoringPolicy } from './policy.ts';
import { readColumns } from './read-columns.ts';
import { concentration, type SegmentQuestion, segmentsBy } from './segments.ts';
import { decidable, type Significance, significance, type Tested } from './significance.ts';
import { movedSince } from './since.ts';
import type { Side, TablePair } from './tables.ts';

export interface CompareOptions {
  policy: MonitoringPolicy;
  importance: Importance | null;
  /** How the two tables are called in messages. */
  names: { reference: string; current: string };
  signal?: AbortSignal | undefined;
}

/** Dimensions of more levels than this are no segments that a person can look at. */
const dimensionLevels = 40;
/** Other columns shown as dimensions of a drifted one. */
const dimensionsTold = 2;

/** Compares all columns of two tables and decides, column by column, what drifted (docs/monitoring.md). */
export async function compareTables(
  engine: SqlEngine,
  pair: TablePair,
  options: CompareOptions,
): Promise<DriftReport> {
  const measured: Measured[] = [];
  for await (const data of readColumns(engine, pair)) {
    options.signal?.throwIfAborted();
    measured.push(measure(data, pair, options.policy));
  }
  const place = new Map(pair.columns.map(({ name }, i) => [name, i]));
  measured.sort((a, b) => (place.get(a.name) as number) - (place.get(b.name) as number));
  const dimensions: Dimensions = (question) => segmentsBy(engine, pair, question);
  const compared = await decideColumns(measured, { pair, options, dimensions });
  return options.policy.joint
    ? { ...compared, joint: await jointDrift(engine, pair, options.policy) }
    : compared;
}

/** Segments of a numeric column by another column's levels; asked for drifted columns alone, since it reads rows. */
export type Dimensions = (question: SegmentQuestion) => Promise<Segment[]>;

/** Decides on columns that were measured, from rows or from stored blocks. */
export async function decideColumns(
  measured: readonly Measured[],
  { pair, options, dimensions }: { pair: TablePair; options: CompareOptions; dimensions: Dimensions },
): Promise<DriftReport> {
  const { policy } = options;
  const questions = measured.flatMap(({ candidates, statistics }) =>
    candidates.map((candidate) => ({ candidate, statistics })),
  );
  options.signal?.throwIfAborted();
  const tests = significance(questions, { pair, policy });
  const tested = new Map(questions.map(({ candidate }, i) => [candidate, tests.tested[i] as Tested]));
  const columns: DriftColumn[] = [];
  for (const column of measured) {
    const result = decide(column, { pair, tested, options });
    if (result.verdict === 'drift' && column.kind === 'numeric') {
      result.segments.push(...(await otherDimensions(dimensions, { column: result, measured })));
    }
    columns.push(result);
  }
  return report(pair, { columns, tests, options });
}

interface Context {
  pair: TablePair;
  tested: ReadonlyMap<Candidate, Tested>;
  options: CompareOptions;
}

function decide(column: Measured, { pair, tested, options }: Context): DriftColumn {
  const { policy, importance } = options;
  const enough = decidable(pair, policy);
  const judged = column.candidates.map((candidate) => {
    const { p, q } = tested.get(candidate) ?? { p: null, q: null };
    return { candidate, aspect: judge(candidate, { p, q, enough, alpha: policy.alpha }) };
  });
  const drifted = judged.filter(({ aspect }) => aspect.verdict === 'drift');
  const values = column.candidates.find((candidate) => candidate.aspect === 'distribution');
  const aspect = headline(judged.map((one) => one.aspect));
  const head = judged.find((one) => one.aspect === aspect) as (typeof judged)[number];
  const farMoved = drifted.some((one) => one.aspect.aspect === 'far_values');
  const broken =
    aspect.verdict === 'too_few_rows' || aspect.verdict === 'empty'
      ? []
      : brokenRules(column.statistics, policy.classical);
  const verdict: ColumnVerdict = drifted.length > 0 || broken.length > 0 ? 'drift' : aspect.verdict;
  const share = importance === null ? null : (importance.get(column.name) ?? 0);
  const since = verdict === 'drift' && pair.timed ? movedSince(head.candidate.counts) : null;
  return {
    name: column.name,
    kind: column.kind,
    n_reference: column.n[0],
    n_current: column.n[1],
    null_rate_reference: nullRate(column.n[0], pair.reference),
    null_rate_current: nullRate(column.n[1], pair.current),
    ...column.statistics,
    mean_reference: column.means[0],
    mean_current: column.means[1],
    ends: column.parted?.ends ?? null,
    far_values: column.parted?.far ?? null,
    unseen: column.unseen,
    aspects: judged.map((one) => one.aspect),
    effect: aspect.effect,
    effect_unit: aspect.unit,
    effect_threshold: aspect.threshold,
    p_block: aspect.p_block,
    q_value: aspect.q_value,
    decidable: enough && (verdict === 'drift' || verdict === 'ok'),
    smallest_detectable:
      values === undefined ? null : smallestDetectable(values, tested.get(values)?.permuted ?? null),
    importance: share,
    severity: aspect.effect === null ? null : ratio(aspect) * (share ?? 1),
    verdict,
    rules_broken: broken,
    summary: summarize(column, { aspect, farMoved, pair }),
    since: since === null ? null : (pair.current.blocks[since] ?? null),
    histogram: column.histogram,
    segments: column.segments,
  };
}

/**
 * What a column is told by: what drifted most, else its values; where too few of these lie within the ends to be
 * compared, those beyond.
 */
function headline(aspects: readonly Aspect[]): Aspect {
  const [most] = aspects.filter(({ verdict }) => verdict === 'drift').sort((a, b) => ratio(b) - ratio(a));
  const far = aspects.find(({ aspect }) => aspect === 'far_values');
  const [values] = aspects as [Aspect];
  const compared = values.verdict !== 'too_few_rows' && values.verdict !== 'empty';
  return most ?? (compared ? values : (far ?? values));
}

function judge(
  { aspect, scale, effect, threshold, verdict }: Candidate,
  { p, q, enough, alpha }: { p: number | null; q: number | null; enough: boolean; alpha: number },
): Aspect {
  return {
    aspect,
    effect,
    unit: scale.unit,
    threshold: threshold.value,
    threshold_from: threshold.from,
    p_block: p,
    q_value: q,
    verdict:
      verdict ??
      (!enough || q === null ? 'not_decidable' : hasMoved({ q, effect, threshold, alpha }) ? 'drift' : 'ok'),
  };
}

/** effect / threshold; a threshold of zero lets the effect count as it is. */
function ratio({ effect, threshold }: Pick<Aspect, 'effect' | 'threshold'>): number {
  return effect === null ? 0 : threshold > 0 ? effect / threshold : effect;
}

/** Segments of a drifted numeric column by the other columns whose levels carry the shift most unevenly. */
async function otherDimensions(
  dimensions: Dimensions,
  { column, measured }: { column: DriftColumn; measured: readonly Measured[] },
): Promise<Segment[]> {
  const { name, aspects } = column;
  const of = headline(aspects).aspect === 'far_values' ? 'far_values' : 'mean_difference';
  const ends = of === 'far_values' ? movedEnds(column) : column.ends;
  const found: Segment[][] = [];
  for (const { name: dimension, levels } of measured) {
    if (levels < 2 || levels > dimensionLevels) continue;
    const segments = await dimensions({ name, dimension, ends, of });
    if (segments.length > 1) found.push(segments);
  }
  return found
    .sort((a, b) => concentration(b) - concentration(a))
    .slice(0, dimensionsTold)
    .flat();
}

/** The ends whose shares moved; of two that moved against each other, which would cancel, the one that moved more. */
function movedEnds({ ends, far_values: far }: DriftColumn): Ends | null {
  if (ends === null || far === null) return ends;
  const [below, above] = [far.current.below - far.reference.below, far.current.above - far.reference.above];
  if (below * above >= 0) return ends;
  return Math.abs(below) > Math.abs(above)
    ? { low: ends.low, high: Number.POSITIVE_INFINITY }
    : { low: Number.NEGATIVE_INFINITY, high: ends.high };
}

function report(
  pair: TablePair,
  { columns, tests, options }: { columns: DriftColumn[]; tests: Significance; options: CompareOptions },
): DriftReport {
  const { policy, names } = options;
  return {
    reference: sideFacts(names.reference, pair.reference, pair.timed),
    current: sideFacts(names.current, pair.current, pair.timed),
    source: 'rows',
    block: pair.timed ? policy.block : 'row',
    assumes_independent_rows: !pair.timed,
    alpha: policy.alpha,
    multiplicity: tests.multiplicity,
    assignments: tests.assignments,
    weekday_matched: tests.weekdayMatched,
    columns,
    drifted: columns
      .filter((column) => column.verdict === 'drift')
      .sort((a, b) => (b.severity ?? 0) - (a.severity ?? 0))
      .map((column) => column.name),
    joint: null,
    left_out: pair.leftOut,
    schema_differences: pair.schema,
  };
}

function sideFacts(name: string, side: Side, timed: boolean): DriftReport['reference'] {
  return {
    name,
    rows: side.rows,
    rows_without_time: side.rowsWithoutTime,
    blocks: timed ? side.blocks.length : side.rows,
    from: timed ? (side.blocks[0] ?? null) : null,
    until: timed ? (side.blocks.at(-1) ?? null) : null,
  };
}
