import { describe, expect, it } from 'vitest';
import { type Cell, goals, powerCell, type Question, runCell, sliceMetrics } from '../../bench/gate/cells.ts';
import { edgeRates, edgeWorlds, goal } from '../../bench/gate/edge-worlds.ts';

/** The short form of `npm run bench:gate`: few runs, so that a rate may miss its goal by three standard errors. */
const rows = 2000;
const independent = { family: 'binary', rows, harm: 0, clusters: null } as const;

function expectGoal(cell: Omit<Cell, 'seed'>, runs: number): void {
  const [low, high] = goals[cell.question as Question];
  for (const tally of runCell({ ...cell, seed: 2 ** 32 }, { from: 0, to: runs })) {
    const slack = (rate: number) => 3 * Math.sqrt((rate * (1 - rate)) / runs);
    const rate = tally.gate / runs;
    expect(rate, tally.metric).toBeGreaterThanOrEqual(low - slack(low));
    expect(rate, tally.metric).toBeLessThanOrEqual(high + slack(high));
  }
}

describe('[GAT-3] seeded simulation, 2,000 rows, alpha 0.05', () => {
  it('equal models are blocked at the stated rate, and half of them by a gate that compares two numbers', () => {
    const cell = { question: 'equal', world: independent, metrics: ['accuracy', 'brier'] } as const;
    expectGoal(cell, 2000);
    expectGoal({ ...cell, metrics: ['auc'] }, 500);
    expectGoal({ ...cell, world: { ...independent, family: 'regression' }, metrics: ['rmse'] }, 1000);
    const [tally] = runCell({ ...cell, metrics: ['brier'], seed: 1 }, { from: 0, to: 400 });
    expect(tally?.naive).toBeGreaterThan(160);
  }, 60_000);

  it('a loss of exactly the margin passes no more often than stated', () => {
    const world = { ...independent, harm: 0.05 };
    expectGoal({ question: 'margin', world, metrics: ['accuracy', 'brier'] }, 2000);
  }, 60_000);

  it.each(['accuracy', 'f1', 'rmse'] as const)(
    'a loss of the printed minimum detectable effect of %s is blocked as often as stated',
    (metric) => {
      expectGoal(powerCell(metric, rows), 400);
    },
    60_000,
  );

  it('equal models on clustered rows are blocked no more often than stated', () => {
    const world = { ...independent, clusters: 50 };
    expectGoal({ question: 'clusters', world, metrics: ['accuracy', 'log_loss', 'f1'] }, 400);
  }, 60_000);

  it('metrics and slices share alpha', () => {
    expectGoal({ question: 'slices', world: independent, metrics: sliceMetrics }, 150);
  }, 60_000);
});

describe('[GAT-3] where rows say least, as `npm run bench:gate:edges` has it', () => {
  it.each([
    ['auc 5 positives of 600, AUC 0.97', 300],
    ['recall 10 positives of 1,000', 300],
    ['precision 5 predicted positives', 150],
    ['mae 1 cluster of 2,000, 49 of 50', 60],
    ['mae weights of Pareto 0.7', 150],
  ])('%s: no more errors than stated', (name, runs) => {
    const world = edgeWorlds.find((one) => `${one.metric} ${one.name}` === name);
    if (world === undefined) throw new Error(`no world ${name}`);
    const { blocked, passed } = edgeRates(world, runs);
    const most = goal + 3 * Math.sqrt((goal * (1 - goal)) / runs);
    expect(blocked).toBeLessThanOrEqual(most);
    expect(passed).toBeLessThanOrEqual(most);
  });
});
