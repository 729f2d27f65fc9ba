import { parentPort } from 'node:worker_threads';
import { type Cell, runCell } from './cells.ts';

/** Answers each range of runs with its counts. */
parentPort?.on('message', ({ cell, from, to }: { cell: Cell; from: number; to: number }) => {
  parentPort?.postMessage(runCell(cell, { from, to }));
});
