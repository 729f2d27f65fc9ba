/**
 * False alarms and power on real days: the days of each month of flights dealt at random to two sides, so that
 * nothing drifted; then one shift at a time planted into the current side. Ours, and what a user would pick instead.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { PartOptions } from '../../../scripts/parts.ts';
import { table } from '../../../src/cli/terminal.ts';
import { MonitoringPolicy } from '../../../src/monitoring/policy.ts';
import { replayDecision } from '../../../src/monitoring/replay.ts';
import { wilson } from '../../../src/stats/proportion.ts';
import { isUndefined } from '../../../src/stats/undefined.ts';
import { columns, dealDays, planted, readMonths, type Split } from '../flights.ts';
import { runPeers } from '../peers.ts';

interface Tally {
  name: string;
  splits: number;
  any: number;
  /** In the order of `planted`. */
  found: number[];
}

export async function run({ args }: PartOptions): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      splits: { type: 'string', default: '17' },
      seed: { type: 'string', default: '1' },
      python: { type: 'string', multiple: true, default: [] },
      'peer-splits': { type: 'string', default: '17' },
      'peer-seconds': { type: 'string', default: '460' },
    },
  });
  const splits = dealDays(Number(values.splits), Number(values.seed));
  const folder = await mkdtemp(path.join(os.tmpdir(), 'modelgate-bench-'));
  try {
    const { months, files } = await readMonths(folder);
    const policy = MonitoringPolicy.parse({ columns });
    const ours: Tally = { name: 'modelgate', splits: 0, any: 0, found: planted.map(() => 0) };
    const alarms = new Map<string, number>();
    const started = performance.now();
    for (const split of splits) {
      const month = months[split.month - 1] as (typeof months)[number];
      const sides = {
        blocks: month.blocks,
        reference: split.reference.map((day) => day - 1),
        current: split.current.map((day) => day - 1),
      };
      const still = replayDecision(month.columns, sides, { policy });
      ours.splits++;
      if (still.length > 0) ours.any++;
      for (const name of still) alarms.set(name, (alarms.get(name) ?? 0) + 1);
      planted.forEach(({ column }, i) => {
        const moved = replayDecision(month.columns, sides, { policy, planted: [column] });
        if (moved.includes(column)) ours.found[i] = (ours.found[i] as number) + 1;
      });
      if (split.month === 12)
        process.stderr.write(
          `${ours.splits} splits, ${Math.round((performance.now() - started) / 1000)} s\n`,
        );
    }
    const shown: Split[] = splits.slice(0, 12 * Number(values['peer-splits']));
    const request = path.join(folder, 'splits.json');
    const seconds = Number(values['peer-seconds']);
    await writeFile(request, JSON.stringify({ files, splits: shown, columns, planted, seconds }));
    const peers = await runPeers<Tally>(values.python, ['aa', request]);
    console.log(
      `alpha ${policy.alpha}, ${policy.permutations} permutations, floors ${JSON.stringify(policy.floor)}; ${columns.length} columns`,
    );
    console.log(
      table(
        ['tool', 'splits', 'any alarm', ...planted.map(({ told }) => told)],
        [ours, ...peers].map((one) => [
          one.name,
          String(one.splits),
          rate(one.any, one.splits),
          ...one.found.map((count) => rate(count, one.splits)),
        ]),
      ),
    );
    console.log(`95 % intervals (Wilson). False alarms of modelgate by column:`);
    for (const [name, count] of alarms) console.log(`  ${name} ${count}`);
    return (
      ours.any <= policy.alpha * ours.splits &&
      planted.every(({ goal }, i) => (ours.found[i] as number) >= goal * ours.splits)
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function rate(count: number, n: number): string {
  const interval = wilson({ count, n }, 0.05);
  const bounds = isUndefined(interval) ? '' : ` (${interval.low.toFixed(2)} to ${interval.high.toFixed(2)})`;
  return `${(count / n).toFixed(3)}${bounds}`;
}
