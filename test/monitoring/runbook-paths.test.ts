import { describe, expect, it } from 'vitest';
import { noStatistics } from '../../src/monitoring/classical.ts';
import { dataSignals } from '../../src/monitoring/data-signals.ts';
import type { DriftColumn, DriftReport } from '../../src/monitoring/drift-report.ts';
import { findingsOf } from '../../src/monitoring/findings.ts';
import { MonitoringPolicy } from '../../src/monitoring/policy.ts';
import { respond } from '../../src/monitoring/respond.ts';
import {
  type Cause,
  Condition,
  type Findings,
  loadRunbooks,
  Question,
  type RunbookAction,
  runbookFor,
  runRunbook,
} from '../../src/monitoring/runbook.ts';
import { plainSignal, type Signal } from '../../src/monitoring/signal.ts';

const runbooks = await loadRunbooks(undefined);
type Holds = Record<Condition, boolean>;
type Wanted = [action: RunbookAction, days: number | null];

/** What each runbook has to decide, said a second time: not in the runbook's order, but as who would be harmed. */
const wanted: Record<Cause, (holds: Holds) => Wanted> = {
  data_drift: driftWanted,
  prediction_drift: driftWanted,
  concept_drift: (holds) => performanceWanted(holds, false),
  silent_failure: (holds) => performanceWanted(holds, holds.nulls_moved),
  suspicious_inputs: (holds) =>
    holds.boundary_walked || holds.training_rows_probed ? ['investigate', null] : ['none', null],
};

function driftWanted(holds: Holds): Wanted {
  const wrongValues = holds.important_nulls_rose || holds.important_far_values_rose;
  const learnsAFault = holds.schema_broken || (holds.drift_found && wrongValues);
  if (learnsAFault) return ['fix_data', null];
  if (!holds.drift_found) return [holds.predictions_moved ? 'investigate' : 'none', null];
  if (holds.top_importance) return ['retrain', null];
  return holds.predictions_moved ? ['investigate', null] : ['review', 7];
}

function performanceWanted(holds: Holds, valuesMissing: boolean): Wanted {
  if (holds.schema_broken) return ['fix_data', null];
  if (!holds.performance_fell) return ['none', null];
  if (valuesMissing) return ['fix_data', null];
  const explained = holds.drift_found || holds.class_shifted || holds.wider_window_fell;
  return [explained ? 'retrain' : 'investigate', null];
}

function findings(holds: Holds): Findings {
  const answers = Object.fromEntries(Question.options.map((one) => [one, { answer: 'yes', detail: one }]));
  return { answers: answers as Findings['answers'], conditions: holds };
}

describe('[ALR-3] [ALR-4] [ALR-5] the branch that each default runbook takes', () => {
  it.each(Object.keys(wanted) as Cause[])('%s: in every combination of conditions', (cause) => {
    const runbook = runbookFor(runbooks, cause);
    if (runbook === null) throw new Error('no runbook');
    const taken = new Set<string>();
    for (let bits = 0; bits < 2 ** Condition.options.length; bits += 1) {
      const holds = Object.fromEntries(
        Condition.options.map((condition, at) => [condition, ((bits >> at) & 1) === 1]),
      ) as Holds;
      const { action, days, reason } = runRunbook(runbook, findings(holds));
      taken.add(reason);
      const told = Condition.options.filter((condition) => holds[condition]).join(', ');
      expect([action, days], told).toEqual(wanted[cause](holds));
    }
    // no decision is dead, and none is without its reason
    expect([...taken].sort()).toEqual(runbook.decisions.map(({ reason }) => reason).sort());
  });
});

const importance = new Map(
  Object.entries({ weight: 0.4, distance: 0.02, a: 0.12, b: 0.12, c: 0.12, d: 0.12, e: 0.1 }),
);

