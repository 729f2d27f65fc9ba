import type { SqlEngine } from '../data/engine.ts';
import { type BoundaryWalks, boundaryWalks } from './boundary-walks.ts';
import { percent, readable } from './format.ts';
import type { MonitoringPolicy } from './policy.ts';
import { declareProbes, type ProbeOptions } from './probe-tables.ts';
import { leastRepeated, type RepeatedTrainingRows, repeatedTrainingRows } from './repeated-training-rows.ts';
import { plainSignal, type Signal, suspicions } from './signal.ts';

export interface SuspiciousOptions extends ProbeOptions {
  policy: MonitoringPolicy;
  task: 'classification' | 'regression';
}

/**
 * Requests that look as if somebody probes the model, apart from natural drift: series that walk across the decision
 * threshold, and repeated training rows. Both are measured against what the training rows show by nature. Told
 * are counts, names of features and keys as they are logged; no value of a row.
 */
export async function suspiciousInputs(engine: SqlEngine, options: SuspiciousOptions): Promise<Signal[]> {
  const { policy, task } = options;
  if (!policy.suspicious_inputs) return [];
  const probes = await declareProbes(engine, options);
  const lacking =
    probes.inputs < 2
      ? 'requests can be compared on fewer than two inputs'
      : Math.min(probes.training, probes.served) < policy.minimum_rows
        ? `${probes.served} predictions and ${probes.training} earlier training rows, ${policy.minimum_rows} of each are needed`
        : null;
  if (lacking !== null) return Object.values(suspicions).map((name) => unknown(name, lacking));
  const threshold = task === 'classification' ? policy.prediction.threshold : null;
  return [
    walkSignal(await boundaryWalks(engine, probes, { threshold }), task),
    trainingSignal(await repeatedTrainingRows(engine, probes)),
  ];
}

function unknown(name: string, why: string): Signal {
  const summary = `not enough data: ${why}`;
  return { ...plainSignal, signal: 'suspicious_inputs', name, verdict: 'not_enough_data', summary };
}

function walkSignal(walks: BoundaryWalks, task: 'classification' | 'regression'): Signal {
  const { series, requests, longest, features } = walks;
  const across = task === 'classification' ? ' across the decision threshold' : '';
  return {
    ...plainSignal,
    signal: 'suspicious_inputs',
    name: suspicions.walk,
    verdict: series > 0 ? 'alert' : 'ok',
    summary:
      series > 0
        ? `${count(requests, 'request')} in ${count(series, 'series')} ${requests === 1 ? 'moves' : 'move'} ${features.slice(0, 3).join(', ')} alone in tiny steps${across}, ${longest} steps in the longest${told(walks.keys)}`
        : `no series of requests moves one feature alone in tiny steps${across}`,
    value: longest,
    threshold: walks.needed,
    since: walks.since,
    windows: { violated: series > 0 ? 1 : 0, evaluated: 1 },
  };
}

function trainingSignal(rows: RepeatedTrainingRows): Signal {
  const { repeated, requests, expected, beyondNature } = rows;
  if (rows.common) {
    return unknown(
      suspicions.training,
      `${percent(rows.alike)} of the training rows equal another one, so rows come back by nature`,
    );
  }
  return {
    ...plainSignal,
    signal: 'suspicious_inputs',
    name: suspicions.training,
    verdict: beyondNature ? 'alert' : 'ok',
    summary: `${repeated} of ${requests} different requests ${repeated === 1 ? 'equals' : 'equal'} a training row that is the only one of its kind; nature makes about ${readable(expected)} equal${beyondNature ? told(rows.keys) : ''}`,
    value: repeated,
    threshold: Math.max(leastRepeated, 2 * expected),
    since: beyondNature ? rows.since : null,
    windows: { violated: beyondNature ? 1 : 0, evaluated: 1 },
  };
}

const count = (n: number, what: string) => `${n} ${n === 1 || what === 'series' ? what : `${what}s`}`;

const keyLength = 40;

function told(keys: readonly string[]): string {
  return keys.length === 0 ? '' : ` (keys ${keys.map((key) => key.slice(0, keyLength)).join(', ')})`;
}
