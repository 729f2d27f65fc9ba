import { buildAlert, type Subject } from './alert.ts';
import { findingsOf } from './findings.ts';
import type { MonitoringPolicy } from './policy.ts';
import { Cause, type Runbook, type RunbookResult, runbookFor, runRunbook } from './runbook.ts';
import { type Action, type Alert, bySeverity, type Signal } from './signal.ts';
import type { Upstream } from './upstream.ts';
import type { Watched } from './watch.ts';

export interface Response {
  alerts: Alert[];
  actions: Action[];
  runbooks: RunbookResult[];
}

export interface RespondOptions {
  subject: Subject;
  policy: MonitoringPolicy;
  runbooks: readonly Runbook[];
  /** End of the window: reviews are due so many days after it. */
  until: Date;
  /** What changed before the model's inputs; left out where it was not looked for. */
  upstream?: Upstream | null;
  /** Address of the runs that validated in the last 24 hours. */
  validationRuns?: string | null;
}

const causes = Cause.options;

/** Carries out the runbook of every cause that moved, and writes one alert a cause that somebody must see. */
export function respond(watched: Watched, options: RespondOptions): Response {
  const findings = findingsOf({
    ...watched,
    upstream: options.upstream ?? null,
    validationRuns: options.validationRuns ?? null,
  });
  const made: Response = { alerts: [], actions: [], runbooks: [] };
  const of = (cause: Signal['signal']) =>
    bySeverity(
      watched.signals.filter(
        (one) => one.signal === cause && (one.verdict === 'alert' || one.verdict === 'logged'),
      ),
    );
  for (const cause of causes) {
    const signals = of(cause);
    if (signals.length === 0) continue;
    // one issue tells of one fall
    if (cause === 'silent_failure' && made.alerts.some((one) => one.cause === 'concept_drift')) continue;
    const runbook = runbookFor(options.runbooks, cause);
    const result = runbook === null ? null : runRunbook(runbook, findings);
    if (result !== null) made.runbooks.push(result);
    addAction(made.actions, { cause, signals, result, options });
    if (!signals.some(({ verdict }) => verdict === 'alert')) continue;
    made.alerts.push(
      buildAlert({
        cause,
        subject: options.subject,
        signals,
        report:
          cause === 'data_drift' ? watched.inputs : cause === 'prediction_drift' ? watched.predictions : null,
        predictions: watched.signals.filter((one) => one.signal === 'prediction_drift'),
        runbook: result,
        upstream: cause === 'suspicious_inputs' ? null : (options.upstream ?? null),
      }),
    );
  }
  const service = of('service');
  if (service.length > 0) {
    made.alerts.push(
      buildAlert({
        cause: 'service',
        subject: options.subject,
        signals: service,
        report: null,
        predictions: [],
        runbook: null,
      }),
    );
    addAction(made.actions, { cause: 'service', signals: service, result: null, options });
  }
  return made;
}

function addAction(
  actions: Action[],
  step: {
    cause: Action['cause'];
    signals: readonly Signal[];
    result: RunbookResult | null;
    options: RespondOptions;
  },
): void {
  const { cause, signals, result, options } = step;
  const action = result === null ? 'investigate' : result.action;
  if (action === 'none' || actions.some((one) => one.action === action && action === 'retrain')) return;
  const days = action === 'review' ? (result?.days ?? options.policy.review_days) : (result?.days ?? null);
  actions.push({
    action,
    reason: result?.reason ?? signals[0]?.summary ?? cause,
    cause,
    name: signals[0]?.name ?? cause,
    due:
      days === null ? null : new Date(options.until.getTime() + days * 86_400_000).toISOString().slice(0, 10),
  });
}