function column(name: string, change: Partial<DriftColumn> = {}): DriftColumn {
  return {
    ...{
      name,
      kind: 'numeric',
      n_reference: 900,
      n_current: 900,
      null_rate_reference: 0,
      null_rate_current: 0,
    },
    ...noStatistics,
    ...{ mean_reference: 1, mean_current: 1, unseen: null },
    ends: null,
    far_values: null,
    ...{ aspects: [], effect: 0.01, effect_unit: 'sd', effect_threshold: 0.1, p_block: 0.5, q_value: 0.9 },
    ...{ decidable: true, smallest_detectable: null, importance: null, severity: 0, verdict: 'ok' },
    ...{ rules_broken: [], summary: `${name}: as before`, since: null, histogram: null, segments: [] },
    ...change,
  };
}
const drifted = (name: string, change: Partial<DriftColumn> = {}) =>
  column(name, { verdict: 'drift', effect: 1, severity: 4, summary: `${name} moved`, ...change });
const nulls = (reference: number, current: number): Partial<DriftColumn> => ({
  ...{ null_rate_reference: reference, null_rate_current: current },
  aspects: [
    {
      ...{ aspect: 'nulls', effect: 30, unit: 'points', threshold: 1, threshold_from: 'configured' },
      ...{ p_block: 0.001, q_value: 0.01, verdict: 'drift' },
    },
  ],
});
const far = (reference: number, current: number): Partial<DriftColumn> => {
  const side = (above: number) => ({ below: 0, above, mean_within: 1 });
  return {
    ...{ ends: { low: -9, high: 9 }, far_values: { reference: side(reference), current: side(current) } },
    aspects: [
      {
        ...{ aspect: 'far_values', effect: 2, unit: 'points', threshold: 1, threshold_from: 'configured' },
        ...{ p_block: 0.001, q_value: 0.01, verdict: 'drift' },
      },
    ],
  };
};

/** What a window of these columns makes of it: signals, alerts and actions. */
function judged(
  columns: readonly DriftColumn[],
  more: { missing?: string[]; signals?: Signal[]; known?: boolean } = {},
) {
  const policy = MonitoringPolicy.parse({});
  const side = { rows: 900, rows_without_time: 0, blocks: 28, from: '2013-02-01', until: '2013-02-28' };
  const report: DriftReport = {
    ...{ reference: { name: 'training rows', ...side }, current: { name: 'served', ...side }, block: 'day' },
    source: 'rows',
    ...{ assumes_independent_rows: false, alpha: 0.05, multiplicity: 'max_t', assignments: 1999 },
    ...{ weekday_matched: true, joint: null, columns: [...columns], left_out: [] },
    drifted: columns.filter(({ verdict }) => verdict === 'drift').map(({ name }) => name),
    schema_differences: { missing: more.missing ?? [], unexpected: [], changed: [] },
  };
  const signals = [
    ...dataSignals(report, { policy, importance: more.known === false ? null : importance, earlier: [] }),
    ...(more.signals ?? []),
  ];
  const watched = {
    ...{ inputs: report, predictions: report, signals, worst: [], labels: null, wider: [] },
  };
  const subject = { model: 'parcels', environment: 'production', version: 1 };
  const response = respond(watched, { subject, policy, runbooks, until: new Date('2013-03-01') });
  return { ...response, signals, conditions: findingsOf(watched).conditions };
}
const all = ['weight', 'distance', 'a', 'b', 'c', 'd', 'e'];
const with_ = (...moved: DriftColumn[]) =>
  all.map((name) => moved.find((one) => one.name === name) ?? column(name));
const signal = (change: Partial<Signal>): Signal => ({
  ...{ ...plainSignal, signal: 'prediction_drift', name: 'prediction', verdict: 'alert', summary: 'moved' },
  ...change,
});

