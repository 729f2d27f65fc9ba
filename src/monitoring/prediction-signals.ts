import type { DriftColumn, DriftReport } from './drift-report.ts';
import { percent } from './format.ts';
import type { MonitoringPolicy } from './policy.ts';
import { plainSignal, type Signal } from './signal.ts';

/** Columns of both relations that prediction drift compares. */
export const predictionColumns = { value: 'prediction', class: 'predicted_class' } as const;

/** Share by which a class must have grown to count as a collapse when blocks cannot decide. */
const plainCollapse = 0.1;

/**
 * Prediction drift, without labels: the distribution of the outputs, and one class taking most predictions where it
 * did not before. A collapse onto one class is told even with too few blocks, when its share grew by ten points.
 */
export function predictionSignals(report: DriftReport, policy: MonitoringPolicy): Signal[] {
  return report.columns.map((column) => {
    const base: Signal = {
      ...plainSignal,
      signal: 'prediction_drift',
      name: column.name,
      verdict: column.verdict === 'drift' ? 'alert' : column.verdict === 'ok' ? 'ok' : 'not_enough_data',
      summary: column.summary,
      value: column.effect,
      threshold: column.effect_threshold,
      p_block: column.p_block,
      q_value: column.q_value,
      severity: column.severity,
      since: column.since,
      windows: { violated: column.verdict === 'drift' ? 1 : 0, evaluated: 1 },
    };
    if (column.name !== predictionColumns.class) return base;
    const collapsed = collapse(column, policy);
    if (collapsed === null) return base;
    return { ...base, verdict: 'alert', summary: collapsed, windows: { violated: 1, evaluated: 1 } };
  });
}

function collapse(column: DriftColumn, policy: MonitoringPolicy): string | null {
  if (column.verdict === 'too_few_rows' || column.verdict === 'empty') return null;
  const { maximum_class_share: limit } = policy.prediction;
  const taken = column.segments.find(
    ({ share_reference: before, share_current: after }) =>
      after >= limit && before < limit && (column.verdict === 'drift' || after - before >= plainCollapse),
  );
  if (taken === undefined) return null;
  const which = taken.segment === 'true' ? 'the positive class' : 'the negative class';
  return `${which} takes ${percent(taken.share_current)} of the predictions, ${percent(taken.share_reference)} before (limit ${percent(limit)})`;
}
