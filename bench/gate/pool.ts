import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { addTallies, type Cell, type Tally } from './cells.ts';

/** Runs of one message: short enough that no worker waits long at the end. */
const chunk = 250;

/** Deals the runs of cells to workers; `ended` is told of each cell as it is complete. */
export async function runCells(
  cells: readonly Cell[],
  options: { runs: number; workers: number; ended(cell: Cell, tallies: Tally[]): void },
): Promise<void> {
  const jobs = cells.flatMap((cell) =>
    Array.from({ length: Math.ceil(options.runs / chunk) }, (_, i) => ({
      cell,
      from: i * chunk,
      to: Math.min(options.runs, (i + 1) * chunk),
    })),
  );
  const sums = new Map<Cell, Tally[]>();
  const take = (cell: Cell, tallies: Tally[]): void => {
    const before = sums.get(cell);
    const sum = before === undefined ? tallies : addTallies(before, tallies);
    sums.set(cell, sum);
    if (sum[0]?.runs === options.runs) options.ended(cell, sum);
  };
  const work = async (): Promise<void> => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url));
    try {
      for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) {
        const { cell } = job;
        worker.postMessage(job);
        const [answer] = (await once(worker, 'message')) as [Tally[]];
        take(cell, answer);
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: options.workers }, work));
}
