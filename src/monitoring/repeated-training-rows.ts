import type { SqlEngine } from '../data/engine.ts';
import { expectedByNature, judgeEqualRows } from '../gate/equal-rows.ts';
import { type Probes, probeTables } from './probe-tables.ts';

/** Served requests that equal a training row which no other training row equals. */
export interface RepeatedTrainingRows {
  /** Different requests. */
  requests: number;
  /** Of these, those that equal such a row under another key, or none. */
  repeated: number;
  /** As many as nature makes equal. */
  expected: number;
  beyondNature: boolean;
  /** Share of the training rows that equal another one. */
  alike: number;
  /** Whether rows are equal by nature so often that it tells nothing. */
  common: boolean;
  keys: string[];
  /** First event day, YYYY-MM-DD. */
  since: string | null;
}

/** Fewer repeated rows than this are told by nobody. */
export const leastRepeated = 20;
/** Where more of the training rows than this equal another one, seasons and schedules make rows come back. */
const mostAlike = 0.01;
const keysTold = 5;

/**
 * Looks for requests that repeat training rows, as somebody does who tests which rows a model was trained on. Rows
 * that are common repeat by nature, so only training rows that are the only one of their kind count. How often nature
 * makes a new row equal to one of those is what Good and Turing estimate: the share of training rows that are
 * one of exactly two. Where the evaluation's rows repeat them more often (training rows may have been freed of
 * duplicates), theirs counts. Beyond nature: at least 20, and judged as the gate judges equal rows (equal-rows.ts).
 * A row that is scored again under its own key is no probe. Where rows are made of few values (a timetable), whole
 * seasons of them come back, and nothing is said.
 *
 * Source: Good (1953), "The population frequencies of species and the estimation of population parameters".
 */
export async function repeatedTrainingRows(engine: SqlEngine, probes: Probes): Promise<RepeatedTrainingRows> {
  await engine.execute(
    `CREATE OR REPLACE TEMP TABLE probe_unique AS
     SELECT mixed, any_value(k) AS k FROM ${probeTables.training} GROUP BY mixed HAVING count(*) = 1`,
  );
  const [twins] = await engine.rows(
    `SELECT CAST(2 * count(*) FILTER (WHERE n = 2) AS DOUBLE) AS n, CAST(coalesce(sum(n) FILTER (WHERE n > 1), 0) AS DOUBLE) AS alike
     FROM (SELECT count(*) AS n FROM ${probeTables.training} GROUP BY mixed)`,
  );
  const alike = probes.training === 0 ? 0 : Number(twins?.alike ?? 0) / probes.training;
  const common = alike > mostAlike;
  const share = probes.training === 0 ? 0 : Number(twins?.n ?? 0) / probes.training;
  const served = await repeats(engine, probeTables.served);
  const evaluation = probes.evaluation ? await repeats(engine, probeTables.evaluation) : null;
  const natural = Math.max(
    share,
    evaluation === null ? 0 : evaluation.repeated / Math.max(1, evaluation.requests),
  );
  const counts = {
    exact: served.repeated,
    identical: 0,
    rows: served.requests,
    repeated: Math.round(natural * probes.training),
    train_rows: probes.training,
  };
  const keys = await engine.rows(
    `SELECT k FROM (SELECT DISTINCT s.k, s.moment FROM ${probeTables.served} s JOIN probe_unique t USING (mixed)
       WHERE s.k IS NOT NULL AND s.k IS DISTINCT FROM t.k) ORDER BY moment, k LIMIT ${keysTold}`,
  );
  return {
    ...served,
    expected: expectedByNature(counts),
    ...{ alike, common },
    beyondNature: !common && served.repeated >= leastRepeated && judgeEqualRows(counts) === 'fail',
    keys: keys.map(({ k }) => String(k)),
  };
}

async function repeats(
  engine: SqlEngine,
  table: string,
): Promise<Pick<RepeatedTrainingRows, 'requests' | 'repeated' | 'since'>> {
  const [all] = await engine.rows(`SELECT CAST(count(DISTINCT mixed) AS DOUBLE) AS n FROM ${table}`);
  const [row] = await engine.rows(
    `SELECT CAST(count(DISTINCT mixed) AS DOUBLE) AS n, CAST(CAST(min(s.moment) AS DATE) AS VARCHAR) AS since
     FROM ${table} s JOIN probe_unique t USING (mixed) WHERE s.k IS NULL OR s.k IS DISTINCT FROM t.k`,
  );
  return {
    requests: Number(all?.n ?? 0),
    repeated: Number(row?.n ?? 0),
    since: row?.since == null ? null : String(row.since),
  };
}
