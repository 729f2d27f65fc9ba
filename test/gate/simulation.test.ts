import { describe, expect, it } from 'vitest';
import { judgeScores } from '../../src/gate/judge.ts';
import { binaryRows, policyOf, scoresOf } from './world.ts';

/** 2,000 runs: the standard error of a rate of .05 is .0049. */
const runs = 2000;
const rows = 2000;

describe('[GAT-3] equal models (A/A), 2,000 rows, alpha 0.05', () => {
  it('are blocked at the stated rate, metric by metric', () => {
    const metrics = ['accuracy', 'auc', 'brier'].map((metric) => ({ metric, margin: 0.002 }));
    const policy = policyOf({ metrics });
    const blocked = new Map<string, number>();
    for (let seed = 0; seed < runs; seed++) {
      const { checks } = judgeScores(scoresOf(binaryRows({ rows, seed })), policy, new Map());
      for (const one of checks) {
        if (one.verdict === 'fail') blocked.set(one.title, (blocked.get(one.title) ?? 0) + 1);
      }
    }
    for (const { metric } of metrics) {
      const rate = (blocked.get(metric) ?? 0) / runs;
      expect(rate, metric).toBeGreaterThan(0.038);
      expect(rate, metric).toBeLessThan(0.062);
    }
  }, 120_000);

  it('are blocked by a slice at no more than that rate, over all slices and metrics together', () => {
    const slice = Int32Array.from({ length: rows }, (_, i) => i % 10);
    const slices = [{ column: 'group', values: Array.from({ length: 10 }, (_, i) => `g${i}`), codes: slice }];
    const metrics = ['accuracy', 'brier'].map((metric) => ({ metric, margin: 1 }));
    const policy = policyOf({ metrics, slices: { by: ['group'] } });
    let blocked = 0;
    for (let seed = 0; seed < 1000; seed++) {
      const { checks } = judgeScores(scoresOf(binaryRows({ rows, seed }), { slices }), policy, new Map());
      if (checks.some((one) => one.kind === 'slices' && one.verdict === 'fail')) blocked++;
    }
    // .05 and three standard errors of .0069
    expect(blocked / 1000).toBeLessThan(0.071);
    expect(blocked / 1000).toBeGreaterThan(0.01);
  }, 120_000);
});
