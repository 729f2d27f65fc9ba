import path from 'node:path';
import { openDuckDb } from '../../src/data/duckdb.ts';
import { identifier } from '../../src/data/engine.ts';
import { sha256 } from '../../src/json.ts';
import type { ModelInput } from '../../src/monitoring/served.ts';
import { logColumns, schemaId, segmentName } from '../../src/serving/log-schema.ts';
import { FileSystemStorage } from '../../src/store/file-system.ts';
import { keys } from '../../src/store/keys.ts';
import { writeTables } from './tables.ts';

export const where = { model: 'bench', environment: 'production' };
export const inputs: ModelInput[] = [
  ...Array.from({ length: 14 }, (_, k): ModelInput => ({ name: `number_${k}`, type: 'float32' })),
  ...Array.from({ length: 6 }, (_, k): ModelInput => ({ name: `text_${k}`, type: 'string' })),
];
export const reference = { split: sha256('bench'), inputs };
export const firstDay = Date.UTC(2026, 2, 1);
export const dayOf = (d: number): string => new Date(firstDay + d * 86_400_000).toISOString().slice(0, 10);

/** The second of `writeTables` begins here and has so many minutes: its rows are dealt anew to days. */
const firstServed = '2026-03-01';
const minutes = 59 * 1440;

/** Where the training rows lie. */
export const trainingFile = (folder: string): string => path.join(folder, 'side-0.parquet');

/** Training rows, and as many predictions in a store's log, one segment a day, without drift. */
export async function writeLog(
  folder: string,
  { rows, days }: { rows: number; days: number },
): Promise<void> {
  const [, served] = await writeTables(folder, rows);
  const storage = new FileSystemStorage(path.join(folder, 'store'));
  const engine = await openDuckDb({ workDirectory: folder, memoryMiB: 2048 });
  const values: Record<keyof typeof logColumns, string> = {
    ...{ prediction_id: 'i', row: '0', row_key: 'i', arrived_at: 'NULL', trace_id: "'t'" },
    ...{ model: `'${where.model}'`, environment: `'${where.environment}'`, version: '1', manifest: "''" },
    ...{ generation: '1', output: 'hash(i) % 1000 / 1000.0', latency_seconds: '0.004' },
    event_time: 'event_time',
  };
  const columns = [
    ...Object.entries(logColumns).map(
      ([name, type]) => `CAST(${values[name as keyof typeof values]} AS ${type}) AS ${identifier(name)}`,
    ),
    ...inputs.map(({ name }) => `${identifier(name)} AS ${identifier(`input.${name}`)}`),
  ];
  try {
    await engine.addFile('served', served, 'parquet');
    for (let d = 0; d < days; d++) {
      const file = path.join(folder, 'segment.parquet');
      const [from, until] = [d, d + 1].map((day) => Math.floor((day * minutes) / days));
      const moment = `TIMESTAMP '${dayOf(d)}' + INTERVAL 1 MILLISECOND * CAST(hash(i) % 86400000 AS INTEGER)`;
      await engine.writeParquet(
        `SELECT ${columns.join(', ')} FROM (SELECT *, ${moment} AS event_time FROM
           (SELECT *, number_0 AS i, date_diff('minute', TIMESTAMP '${firstServed}', "at") AS m FROM served)
           WHERE m >= ${from} AND m < ${until})`,
        file,
      );
      const id = `01900000-0000-7000-8000-${String(d).padStart(12, '0')}`;
      const name = segmentName({ id, lastArrivalMs: firstDay + d * 86_400_000, schema: schemaId(inputs) });
      await storage.create(keys.predictions(where.model, where.environment, dayOf(d), name), { file });
    }
  } finally {
    await engine.close();
  }
}
