import { expect } from 'vitest';
import { MonitoringPolicy } from '../../src/monitoring/policy.ts';
import type { Signal } from '../../src/monitoring/signal.ts';
import { runStage } from '../../src/stages/define.ts';
import { monitor } from '../../src/stages/monitor.ts';
import { environment, model, type World } from './world.ts';

interface Options {
  policy?: Record<string, unknown>;
  labels?: string;
  since?: string;
  until?: string;
}

/** Runs `monitor` on a world's February, and gives what it said. */
export async function watch(
  bed: World,
  { policy = {}, labels, since = '2013-02-01', until = '2013-03-01' }: Options = {},
) {
  const outcome = await runStage(
    monitor,
    {
      model,
      environment,
      since,
      until,
      policy: MonitoringPolicy.parse({ permutations: 499, ...policy }),
      labels: labels ?? null,
    },
    bed.context,
  );
  expect(outcome.error).toBeUndefined();
  const { signals = [], alerts = [], actions = [] } = outcome.outputs;
  const of = (name: string, signal = 'data_drift'): Signal | undefined =>
    signals.find((one) => one.name === name && one.signal === signal);
  return { outcome, signals, alerts, actions, of };
}