describe('the way from a window to its branch', () => {
  it('[MON-4] [ALR-4] a feature of 2 % is logged for a review in 7 days, one of 40 % alerts and retrains', () => {
    const light = judged(with_(drifted('distance')));
    expect(light.signals.find(({ name }) => name === 'distance')).toMatchObject({
      ...{ verdict: 'logged', importance: 0.02, top: false },
    });
    expect(light.alerts).toEqual([]);
    expect(light.actions).toMatchObject([{ action: 'review', name: 'distance', due: '2013-03-08' }]);
    const heavy = judged(with_(drifted('weight')));
    expect(heavy.signals.find(({ name }) => name === 'weight')).toMatchObject({
      ...{ verdict: 'alert', importance: 0.4, rank: 1, top: true },
    });
    expect(heavy.alerts).toMatchObject([{ cause: 'data_drift', action: 'retrain' }]);
    expect(heavy.actions).toMatchObject([{ action: 'retrain', name: 'weight', due: null }]);
    const both = judged(with_(drifted('weight'), drifted('distance')));
    expect(both.alerts).toMatchObject([{ action: 'retrain' }]);
  });

  it('a broken schema asks for mended data, whatever else moved', () => {
    const { alerts } = judged(with_(drifted('weight')), { missing: ['a'] });
    expect(alerts).toMatchObject([{ cause: 'data_drift', action: 'fix_data' }]);
    expect(alerts[0]?.body).toContain('**no**: a is missing');
  });

  it('nulls that rose in an important feature ask for mended data; in another one, or fallen, they do not', () => {
    expect(judged(with_(drifted('weight', nulls(0, 0.3)))).alerts).toMatchObject([{ action: 'fix_data' }]);
    expect(judged(with_(drifted('weight', nulls(0.3, 0)))).alerts).toMatchObject([{ action: 'retrain' }]);
    const elsewhere = judged(with_(drifted('weight'), drifted('distance', nulls(0, 0.3))));
    expect(elsewhere.alerts).toMatchObject([{ action: 'retrain' }]);
    expect(judged(with_(drifted('distance', nulls(0, 0.3)))).actions).toMatchObject([{ action: 'review' }]);
    // without importance any feature may be an important one
    const unknown = judged(with_(drifted('distance', nulls(0, 0.3))), { known: false });
    expect(unknown.alerts).toMatchObject([{ action: 'fix_data' }]);
  });

  it('more values far outside of the rest of an important feature ask for mended data, fewer do not', () => {
    expect(judged(with_(drifted('weight', far(0, 0.02)))).alerts).toMatchObject([{ action: 'fix_data' }]);
    expect(judged(with_(drifted('weight', far(0.02, 0)))).alerts).toMatchObject([{ action: 'retrain' }]);
    expect(judged(with_(drifted('distance', far(0, 0.02)))).actions).toMatchObject([{ action: 'review' }]);
  });

  it('predictions that moved alone are looked into', () => {
    expect(judged(with_(), { signals: [signal({})] }).alerts).toMatchObject([
      { cause: 'prediction_drift', action: 'investigate' },
    ]);
  });

  it('[ALR-5] a fall without drift goes the way of the second runbook, and one fall makes one issue', () => {
    const fell = signal({ signal: 'concept_drift', name: 'accuracy of version 1', summary: 'accuracy fell' });
    const silent = signal({
      signal: 'silent_failure',
      name: 'accuracy of version 1',
      summary: 'accuracy fell',
    });
    const classes = signal({ name: 'predicted_class', summary: 'the positive class takes 85 %' });
    expect(judged(with_(), { signals: [fell, silent] }).alerts).toMatchObject([
      { cause: 'concept_drift', action: 'investigate' },
    ]);
    const shifted = judged(with_(), { signals: [fell, classes] });
    expect(shifted.conditions).toMatchObject({ class_shifted: true, drift_found: false });
    expect(shifted.alerts.find(({ cause }) => cause === 'concept_drift')).toMatchObject({
      action: 'retrain',
    });
    expect(judged(with_(), { signals: [silent] }).alerts).toMatchObject([
      { cause: 'silent_failure', action: 'investigate' },
    ]);
  });

  it('[TRG-2] a window that finds nothing asks for nothing', () => {
    const { alerts, actions, runbooks: opened } = judged(with_());
    expect({ alerts, actions, opened }).toEqual({ alerts: [], actions: [], opened: [] });
  });
});
