/**
 * The gate on real trainings: the flights recipe on many bootstraps of its rows, twins compared pair by pair, and
 * recipes with a real harm. What was trained before is read back from the store. Exit 1 when a goal is missed.
 *
 *   npm run bench:gate:flights -- --store FOLDER [--fits 40] [--harmed 12] [--rows 500,2000,10000]
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { table } from '../../src/cli/terminal.ts';
import { comparePairs, metrics } from './flights-compare.ts';
import { makeFits, recipes } from './flights-fits.ts';

const { values } = parseArgs({
  options: {
    store: { type: 'string' },
    fits: { type: 'string', default: '40' },
    harmed: { type: 'string', default: '12' },
    rows: { type: 'string', default: '500,2000,10000' },
  },
});
if (values.store === undefined) {
  console.error('Give --store FOLDER: the trainings are kept there.');
  process.exit(2);
}
const stop = new AbortController();
process.once('SIGINT', () => stop.abort(new Error('interrupted')));
const made = await makeFits({
  store: path.resolve(values.store),
  counts: new Map(recipes.map((recipe) => [recipe, Number(recipe === 'twin' ? values.fits : values.harmed)])),
  signal: stop.signal,
  told: (message) => process.stderr.write(`${message}\n`),
});

/** Twins may be blocked so often; a harm must be caught at least as often as promised, less this. */
const goals = { twin: 0.07, slack: 0.05 };
const all = made.label.length;
const sizes = [...values.rows.split(',').map(Number), all];
const twins = made.fits.filter(({ recipe }) => recipe === 'twin');
const share = (value: number) => value.toFixed(3);
let missed = 0;
for (const recipe of recipes) {
  const candidates = recipe === 'twin' ? twins : made.fits.filter((fit) => fit.recipe === recipe);
  if (candidates.length === 0) continue;
  const lines: string[][] = [];
  for (const metric of metrics) {
    for (const [index, rows] of sizes.entries()) {
      const found = comparePairs(made, { champions: twins, candidates, metric, rows, seed: index + 1 });
      const met = recipe === 'twin' ? found.five <= goals.twin : found.five >= found.promised - goals.slack;
      if (!met) missed++;
      lines.push([
        metric,
        rows.toLocaleString('en-US'),
        String(found.pairs),
        share(found.five),
        share(found.error),
        ...(recipe === 'twin' ? [`≤ ${goals.twin}`] : [share(found.promised)]),
        met ? 'yes' : 'NO',
        share(found.all),
        share(found.fixed),
        share(found.naive),
        share(found.onePercent),
        found.mde.toPrecision(3),
      ]);
    }
  }
  const header = [
    'metric',
    'rows',
    'pairs',
    'the gate',
    'SE',
    recipe === 'twin' ? 'goal' : 'promised',
    'met',
    'sd from all fits',
    'no noise',
    'lower at all',
    'by 1 %',
    'printed MDE',
  ];
  console.log(`\n${recipe}: share of pairs that are blocked\n\n${table(header, lines)}`);
}
console.log(`\n${twins.length} twins, ${made.clusters.count} days; goals missed: ${missed}`);
process.exitCode = missed === 0 ? 0 : 1;
