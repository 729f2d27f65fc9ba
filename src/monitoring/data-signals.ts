import type { Aspect, ColumnVerdict, DriftColumn, DriftReport } from './drift-report.ts';
import { percent, withUnit } from './format.ts';
import { type Importance, rankOf } from './importance.ts';
import type { MonitoringPolicy } from './policy.ts';
import { plainSignal, type Signal, type SignalVerdict } from './signal.ts';

export interface DataSignalOptions {
  policy: MonitoringPolicy;
  importance: Importance | null;
  /** Reports of the windows before this one, the newest first; empty when one window decides. */
  earlier: readonly DriftReport[];
}

/**
 * One signal a feature. A drifted feature alerts when it is among the most important (or no importance
 * is known), is severe enough, and drifted in enough of the windows or extremely in the newest; else it is logged.
 */
export function dataSignals(report: DriftReport, options: DataSignalOptions): Signal[] {
  const schema = schemaSignals(report);
  return [...schema, ...report.columns.map((column) => columnSignal(column, options))];
}

/**
 * What is not compared and must not pass for green: columns that the policy names and the reference does not have, and
 * inputs that another version of the window does not take.
 */
export function undecidedColumns(report: DriftReport, { columns = [] }: MonitoringPolicy): Signal[] {
  const { missing, changed } = report.schema_differences;
  const known = new Set([
    ...[...report.columns, ...report.left_out, ...changed].map(({ name }) => name),
    ...missing,
  ]);
  const nowhere = [...new Set(columns)]
    .filter((name) => !known.has(name))
    .map((name) => ({ name, why: 'monitoring.columns names it, and the training rows have no such input' }));
  const untaken = report.left_out
    .filter(({ reason }) => reason === 'other_version')
    .map(({ name, detail }) => ({ name, why: detail }));
  return [...nowhere, ...untaken].map(({ name, why }) => ({
    ...plainSignal,
    signal: 'data_drift',
    name,
    verdict: 'not_enough_data',
    summary: `not enough data: ${name}: ${why}`,
  }));
}

function columnSignal(column: DriftColumn, { policy, importance, earlier }: DataSignalOptions): Signal {
  const rank = rankOf(importance, column.name, policy.importance_quartile);
  const windows = [
    column,
    ...earlier.map((report) => report.columns.find(({ name }) => name === column.name)),
  ];
  const violated = windows.filter((window) => window?.verdict === 'drift').length;
  const often = violated >= Math.min(policy.num_violation_windows, policy.num_evaluation_windows);
  const extreme = often ? null : extremeAspect(column, policy);
  const logged =
    importance !== null && rank?.top !== true
      ? rank === null
        ? 'the model does not use it'
        : `not among the most important (${percent(rank.importance)}, rank ${rank.rank} of ${rank.of})`
      : !often && extreme === null
        ? `in ${violated} of ${windows.length} windows, ${policy.num_violation_windows} make an alert`
        : (column.severity ?? 0) < policy.minimum_severity
          ? 'below the severity that alerts'
          : null;
  const drifted = column.verdict === 'drift';
  const verdict: SignalVerdict = drifted ? (logged === null ? 'alert' : 'logged') : calm(column.verdict);
  const atOnce =
    extreme === null
      ? null
      : `so far (${withUnit(extreme.effect, extreme.unit)}) that no further window is waited for`;
  const why = drifted ? (logged ?? atOnce) : null;
  return {
    ...plainSignal,
    signal: 'data_drift',
    name: column.name,
    verdict,
    summary: `${column.verdict === 'drift' || column.verdict === 'ok' ? column.summary : reasons[column.verdict]}${why === null ? '' : `; ${why}`}`,
    value: column.effect,
    threshold: column.effect_threshold,
    p_block: column.p_block,
    q_value: column.q_value,
    importance: rank?.importance ?? column.importance,
    rank: rank?.rank ?? null,
    top: rank === null ? null : rank.top,
    severity: column.severity,
    since: column.since,
    windows: { violated, evaluated: windows.length },
  };
}

/** The aspect that moved so far that no further window is waited for; null where none did. */
function extremeAspect({ aspects }: DriftColumn, { extreme }: MonitoringPolicy): Aspect | null {
  const far = ({ effect, unit, threshold }: Aspect) =>
    effect !== null && unit !== 'value' && effect >= extreme[unit] && effect >= 2 * threshold;
  return aspects.find((aspect) => aspect.verdict === 'drift' && far(aspect)) ?? null;
}

const reasons: Record<Exclude<ColumnVerdict, 'drift' | 'ok'>, string> = {
  not_decidable: 'not enough data: too few blocks to tell drift from one day to the next',
  too_few_rows: 'not enough data: too few rows in the window',
  empty: 'not enough data: no values on one side',
};

function calm(verdict: ColumnVerdict): SignalVerdict {
  return verdict === 'ok' ? 'ok' : 'not_enough_data';
}

function schemaSignals({ schema_differences: schema }: DriftReport): Signal[] {
  const broken = [
    ...schema.missing.map((name) => [name, 'the column is missing'] as const),
    ...schema.changed.map(
      ({ name, reference, current }) => [name, `the type changed from ${reference} to ${current}`] as const,
    ),
  ];
  const unknown = schema.unexpected.map((name) => ({
    ...plainSignal,
    signal: 'data_drift' as const,
    name,
    verdict: 'not_enough_data' as const,
    summary: `not enough data: the rows to compare with have no column ${name}`,
  }));
  const alerts = broken.map(([name, summary]) => ({
    ...plainSignal,
    signal: 'data_drift' as const,
    name,
    verdict: 'alert' as const,
    summary: `${name}: ${summary}`,
    windows: { violated: 1, evaluated: 1 },
  }));
  return [...alerts, ...unknown];
}
