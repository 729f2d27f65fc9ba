import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { check } from '../../src/gate/check.ts';
import {
  type Comparison,
  decideComparison,
  decideOverall,
  threeWay,
  withinNoise,
} from '../../src/gate/decide.ts';
import type { PairedEstimate } from '../../src/stats/paired-estimate.ts';
import { undefinedBecause } from '../../src/stats/undefined.ts';

const estimate = (part: Partial<PairedEstimate> = {}): PairedEstimate => ({
  method: 'delong',
  n: 1000,
  clusters: null,
  estimateA: 0.7,
  estimateB: 0.7 + (part.diff ?? 0),
  diff: 0,
  se: 0.01,
  df: null,
  ...part,
});

const comparison = (part: Partial<Comparison> = {}): Comparison => ({
  name: 'auc',
  lowerIsBetter: false,
  estimate: estimate(),
  margin: 0.01,
  require: 'non-inferior',
  alpha: 0.05,
  power: 0.8,
  noise: null,
  ...part,
});

describe('the three-way rule', () => {
  const number = fc.double({ min: -1, max: 1, noNaN: true });

  it('passes iff low > −margin, else fails iff high < 0, else is inconclusive', () => {
    fc.assert(
      fc.property(number, number, fc.double({ min: 1e-6, max: 1, noNaN: true }), (a, b, margin) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        const expected = low > -margin ? 'pass' : high < 0 ? 'fail' : 'inconclusive';
        expect(threeWay({ low, high, margin, require: 'non-inferior' })).toBe(expected);
        const superior = low > 0 ? 'pass' : high < 0 ? 'fail' : 'inconclusive';
        expect(threeWay({ low, high, margin, require: 'superior' })).toBe(superior);
      }),
    );
  });

  it('never passes NaN or what has no margin', () => {
    expect(threeWay({ low: Number.NaN, high: Number.NaN, margin: 1, require: 'non-inferior' })).toBe(
      'inconclusive',
    );
    expect(threeWay({ low: 0.1, high: 0.2, margin: null, require: 'non-inferior' })).toBe('inconclusive');
    const gone = undefinedBecause('one_class', '0 positives among 5 rows');
    expect(decideComparison(comparison({ estimate: gone }))).toMatchObject({ verdict: 'inconclusive' });
  });

  it('takes a percentage as one of the champion’s value, and none of a champion at zero', () => {
    expect(decideComparison(comparison({ margin: '2%' })).margin).toBeCloseTo(0.014, 12);
    const zero = decideComparison(comparison({ margin: '2%', estimate: estimate({ estimateA: 0 }) }));
    expect(zero).toMatchObject({ verdict: 'inconclusive', margin: null });
  });

  it('says in the metric’s own direction what moved', () => {
    const loss = decideComparison(
      comparison({ name: 'log_loss', lowerIsBetter: true, estimate: estimate({ diff: -0.05 }) }),
    );
    expect(loss.reason).toBe('log_loss rose by 0.050 [+0.034, +0.066]; the margin is 0.010.');
  });
});

describe('[GAT-3] noise and rows needed', () => {
  it('needs n (mde / margin)² rows without noise', () => {
    const decision = decideComparison(comparison());
    expect(decision.verdict).toBe('inconclusive');
    // (1.644854 + 0.841621)² · (0.01 / 0.01)² · 1000
    expect(decision.rows_needed).toBe(6183);
    expect(decision.mde).toBeCloseTo(0.0248648, 6);
  });

  it('widens the bounds by 2 sd², and rows cannot buy that back', () => {
    const quiet = decideComparison(comparison({ noise: { sd: 0.002, df: null } }));
    expect(quiet.se).toBeCloseTo(Math.sqrt(0.0001 + 2 * 0.000004), 12);
    expect(quiet.rows_needed).toBeGreaterThan(6183);
    const loud = decideComparison(
      comparison({ noise: { sd: 0.008, df: 4 }, estimate: estimate({ diff: -0.012 }) }),
    );
    expect(loud).toMatchObject({ verdict: 'inconclusive', rows_needed: null, noise: { replicates: 5 } });
    expect(loud.reason).toContain('within the noise of retraining');
  });

  it('the rows it asks for do decide, in the mean', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 0.0028, noNaN: true }), (sd) => {
        const noise = sd === 0 ? null : { sd, df: null };
        const { rows_needed: rows } = decideComparison(comparison({ noise }));
        if (typeof rows !== 'number') return;
        const there = estimate({ n: rows, se: 0.01 * Math.sqrt(1000 / rows) });
        expect(decideComparison(comparison({ noise, estimate: there })).mde).toBeLessThanOrEqual(0.01 + 1e-9);
      }),
    );
  });

  it('knows a difference within the noise', () => {
    expect(withinNoise(0.018, { sd: 0.008, df: null }, 0.05)).toBe(true);
    expect(withinNoise(0.019, { sd: 0.008, df: null }, 0.05)).toBe(false);
  });
});

describe('the whole verdict', () => {
  const one = (
    verdict: 'pass' | 'fail' | 'inconclusive' | 'neutral',
    effect: 'blocks' | 'warns' | 'informs' = 'blocks',
  ) => check({ id: verdict, kind: 'floor', title: verdict, effect, verdict, reason: verdict });

  it('fails by any fail, is inconclusive by any inconclusive, else passes', () => {
    expect(decideOverall([one('pass'), one('inconclusive'), one('fail')])).toEqual({
      verdict: 'fail',
      reasons: ['fail'],
    });
    expect(decideOverall([one('pass'), one('inconclusive')]).verdict).toBe('inconclusive');
    expect(decideOverall([one('pass'), one('neutral')]).verdict).toBe('pass');
  });

  it('passes nothing by silence', () => {
    expect(decideOverall([]).verdict).toBe('inconclusive');
    expect(decideOverall([one('neutral')]).verdict).toBe('inconclusive');
    expect(decideOverall([one('pass', 'informs')]).verdict).toBe('inconclusive');
    for (const kind of ['rule', 'model_size', 'latency', 'prediction_range', 'leakage', 'slices'] as const)
      expect(decideOverall([{ ...one('pass'), kind }]).verdict).toBe('inconclusive');
  });

  it('lets what only warns or informs not stop', () => {
    expect(decideOverall([one('pass'), one('fail', 'warns'), one('inconclusive', 'informs')]).verdict).toBe(
      'pass',
    );
  });
});
