import { describe, expect, it } from 'vitest';
import { threeWay } from '../../src/gate/decide.ts';
import { GatePolicy } from '../../src/gate/policy.ts';

const parse = (policy: object) => GatePolicy.parse(policy);
const refused = (policy: object) => JSON.stringify(GatePolicy.safeParse(policy).error?.issues ?? 'accepted');

describe('familiar words', () => {
  it('[GAT-1] min_absolute_change and min_relative_change ask for a gain', () => {
    const { metrics } = parse({
      metrics: [
        { metric: 'auc', min_absolute_change: 0.01, higher_is_better: true },
        { metric: 'log_loss', min_relative_change: 0.02 },
      ],
    });
    expect(metrics[0]).toEqual({ metric: 'auc', role: 'guardrail', require: 'superior', gain: 0.01 });
    expect(metrics[1]).toMatchObject({ require: 'superior', gain: '2%' });
  });

  it('threshold is a floor in the direction of the metric, and a cut where classes are predicted', () => {
    const policy = parse({
      metrics: [
        { metric: 'auc', threshold: 0.7 },
        { metric: 'log_loss', threshold: 0.5, margin: 0.01 },
        { metric: 'revenue', row_loss: 'label * prediction', higher_is_better: true, threshold: 3 },
        { metric: 'accuracy', threshold: 0.3, margin: 0.01 },
      ],
      floors: [{ metric: 'brier', threshold: 0.2 }],
    });
    expect(policy.floors).toEqual([
      { metric: 'brier', on: 'lower_bound', max: 0.2 },
      { metric: 'auc', on: 'lower_bound', min: 0.7 },
      { metric: 'log_loss', on: 'lower_bound', max: 0.5 },
      { metric: 'revenue', on: 'lower_bound', min: 3 },
    ]);
    expect(policy.metrics.map(({ role }) => role)).toEqual([
      'information',
      'guardrail',
      'information',
      'guardrail',
    ]);
    expect(policy.metrics[3]?.threshold).toBe(0.3);
  });

  it('k is the places of a ranking, and of nothing else', () => {
    const metrics = [{ metric: 'ndcg', k: 5, margin: 0.01 }];
    expect(parse({ metrics }).metrics[0]).toMatchObject({ metric: 'ndcg', k: 5 });
    expect(refused({ metrics: [{ metric: 'auc', k: 5, margin: 0.01 }] })).toMatch(/for ndcg, not auc/);
  });

  it('refuses what cannot be meant', () => {
    const metrics = [{ metric: 'auc', margin: 0.01 }];
    const slice = { where: { carrier: 'AA', origin: 'JFK' }, margin: 0.02 };
    for (const [policy, message] of [
      [{ training_noise: { acu: 0.01 } }, /expected a known metric/],
      [{ training_noise: { retrain: 1 } }, /retrain/],
      [{ training_noise: { retrain: 500 } }, /retrain/],
      [{ training_noise: { retrain: 2.5 } }, /retrain/],
      [{ training_noise: { retrain: 5, auc: 0.01 } }, /unrecognized_keys/],
      [{ training_noise: {} }, /at least one metric/],
      [{ prediction_range: { min: 1, max: 0 } }, /min is above max/],
      [
        {
          floors: [
            { metric: 'auc', min: 0.9 },
            { metric: 'auc', max: 0.1 },
          ],
        },
        /at most 0.1 and at least 0.9/,
      ],
      [{ slices: { by: ['carrier', 'carrier'] } }, /stands here twice/],
      [{ fairness: { group: ['sex', 'sex'] } }, /stands here twice/],
      [
        {
          slices: {
            critical: [slice, { margin: 0.1, metric: 'auc', where: { origin: 'JFK', carrier: 'AA' } }],
          },
        },
        /stands here twice/,
      ],
      [{ slices: { critical: [{ ...slice, margin: 2 }] } }, /no loss is as large as 2/],
      [{ metrics: [{ metric: 'auc', margin: 5 }] }, /no loss is as large as 5/],
      [{ metrics: [{ metric: 'f1', margin: '500%' }] }, /no loss is as large as 500%/],
      [{ alpha: 0.5 }, /alpha/],
      [{ alpha: 1e-300 }, /alpha/],
    ] as const)
      expect(refused({ metrics, ...policy }), JSON.stringify(policy)).toMatch(message);
    expect(
      parse({
        metrics: [
          { metric: 'accuracy', margin: 1 },
          { metric: 'log_loss', margin: 5 },
        ],
        floors: [
          { metric: 'auc', min: 0.5 },
          { metric: 'auc', max: 0.99 },
        ],
        training_noise: { auc: 0.01, accuracy: 0 },
        prediction_range: { min: 0, max: 0 },
        slices: { critical: [slice, { ...slice, metric: 'log_loss' }] },
        alpha: 1e-6,
      }).floors,
    ).toHaveLength(2);
  });

  it('gives one form, which it reads as it is', () => {
    const once = parse({
      metrics: [
        { metric: 'auc', threshold: 0.7, min_relative_change: 0.013 },
        { metric: 'f1', margin: '1%' },
        { metric: 'wape', numerator: 'abs(label - prediction)', denominator: 'label', margin: 0.1 },
      ],
      golden: 'golden.jsonl',
      fairness: { group: ['sex'] },
      leakage: {},
    });
    expect(parse(once)).toEqual(once);
  });

  it.each([
    [{ metrics: [{ metric: 'auc', higher_is_better: false, margin: 0.01 }] }, /higher is better for auc/],
    [{ metrics: [{ metric: 'auc', min_absolute_change: 0.01, margin: 0.01 }] }, /contradicts/],
    [{ metrics: [{ metric: 'auc', min_absolute_change: 0.01, min_relative_change: 0.1 }] }, /keep one/],
    [{ metrics: [{ metric: 'auc', min_absolute_change: 0.01, require: 'non-inferior' }] }, /take out/],
    [{ metrics: [{ metric: 'accuracy', threshold: 0.8, min_absolute_change: 0.01 }] }, /floors/],
    [{ metrics: [{ metric: 'accuracy', threshold: 5, margin: 0.01 }] }, /0 to 1/],
    [{ metrics: [{ metric: 'auc', threshold: 0.8 }], floors: [{ metric: 'auc', min: 0.7 }] }, /keep one/],
    [{ floors: [{ metric: 'auc', min: 0.8, threshold: 0.8 }] }, /either min or max/],
    [{ metrics: [{ metric: 'wape', numerator: 'label', margin: 0.1 }] }, /go together/],
    [{ metrics: [{ metric: 'x', row_loss: '1', aggregate: 'avg(label)', margin: 0.1 }] }, /give one of/],
    [
      {
        metrics: [{ metric: 'q', aggregate: 'max(label)', margin: 0.1 }],
        slices: { critical: [{ where: { a: 1 }, metric: 'q', margin: 0.1 }] },
      },
      /not computed in slices/,
    ],
    [{ leakage: { ceiling: { profit: 1 } } }, /known metric/],
    [{ fairness: { group: ['sex'], reference: { age: 1 } } }, /column of group/],
  ])('refuses %j', (policy, message) => {
    expect(refused(policy)).toMatch(message);
  });
});

describe('superior by a gain', () => {
  const ask = (low: number, high: number, gain: number | null) =>
    threeWay({ low, high, gain, margin: null, require: 'superior' });

  it('[GAT-2] passes only what is shown to be better by it', () => {
    expect(ask(0.011, 0.03, 0.01)).toBe('pass');
    expect(ask(0.001, 0.03, 0.01)).toBe('inconclusive');
    expect(ask(0.001, 0.009, 0.01)).toBe('fail');
    expect(ask(0.5, 0.6, null)).toBe('inconclusive');
    expect(ask(Number.NaN, Number.NaN, 0.01)).toBe('inconclusive');
  });
});
