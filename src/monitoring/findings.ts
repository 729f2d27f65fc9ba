import { lastDayAnswer } from './alert-upstream.ts';
import type { Aspect, DriftColumn, DriftReport } from './drift-report.ts';
import { percent, readable } from './format.ts';
import type { Answer, Condition, Findings, Question } from './runbook.ts';
import { type Signal, suspicions } from './signal.ts';
import type { Upstream } from './upstream.ts';

export interface Evidence {
  /** Inputs: reference against the window. Null where there was nothing to compare. */
  inputs: DriftReport | null;
  predictions: DriftReport | null;
  signals: readonly Signal[];
  /** Labelled predictions that were most wrong: ids or keys, worst first. */
  worst: readonly { key: string; label: number; prediction: number }[];
  labels: { labelled: number; predictions: number } | null;
  /** The metric's signals over a window three times as long; empty where it was not measured. */
  wider: readonly Signal[];
  /** What is known of the way of the data; left out where it was not looked for. */
  upstream?: Upstream | null;
  /** Where the runs that validate can be read. */
  validationRuns?: string | null;
}

/** Answers every question that a runbook can ask from what was measured; what was not measured is `unknown`. */
export function findingsOf(evidence: Evidence): Findings {
  const { inputs, predictions, signals, wider } = evidence;
  const drifted = signals.filter((one) => one.signal === 'data_drift' && moved(one));
  const schemaBroken =
    inputs !== null &&
    inputs.schema_differences.missing.length + inputs.schema_differences.changed.length > 0;
  const movedBy = (name: Aspect['aspect']) =>
    (inputs?.columns ?? []).filter(({ aspects }) =>
      aspects.some(({ aspect, verdict }) => aspect === name && verdict === 'drift'),
    );
  const nullsMoved = movedBy('nulls');
  const top = drifted.filter((one) => one.top === true);
  const ranked = signals.some((one) => one.signal === 'data_drift' && one.top !== null);
  // where importance is not known, every moved feature may be an important one
  const important = ranked ? top : drifted.filter((one) => one.verdict === 'alert');
  const rose = new Set(
    nullsMoved
      .filter((column) => (column.null_rate_current ?? 0) > (column.null_rate_reference ?? 0))
      .map(({ name }) => name),
  );
  const farRose = new Set(
    movedBy('far_values')
      .filter(farValuesRose)
      .map(({ name }) => name),
  );
  const predictionMoved = signals.filter(
    (one) => one.signal === 'prediction_drift' && one.verdict === 'alert',
  );
  const classSignal = signals.find(
    (one) => one.signal === 'prediction_drift' && one.name === 'predicted_class',
  );
  const alerting = (signal: Signal['signal'], name?: string) =>
    signals.filter(
      (one) => one.signal === signal && one.verdict === 'alert' && (name === undefined || one.name === name),
    );
  const fell = [...alerting('concept_drift'), ...alerting('silent_failure')];
  const service = signals.filter((one) => one.signal === 'service');
  const walks = alerting('suspicious_inputs', suspicions.walk);
  const known = alerting('suspicious_inputs', suspicions.training);
  const wide = wider.filter((one) => one.verdict === 'alert');
  const answers: Record<Question, Answer> = {
    validation_log: {
      ...(evidence.upstream == null
        ? unknown('it was not looked for')
        : lastDayAnswer(evidence.upstream.last_day)),
      ...(evidence.validationRuns == null ? {} : { log: evidence.validationRuns }),
    },
    schema_intact:
      inputs === null
        ? unknown('nothing was compared')
        : yesNo(!schemaBroken, schemaText(inputs), 'all columns are there, with their types'),
    null_rates:
      inputs === null
        ? unknown('nothing was compared')
        : yesNo(
            nullsMoved.length === 0,
            nullsMoved
              .map((c) => `${c.name}: ${percent(c.null_rate_reference)} → ${percent(c.null_rate_current)}`)
              .join('; '),
            `none of ${inputs.columns.length} columns has another null rate than chance and its floor allow`,
          ),
    drift_statistics: yesNo(
      drifted.length > 0,
      `none of ${inputs?.columns.length ?? 0} features moved`,
      drifted.map((one) => one.summary).join('; '),
    ),
    importance_quartile: !ranked
      ? unknown('the model package gives no importance')
      : yesNo(
          top.length > 0,
          'no moved feature is among the most important',
          top
            .map((one) => `${one.name}: ${percent(one.importance)} of the importance, rank ${one.rank}`)
            .join('; '),
        ),
    prediction_shift:
      predictions === null
        ? unknown('there are no reference predictions')
        : yesNo(
            predictionMoved.length > 0,
            'the predictions stayed',
            predictionMoved.map((one) => one.summary).join('; '),
          ),
    request_sample:
      evidence.worst.length === 0
        ? unknown('no labelled predictions to look at')
        : {
            answer: 'yes',
            detail: `most wrong: ${evidence.worst
              .map(
                ({ key, label, prediction }) =>
                  `${key} (predicted ${readable(prediction)}, was ${readable(label)})`,
              )
              .join('; ')}`,
          },
    class_shift:
      classSignal === undefined
        ? unknown('the model does not predict classes, or there are no reference predictions')
        : classSignal.verdict === 'not_enough_data'
          ? unknown(classSignal.summary)
          : yesNo(classSignal.verdict === 'alert', classSignal.summary, classSignal.summary),
    label_coverage:
      evidence.labels === null
        ? unknown('no labels are configured')
        : yesNo(
            evidence.labels.labelled > 0,
            'no prediction has a label yet',
            `${evidence.labels.labelled} of ${evidence.labels.predictions} predictions have a label`,
          ),
    wider_window:
      wider.length === 0
        ? unknown('no wider window was measured')
        : yesNo(
            wide.length > 0,
            wider.map((one) => one.summary).join('; '),
            wide.map((one) => one.summary).join('; '),
          ),
    service_health: service.every(({ verdict }) => verdict === 'not_enough_data')
      ? unknown('too few predictions to judge the service')
      : yesNo(
          alerting('service').length === 0,
          alerting('service')
            .map(({ summary }) => summary)
            .join('; '),
          service.map(({ summary }) => summary).join('; '),
        ),
    boundary_walks: suspicionAnswer(signals, suspicions.walk),
    training_rows: suspicionAnswer(signals, suspicions.training),
  };
  const conditions: Record<Condition, boolean> = {
    schema_broken: schemaBroken,
    nulls_moved: nullsMoved.length > 0,
    drift_found: drifted.length > 0,
    top_importance: important.length > 0,
    important_nulls_rose: important.some(({ name }) => rose.has(name)),
    important_far_values_rose: important.some(({ name }) => farRose.has(name)),
    predictions_moved: predictionMoved.length > 0,
    performance_fell: fell.length > 0,
    class_shifted: classSignal?.verdict === 'alert',
    wider_window_fell: wide.length > 0,
    boundary_walked: walks.length > 0,
    training_rows_probed: known.length > 0,
  };
  return { answers, conditions };
}

