import { describe, expect, it } from 'vitest';
import { MonitoringPolicy } from '../../src/monitoring/policy.ts';
import { runStage } from '../../src/stages/define.ts';
import { monitorSelfTest } from '../../src/stages/self-test.ts';
import { environment, model, world } from './world.ts';

describe('monitor --self-test', () => {
  const policy = MonitoringPolicy.parse({ permutations: 99 });

  it('measures false alarms and the smallest shifts on the training rows of what is deployed', async () => {
    const { context } = await world();
    const inputs = { model, environment, since: '2013-02-01', until: '2013-02-11', policy };
    const { outputs, verdict, reason_code, error } = await runStage(monitorSelfTest, inputs, context);
    expect(error).toBeUndefined();
    expect({ verdict, reason_code }).toEqual({ verdict: 'pass', reason_code: 'done' });
    expect(outputs).toMatchObject({ window_blocks: 10, alpha: 0.05, power: 0.8 });
    expect(outputs.dealt).toMatchObject({ windows: 100 });
    expect(outputs.dealt!.low).toBeLessThanOrEqual(0.05);
    expect(outputs.past!.windows).toBe(Math.floor(outputs.blocks! / 10));
    const weight = outputs.smallest!.find(({ name }) => name === 'weight');
    expect(weight).toMatchObject({ kind: 'numeric', unit: 'sd' });
    // the world's own alarm is at 1.5: the self-test must not call that unseeable
    expect(weight!.shift).toBeGreaterThan(0);
    expect(weight!.shift).toBeLessThan(1.5);
  });

  it('refuses a window that leaves too few blocks on a side', async () => {
    const { context } = await world();
    const inputs = { model, environment, since: '2013-02-01', until: '2013-02-04', policy };
    const { error } = await runStage(monitorSelfTest, inputs, context);
    expect(error).toMatchObject({ code: 'data_empty', where: '--since, --until' });
  });
});
