/** What is simulated: each cell draws one world many times and counts what three gates decide. */
import { sliceChecks } from '../../src/gate/checks/slices.ts';
import { decideComparison } from '../../src/gate/decide.ts';
import { compareRows, type MetricRows } from '../../src/gate/metrics.ts';
import { GatePolicy } from '../../src/gate/policy.ts';
import { higherIsBetter } from '../../src/stats/paired-metrics.ts';
import { isUndefined } from '../../src/stats/undefined.ts';
import {
  binaryMetrics,
  draw,
  type Family,
  familyOf,
  harmFor,
  type Metric,
  regressionMetrics,
  trueLoss,
  type World,
} from './worlds.ts';

export const alpha = 0.05;
export const power = 0.8;
const threshold = 0.5;

/** What a cell shows, and which of the gate's verdicts it counts. */
export type Question = 'equal' | 'margin' | 'power' | 'clusters' | 'slices';

export interface Cell {
  question: Question;
  world: World;
  metrics: readonly Metric[];
  /** Every cell has rows of its own. */
  seed: number;
}

/** Counts over runs. For `margin` the gates' passes, else their blocks. */
export interface Tally {
  /** For `slices`: `metrics × slices`. */
  metric: Metric | string;
  runs: number;
  gate: number;
  /** Blocks whatever is lower at all. */
  naive: number;
  /** Blocks what is lower by more than 1 % of the champion's value. */
  onePercent: number;
  /** Sum of the printed minimum detectable effects. */
  mde: number;
}

/** The harm at which passes are counted: each metric's margin is what it truly loses there. */
const harmAtMargin = 0.05;
/** Runs from which the mean printed minimum detectable effect is taken, before the runs that count. */
const pilotRuns = 400;

export const sliceMetrics = ['accuracy', 'auc', 'log_loss', 'brier', 'f1'] as const;
export const sliceCount = 20;

/** All cells of the bench, with the given numbers of rows; each seed, 0 to 2,000, has rows of its own. */
export function planCells({ rows, seed }: { rows: readonly number[]; seed: number }): Cell[] {
  const cells: Omit<Cell, 'seed'>[] = [];
  const families: readonly (readonly [Family, readonly Metric[]])[] = [
    ['binary', binaryMetrics],
    ['regression', regressionMetrics],
  ];
  for (const [family, metrics] of families) {
    for (const n of rows) {
      const world = { family, rows: n, harm: 0, clusters: null };
      cells.push({ question: 'equal', world, metrics });
      cells.push({ question: 'margin', world: { ...world, harm: harmAtMargin }, metrics });
      for (const metric of metrics) cells.push(powerCell(metric, n));
    }
    for (const clusters of [50, 100])
      cells.push({ question: 'clusters', world: { family, rows: 2000, harm: 0, clusters }, metrics });
  }
  const world: World = { family: 'binary', rows: 10_000, harm: 0, clusters: null };
  cells.push({ question: 'slices', world, metrics: sliceMetrics });
  return cells.map((cell, index) => ({ ...cell, seed: (1000 * seed + index + 1) * 2 ** 32 }));
}

/** A candidate that truly loses what the gate, judging it, prints as the smallest drop that it can see. */
export function powerCell(metric: Metric, rows: number): Omit<Cell, 'seed'> {
  const cell = (harm: number) => ({
    question: 'power' as const,
    world: { family: familyOf(metric), rows, harm, clusters: null },
    metrics: [metric],
  });
  let harm = 0;
  for (let step = 0; step < 3; step++) {
    const [pilot] = runCell({ ...cell(harm), seed: 0 }, { from: 0, to: pilotRuns });
    harm = harmFor(metric, (pilot as Tally).mde / pilotRuns);
  }
  return cell(harm);
}

/** Runs [from, to) of a cell: the seed of a run is its own, so that runs may be dealt to any number of workers. */
export function runCell(cell: Cell, range: { from: number; to: number }): Tally[] {
  const tallies = (cell.question === 'slices' ? ['metrics × slices'] : cell.metrics).map((metric) => ({
    metric,
    runs: 0,
    gate: 0,
    naive: 0,
    onePercent: 0,
    mde: 0,
  }));
  for (let run = range.from; run < range.to; run++) {
    const rows = draw(cell.world, cell.seed + run);
    if (cell.question === 'slices') judgeSlices(tallies[0] as Tally, rows);
    else for (const tally of tallies) judge(tally as Tally & { metric: Metric }, rows, cell);
  }
  return tallies;
}

function judge(tally: Tally & { metric: Metric }, rows: MetricRows, { question, world }: Cell): void {
  const { metric } = tally;
  const estimate = compareRows({ metric, threshold }, rows);
  const { verdict, mde } = decideComparison({
    name: metric,
    lowerIsBetter: !higherIsBetter(metric),
    estimate,
    // without a margin nothing passes, and what fails is what the gate calls harm
    margin: question === 'margin' ? trueLoss(metric, world.harm) : null,
    require: 'non-inferior',
    alpha,
    power,
    noise: null,
  });
  const passes = question === 'margin';
  const drop = isUndefined(estimate) ? Number.NaN : -estimate.diff / Math.abs(estimate.estimateA);
  tally.runs++;
  tally.mde += mde ?? Number.NaN;
  if (verdict === (passes ? 'pass' : 'fail')) tally.gate++;
  if (drop > 0 !== passes) tally.naive++;
  if (drop > 0.01 !== passes) tally.onePercent++;
}

const slicePolicy = GatePolicy.parse({
  alpha,
  power,
  metrics: sliceMetrics.map((metric) => ({ metric, margin: 0.01 })),
  slices: { by: ['slice'] },
});

/** One tally over all metrics and slices: an equal model is blocked when any of them blocks. */
function judgeSlices(tally: Tally, rows: MetricRows): void {
  const codes = Int32Array.from(rows.label, (_, i) => i % sliceCount);
  const values = Array.from({ length: sliceCount }, (_, i) => String(i));
  const scores = {
    ...rows,
    rows: codes.length,
    losses: new Map(),
    slices: [{ column: 'slice', values, codes }],
  };
  const found = sliceChecks(scores, slicePolicy, new Map());
  const drops = found.slices.map(
    ({ diff, champion }) => -(diff ?? Number.NaN) / Math.abs(champion ?? Number.NaN),
  );
  tally.runs++;
  if (found.checks.some(({ verdict }) => verdict === 'fail')) tally.gate++;
  if (drops.some((drop) => drop > 0)) tally.naive++;
  if (drops.some((drop) => drop > 0.01)) tally.onePercent++;
}

/** Adds the counts of two ranges of one cell. */
export function addTallies(a: readonly Tally[], b: readonly Tally[]): Tally[] {
  return a.map((one, index) => {
    const other = b[index] as Tally;
    return {
      metric: one.metric,
      runs: one.runs + other.runs,
      gate: one.gate + other.gate,
      naive: one.naive + other.naive,
      onePercent: one.onePercent + other.onePercent,
      mde: one.mde + other.mde,
    };
  });
}

/** The goal of each question as the least and the largest rate. */
export const goals: Readonly<Record<Question, readonly [number, number]>> = {
  equal: [0.045, 0.055],
  margin: [0, 0.055],
  power: [0.78, 0.82],
  clusters: [0, 0.06],
  slices: [0, 0.055],
};

export const rateOf = (count: number, { runs }: Tally): number => count / runs;
export const errorOf = (rate: number, { runs }: Tally): number => Math.sqrt((rate * (1 - rate)) / runs);
export const isMet = (question: Question, rate: number): boolean =>
  rate >= goals[question][0] && rate <= goals[question][1];