function suspicionAnswer(signals: readonly Signal[], name: string): Answer {
  const found = signals.find((one) => one.signal === 'suspicious_inputs' && one.name === name);
  if (found === undefined || found.verdict === 'not_enough_data')
    return unknown(found?.summary ?? 'it was not looked for');
  return yesNo(found.verdict === 'alert', found.summary, found.summary);
}

/** Whether more values lie beyond an end than did, by what counts; also where they came from beyond the other one. */
function farValuesRose({ aspects, far_values: far }: DriftColumn): boolean {
  if (far === null) return false;
  const { reference: before, current: now } = far;
  const rise = Math.max(0, now.below - before.below) + Math.max(0, now.above - before.above);
  const threshold = aspects.find(({ aspect }) => aspect === 'far_values')?.threshold ?? 0;
  return rise > 0 && 100 * rise >= threshold;
}

function moved(signal: Signal): boolean {
  return signal.verdict === 'alert' || signal.verdict === 'logged';
}

function unknown(detail: string): Answer {
  return { answer: 'unknown', detail };
}

function yesNo(yes: boolean, ifNo: string, ifYes: string): Answer {
  return yes ? { answer: 'yes', detail: ifYes } : { answer: 'no', detail: ifNo };
}

function schemaText({ schema_differences: schema }: DriftReport): string {
  return [
    ...schema.missing.map((name) => `${name} is missing`),
    ...schema.changed.map(({ name, reference, current }) => `${name} was ${reference} and is ${current}`),
  ].join('; ');
}
