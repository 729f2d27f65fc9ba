import type { DriftReport } from '../../src/monitoring/drift-report.ts';
import { MonitoringPolicy } from '../../src/monitoring/policy.ts';
import { runStage } from '../../src/stages/define.ts';
import { drift } from '../../src/stages/drift.ts';
import { type Bench, bench, driftInputs } from '../monitoring/context.ts';

/** Names and values as an attacker, or an untidy table, would have them. */
export const hostileName = `"><script>alert(1)</script><img src=x onerror=alert(2)>' & co`;
export const hostileLevel = '<script>alert(3)</script>';
const longName = `rolling_mean_of_the_arrival_delay_${'of_the_same_carrier_'.repeat(4)}7d`;

interface Planted {
  days?: number;
  /** Whether the current table differs. */
  moved?: boolean;
  time?: string | null;
}

export interface DriftPageMade {
  /** report.html. */
  page: string;
  report: DriftReport;
}

/** A report as the drift stage makes and stores it. */
export async function driftPageOf(planted: Planted): Promise<DriftPageMade> {
  const { days = 28, moved = true, time = 'scheduled' } = planted;
  const bed = await bench();
  const outcome = await runStage(
    drift,
    {
      ...driftInputs,
      reference: await side(bed, { name: 'reference', first: '2013-05-06', days, moved: false }),
      current: await side(bed, { name: 'current', first: '2013-06-03', days, moved }),
      time,
      policy: MonitoringPolicy.parse({ permutations: 299 }),
    },
    bed.context,
  );
  if (outcome.outputs.drift === undefined) throw new Error(outcome.summary);
  const { store } = bed.context;
  const manifest = await store.readManifest(outcome.outputs.drift, 'drift');
  const page = await store.readBytes(store.file(manifest, 'report.html').sha256);
  return { page: page.toString('utf8'), report: outcome.outputs as DriftReport };
}

async function side(
  bed: Bench,
  { name, first, days, moved }: { name: string; first: string; days: number; moved: boolean },
): Promise<string> {
  const u = (salt: string) => `((hash(i, '${name}${salt}') % 1000003) / 1000003.0)`;
  const change = (now: string, before: string) => (moved ? now : before);
  const quoted = (column: string) => `"${column.replaceAll('"', '""')}"`;
  return bed.parquet(
    `${name}.parquet`,
    `SELECT DATE '${first}' + CAST(i // 90 AS INTEGER) AS scheduled,
       -40 * ln(1 - 0.999 * ${u('delay')}) - 15 ${change('+ 25 * least(1, greatest(0, (i // 90 - 9) / 3.0))', '')} AS arrival_delay,
       CASE WHEN ${u('carrier')} < ${change('0.30', '0.45')} THEN 'United Air Lines' WHEN ${u('carrier')} < 0.7 THEN 'JetBlue'
         WHEN ${u('carrier')} < ${change('0.92', '1')} THEN 'ExpressJet' ELSE '${hostileLevel}' END AS carrier,
       CASE WHEN ${u('null')} < ${change('0.24', '0.02')} THEN NULL ELSE 50 + 30 * ${u('humidity')} END AS humidity,
       CASE WHEN ${u('hostile')} < ${change('0.7', '0.5')} THEN 'x' ELSE 'WWWWWWWWWW WWWWWWWWWW WWWWWWWWWW' END AS ${quoted(hostileName)},
       1e6 * (${u('long')} + ${change('0.3', '0')}) AS ${longName},
       ${u('flag')} < ${change('0.2', '0.1')} AS diverted,
       200 + 2500 * ${u('distance')} * ${u('distance2')} AS distance,
       'airport ' || chr(CAST(65 + 26 * ${u('origin')} * ${u('origin2')} AS INTEGER)) AS origin,
       ${change('NULL', u('gone'))}::DOUBLE AS wind_gust,
       'N' || i AS tail_number
       ${change(", 1 AS gate_number, 'a' AS seats", ', 1 AS seats, 2 AS lost_column')}
     FROM range(${days * 90}) AS t(i)`,
  );
}
