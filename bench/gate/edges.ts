/**
 * How often the gate errs where its rows say least: equal models that it blocks, and losses of a whole margin that it
 * passes, at alpha 0.05. Exit 1 when a rate lies above the goal by more than three standard errors.
 *
 *   npm run bench:gate:edges -- [--runs 4000] [--only WORDS]
 */
import { parseArgs } from 'node:util';
import { table } from '../../src/cli/terminal.ts';
import { edgeRates, edgeWorlds, goal } from './edge-worlds.ts';

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '4000' }, only: { type: 'string', default: '' } },
});
const runs = Number(values.runs);
let missed = 0;
const lines: string[][] = [];
for (const world of edgeWorlds.filter(({ name, metric }) => `${metric} ${name}`.includes(values.only))) {
  const { blocked, passed } = edgeRates(world, runs);
  const most = Math.max(blocked, passed);
  const met = most <= goal + 3 * Math.sqrt((goal * (1 - goal)) / runs);
  if (!met) missed++;
  lines.push([world.metric, world.name, blocked.toFixed(4), passed.toFixed(4), met ? 'yes' : 'NO']);
  process.stderr.write(`${lines.at(-1)?.join('  ')}\n`);
}
console.log(table(['metric', 'rows', 'equal is blocked', 'loss of a margin passes', `≤ ${goal}`], lines));
console.log(`\n${runs.toLocaleString('en-US')} runs each; goals missed: ${missed}`);
process.exitCode = missed === 0 ? 0 : 1;
