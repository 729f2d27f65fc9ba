/**
 * Promotions a second, and how long one takes, by processes at once: on a folder and on S3 (versitygw on this
 * machine), each with a model of its own, and all of one model, where only one of them can win each entry.
 *
 *   npm run bench:registry -- throughput [--clients 1,8,64] [--seconds 10]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { PartOptions } from '../../../scripts/parts.ts';
import { table } from '../../../src/cli/terminal.ts';
import { silentLogger } from '../../../src/logger.ts';
import { register } from '../../../src/registry/register.ts';
import { Registry } from '../../../src/registry/registry.ts';
import { quantileSorted } from '../../../src/stats/quantile-bins.ts';
import { Store } from '../../../src/store/store.ts';
import { openPlace, type Place, patient } from '../../../test/registry/races/place.ts';
import { runTogether } from '../../../test/registry/races/process.ts';
import { storeRun } from '../../../test/registry/runs.ts';
import { bucket, noServer, startS3 } from '../../../test/store/servers/s3-server.ts';
import { Measured, type PromoterSpec } from '../promoter-spec.ts';

interface Options {
  clients: number[];
  seconds: number;
}

export async function run({ args }: PartOptions): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      clients: { type: 'string', default: '1,8,64' },
      seconds: { type: 'string', default: '10' },
    },
  });
  const options = { clients: values.clients.split(',').map(Number), seconds: Number(values.seconds) };
  const folder = mkdtempSync(path.join(os.tmpdir(), 'modelgate-throughput-'));
  const cache = path.join(folder, 'cache');
  const rows: string[][] = [];
  try {
    const place: Place = { url: path.join(folder, 'store'), cache, patience: patient };
    rows.push(...(await measureStore('folder', place, options)));
    const missing = noServer();
    if (missing !== null) console.log(`S3: skipped, ${missing}`);
    else {
      const server = await startS3();
      try {
        Object.assign(process.env, server.environment);
        const s3: Place = { url: `s3://${bucket}/bench`, cache, patience: patient };
        rows.push(...(await measureStore(server.kind, s3, options)));
      } finally {
        await server.stop();
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const header = [
    'store',
    'models',
    'clients',
    'promotions',
    'a second',
    'p50 ms',
    'p99 ms',
    'gave up',
    'MiB each',
  ];
  console.log(
    `${os.availableParallelism()} cores, ${options.seconds} s each, and until what was begun is done`,
  );
  console.log(table(header, rows));
  return rows.every(([, , , promotions]) => Number(promotions) > 0);
}

async function measureStore(kind: string, place: Place, options: Options): Promise<string[][]> {
  const rows: string[][] = [];
  for (const clients of options.clients) {
    for (const shared of clients === 1 ? [false] : [false, true]) {
      const run = `${clients}-${shared ? 'shared' : 'own'}`;
      const modelOf = (client: number) => `model-${run}-${shared ? 0 : client}`;
      await registerTwo(place, new Set(Array.from({ length: clients }, (_, client) => modelOf(client))));
      const specs = Array.from(
        { length: clients },
        (_, client): PromoterSpec => ({
          place,
          model: modelOf(client),
          client,
          run,
          seconds: options.seconds,
        }),
      );
      const script = path.join(import.meta.dirname, '..', 'promoter.ts');
      const told = (await runTogether({ script, specs, env: {} })).map(([line]) => Measured.parse(line));
      const row = [kind, shared ? '1' : String(clients), String(clients), ...figures(told)];
      rows.push(row);
      console.log(
        `${kind}, ${clients} clients, ${shared ? 'one model' : 'a model each'}: ${row[4]} promotions a second`,
      );
    }
  }
  return rows;
}

/** Two versions of each model, which all promoters move to and fro. */
async function registerTwo(place: Place, models: ReadonlySet<string>): Promise<void> {
  const store = new Store(await openPlace(place));
  const registry = new Registry({ store, now: () => new Date(), logger: silentLogger });
  for (const model of models) {
    for (const seed of [1, 2]) {
      const gate = await storeRun(store, { seed });
      await register(registry, { model, gate, actor: { name: 'bench', via: 'cli' } });
    }
  }
}

function figures(told: readonly Measured[]): string[] {
  const latencies = Float64Array.from(told.flatMap((one) => one.latencies)).sort();
  const at = (share: number) => (latencies.length === 0 ? '' : quantileSorted(latencies, share).toFixed(1));
  const refused = told.reduce((sum, one) => sum + one.refused, 0);
  const peaks = Float64Array.from(told, ({ peak }) => peak).sort();
  return [
    String(latencies.length),
    (latencies.length / Math.max(...told.map(({ seconds }) => seconds))).toFixed(1),
    at(0.5),
    at(0.99),
    String(refused),
    quantileSorted(peaks, 0.5).toFixed(0),
  ];
}
