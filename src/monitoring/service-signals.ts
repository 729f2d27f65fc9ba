import { identifier, type SqlEngine } from '../data/engine.ts';
import { percent, readable } from './format.ts';
import type { MonitoringPolicy } from './policy.ts';
import { plainSignal, type Signal } from './signal.ts';
import type { Span } from './throughput.ts';

/**
 * Latency and failures of what was served, from the prediction log: p99 in ms, share without a finite output. Nothing is
 * fine where the newest days have no prediction: what older days of the window show is no recovery of a silent service,
 * unless it may be silent (`min_throughput: 0`).
 */
export async function serviceSignals(
  engine: SqlEngine,
  view: string,
  {
    policy,
    newest,
  }: {
    policy: MonitoringPolicy;
    /** The window's newest whole days, as `throughput` takes them; null without one. */
    newest: Span | null;
  },
): Promise<Signal[]> {
  const [row] = await engine.rows(
    `SELECT CAST(count(*) AS DOUBLE) AS n, 1000 * quantile_cont(latency_seconds, 0.99) AS p99,
       avg(CASE WHEN output IS NULL THEN 1.0 ELSE 0.0 END) AS failed,
       CAST(max(epoch_ms(event_time)) AS DOUBLE) AS last FROM ${identifier(view)}`,
  );
  const n = Number(row?.n ?? 0);
  const { p99_ms, error_rate } = policy.service;
  const enough = n >= policy.minimum_rows;
  const mayBeSilent = policy.service.min_throughput === 0;
  const silent = !mayBeSilent && newest !== null && Number(row?.last ?? 0) < newest.since.getTime();
  const signal = (name: string, value: number, limit: number, summary: string): Signal => {
    const past = enough && value > limit;
    const lacking = !enough
      ? `${n} predictions, ${policy.minimum_rows} are needed`
      : silent && !past
        ? `no prediction since ${newest.since.toISOString().slice(0, 10)}`
        : null;
    return {
      ...plainSignal,
      signal: 'service',
      name,
      verdict: lacking !== null ? 'not_enough_data' : past ? 'alert' : 'ok',
      summary: lacking === null ? summary : `not enough data: ${lacking}`,
      value: n === 0 ? null : value,
      threshold: limit,
      windows: { violated: past ? 1 : 0, evaluated: 1 },
    };
  };
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
