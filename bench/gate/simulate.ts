/**
 * How often the gate blocks equal models, passes a loss of a whole margin, and sees the drop that it says it sees:
 * by simulation, beside a gate that compares two numbers and one that allows 1 %. Exit 1 when a goal is missed.
 *
 *   npm run bench:gate -- [--runs 20000] [--rows 2000,10000] [--workers N] [--seed 0]
 */
import os from 'node:os';
import { parseArgs } from 'node:util';
import { table } from '../../src/cli/terminal.ts';
import {
  type Cell,
  errorOf,
  goals,
  isMet,
  planCells,
  type Question,
  rateOf,
  sliceCount,
  sliceMetrics,
  type Tally,
} from './cells.ts';
import { runCells } from './pool.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '20000' },
    rows: { type: 'string', default: '2000,10000' },
    seed: { type: 'string', default: '0' },
    workers: { type: 'string', default: String(os.availableParallelism()) },
  },
});
const runs = Number(values.runs);

const questions: Record<Question, string> = {
  equal: 'equal models are blocked',
  margin: 'a loss of a whole margin passes',
  power: 'a loss of the printed MDE is blocked',
  clusters: 'equal models, clustered rows, are blocked',
  slices: `equal models are blocked by ${sliceMetrics.length} metrics × ${sliceCount} slices`,
};

const line = (cell: Cell, tally: Tally): string[] => {
  const rate = rateOf(tally.gate, tally);
  const [low, high] = goals[cell.question];
  const { clusters, rows } = cell.world;
  return [
    tally.metric,
    clusters === null
      ? rows.toLocaleString('en-US')
      : `${rows.toLocaleString('en-US')} in ${clusters} clusters`,
    rate.toFixed(4),
    errorOf(rate, tally).toFixed(4),
    low === 0 ? `≤ ${high}` : `${low}–${high}`,
    isMet(cell.question, rate) ? 'yes' : 'NO',
    rateOf(tally.naive, tally).toFixed(3),
    rateOf(tally.onePercent, tally).toFixed(3),
    tally.mde > 0 ? (tally.mde / tally.runs).toPrecision(3) : '',
  ];
};

const started = performance.now();
const seconds = () => Math.round((performance.now() - started) / 1000);
const cells = planCells({ rows: values.rows.split(',').map(Number), seed: Number(values.seed) });
const results: { cell: Cell; tallies: Tally[] }[] = [];
await runCells(cells, {
  runs,
  workers: Number(values.workers),
  ended: (cell, tallies) => {
    results.push({ cell, tallies });
    process.stderr.write(`${results.length} of ${cells.length} cells, ${seconds()} s: ${cell.question}\n`);
    for (const tally of tallies) process.stderr.write(`  ${line(cell, tally).join('  ')}\n`);
  },
});

const header = ['metric', 'rows', 'the gate', 'SE', 'goal', 'met', 'lower at all', 'by 1 %', 'printed MDE'];
for (const [question, told] of Object.entries(questions)) {
  const lines = results
    .filter(({ cell }) => cell.question === question)
    .sort((a, b) => cells.indexOf(a.cell) - cells.indexOf(b.cell))
    .flatMap(({ cell, tallies }) => tallies.map((tally) => line(cell, tally)));
  console.log(`\nShare of runs in which ${told}\n\n${table(header, lines)}`);
}
const missed = results.flatMap(({ cell, tallies }) =>
  tallies.filter((tally) => !isMet(cell.question, rateOf(tally.gate, tally))),
).length;
console.log(`\n${runs.toLocaleString('en-US')} runs each, ${seconds()} s; goals missed: ${missed}`);
process.exitCode = missed === 0 ? 0 : 1;
