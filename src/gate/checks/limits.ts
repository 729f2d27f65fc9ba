import { type Check, check } from '../check.ts';
import { formatValue } from '../numbers.ts';
import type { GatePolicy } from '../policy.ts';

/** What was measured of the candidate's package; null where it was not. */
export interface Measured {
  /** 99th percentile of the time for one row, milliseconds. */
  p99Ms: number | null;
  championP99Ms: number | null;
  /** Bytes of the model file. */
  modelBytes: number | null;
}

/** Latency and size against the policy's limits. What was not measured is inconclusive. */
export function limitChecks(measured: Measured, policy: GatePolicy): Check[] {
  const checks: Check[] = [];
  if (policy.latency !== undefined) {
    checks.push(
      limit({
        id: 'latency',
        title: 'latency p99',
        unit: 'ms',
        value: measured.p99Ms,
        champion: measured.championP99Ms,
        most: policy.latency.p99_ms,
      }),
    );
  }
  if (policy.model_size !== undefined) {
    checks.push(
      limit({
        id: 'model_size',
        title: 'model size',
        unit: 'MB',
        value: measured.modelBytes === null ? null : measured.modelBytes / 1e6,
        champion: null,
        most: policy.model_size.max_mb,
      }),
    );
  }
  return checks;
}

function limit(input: {
  id: 'latency' | 'model_size';
  title: string;
  unit: string;
  value: number | null;
  champion: number | null;
  most: number;
}): Check {
  const { id, title, unit, value, most } = input;
  const head = { id, kind: id, title, effect: 'blocks' as const, margin: most };
  if (value === null) {
    return check({ ...head, verdict: 'inconclusive', reason: `The ${title} was not measured.` });
  }
  return check({
    ...head,
    verdict: value <= most ? 'pass' : 'fail',
    reason: `The ${title} is ${formatValue(value)} ${unit}; the limit is ${formatValue(most)} ${unit}.`,
    champion: input.champion,
    candidate: value,
    method: 'measured',
  });
}
