import { Cause } from '../../monitoring/runbook.ts';
import type { Signal } from '../../monitoring/signal.ts';
import { paragraphs, text } from '../../report/markdown.ts';
import { type Alarm, alarmMarker } from './alarm.ts';
import type { MonitorResult } from './monitor-result.ts';

/** What a check says of one alarm: it is there, or it is quiet. */
export interface Finding {
  fingerprint: string;
  alarm: Alarm | null;
}

const causes = [...Cause.options, 'service'] as const;
const told = 30;

/**
 * What a result says of each cause. A cause that could not be judged says nothing: too little data is no recovery.
 * Drift that was only logged, to be reviewed in some days, is an alarm of its own: it must not keep a real one open.
 */
export function findingsOf(result: MonitorResult): Finding[] {
  const { model, environment } = result.inputs;
  const found: Finding[] = [];
  for (const cause of causes) {
    const fingerprint = `${model}/${environment}/${cause}`;
    const signals = result.outputs.signals.filter(({ signal }) => signal === cause);
    const alert = result.outputs.alerts.find((one) => one.cause === cause);
    // what alarms and has no alert of its own is told by another one's
    const judged =
      signals.some(({ verdict }) => verdict !== 'not_enough_data') &&
      signals.every(({ verdict }) => verdict !== 'alert');
    if (alert !== undefined) found.push({ fingerprint, alarm: { ...alert, fingerprint } });
    else if (judged) found.push({ fingerprint, alarm: null });
    const review = reviewOf(result, cause, signals);
    const reviewed = `${fingerprint}.review`;
    if (review !== null) found.push({ fingerprint: reviewed, alarm: { ...review, fingerprint: reviewed } });
    else if (alert === undefined && judged) found.push({ fingerprint: reviewed, alarm: null });
  }
  return found;
}

function reviewOf(
  { inputs, outputs }: MonitorResult,
  cause: Cause | 'service',
  signals: readonly Signal[],
): Omit<Alarm, 'fingerprint'> | null {
  const action = outputs.actions.find((one) => one.cause === cause && one.action === 'review');
  const logged = signals.filter(({ verdict }) => verdict === 'logged');
  if (action === undefined || logged.length === 0 || outputs.alerts.some((one) => one.cause === cause)) {
    return null;
  }
  const what = logged.length === 1 ? `${logged[0]?.name} moved` : `${logged.length} features moved`;
  const when = action.due === null ? '' : ` by ${action.due}`;
  const { model, environment } = inputs;
  return {
    title: `${model} in ${environment}: ${what}, to review${when}`,
    action: 'review',
    reason: action.reason,
    body: paragraphs(
      alarmMarker(`${model}/${environment}/${cause}.review`),
      `Nothing alerts. What moved is written down, to be looked at again${when}.`,
      logged
        .slice(0, told)
        .map(({ summary }) => `- ${text(summary, 300)}`)
        .join('\n'),
      `### Decision: Log it and look again${when}\n\n${text(action.reason, 400)}`,
    ),
  };
}
