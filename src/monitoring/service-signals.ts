import { identifier, type SqlEngine } from '../data/engine.ts';
import { percent, readable } from './format.ts';
import type { MonitoringPolicy } from './policy.ts';
import { plainSignal, type Signal } from './signal.ts';

/** Latency and failures of what was served, from the prediction log: p99 in ms, share without a finite output. */
export async function serviceSignals(
  engine: SqlEngine,
  view: string,
  policy: MonitoringPolicy,
): Promise<Signal[]> {
  const [row] = await engine.rows(
    `SELECT CAST(count(*) AS DOUBLE) AS n, 1000 * quantile_cont(latency_seconds, 0.99) AS p99,
       avg(CASE WHEN output IS NULL THEN 1.0 ELSE 0.0 END) AS failed FROM ${identifier(view)}`,
  );
  const n = Number(row?.n ?? 0);
  const { p99_ms, error_rate } = policy.service;
  const enough = n >= policy.minimum_rows;
  const signal = (name: string, value: number, limit: number, summary: string): Signal => ({
    ...plainSignal,
    signal: 'service',
    name,
    verdict: enough ? (value > limit ? 'alert' : 'ok') : 'not_enough_data',
    summary: enough ? summary : `not enough data: ${n} predictions, ${policy.minimum_rows} are needed`,
    value: n === 0 ? null : value,
    threshold: limit,
    windows: { violated: enough && value > limit ? 1 : 0, evaluated: 1 },
  });
  const p99 = Number(row?.p99 ?? 0);
  const failed = Number(row?.failed ?? 0);
  return [
    signal(
      'p99_ms',
      p99,
      p99_ms,
      `99 % of ${n} predictions took at most ${readable(p99)} ms; the limit is ${readable(p99_ms)} ms`,
    ),
    signal(
      'error_rate',
      failed,
      error_rate,
      `${percent(failed)} of ${n} predictions failed; the limit is ${percent(error_rate)}`,
    ),
  ];
}
