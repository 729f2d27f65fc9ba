import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { openDuckDb } from '../../../src/data/duckdb.ts';

export interface BrokenBatch {
  what: string;
  config: string;
}

/**
 * Four ways in which a batch breaks in real life, each made from January's flights, with a configuration that
 * takes it in.
 */
export async function breakBatches(options: {
  base: string;
  flights: string;
  folder: string;
}): Promise<BrokenBatch[]> {
  await mkdir(options.folder, { recursive: true });
  const january = `SELECT * FROM flights WHERE month = 1`;
  const broken = [
    ['renamed', 'a column renamed', `SELECT * RENAME (carrier AS airline) FROM (${january})`],
    [
      'type',
      'a type changed',
      `SELECT * REPLACE (CAST(distance AS VARCHAR) || ' mi' AS distance) FROM (${january})`,
    ],
    ['stale', 'nothing newer than three weeks', `SELECT * FROM (${january}) WHERE day <= 10`],
    [
      'duplicated',
      'every row of one day twice',
      `${january} UNION ALL SELECT * FROM flights WHERE month = 1 AND day = 15`,
    ],
  ] as const;
  const engine = await openDuckDb({ workDirectory: options.folder });
  try {
    await engine.addFile('flights', options.flights);
    const batches: BrokenBatch[] = [];
    for (const [name, what, sql] of broken) {
      const file = path.join(options.folder, `${name}.parquet`);
      const config = path.join(options.folder, `${name}.yaml`);
      await engine.writeParquet(sql, file);
      await writeFile(
        config,
        `extends: ${path.relative(options.folder, options.base)}\ndata: { sources: { flights: { file: ${name}.parquet } } }\n`,
      );
      batches.push({ what, config });
    }
    return batches;
  } finally {
    await engine.close();
  }
}
