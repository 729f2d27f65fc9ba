import type { SqlEngine } from '../data/engine.ts';
import { type ProbedNumber, type Probes, probeTables, withoutNumber } from './probe-tables.ts';

/** Requests that are equal but for tiny steps of one numeric input. */
export interface BoundaryWalks {
  /** Steps that a series needs to count: the largest over the features that walked, else the least of all. */
  needed: number;
  /** Distinct values of the longest series. */
  longest: number;
  series: number;
  requests: number;
  features: string[];
  keys: string[];
  /** First event day, YYYY-MM-DD. */
  since: string | null;
}

/** Fewer different values than this are somebody who tries a few. */
const leastSteps = 10;
/** A series stays within this share of the standard deviation: its steps are tiny. */
const width = 0.25;
/** Nature's longest series counts so many times. */
const beyondNature = 2;
const keysTold = 5;

/**
 * Looks for series of requests that agree in every input but one numeric one, take at least ten values of it within a
 * quarter of its standard deviation, and (for a classifier) fall on both sides of the threshold. The training
 * rows say how long such series are by nature (a sensor that reports each minute makes some): one counts only when it
 * is longer than twice the longest of theirs, in proportion where the window has more rows than they are. A
 * constant column is no walk: the others then take all of their range.
 *
 * After the idea of Chen, Carlini, Wagner (2019), "Stateful Detection of Black-Box Adversarial Attacks": a query
 * attack gives itself away by queries that are alike as natural ones never are.
 */
export async function boundaryWalks(
  engine: SqlEngine,
  probes: Probes,
  { threshold }: { threshold: number | null },
): Promise<BoundaryWalks> {
  const found: BoundaryWalks = {
    ...{ needed: leastSteps, longest: 0, series: 0, requests: 0 },
    ...{ features: [], keys: [], since: null },
  };
  const crosses = threshold === null ? 'TRUE' : `min(output) < ${threshold} AND max(output) >= ${threshold}`;
  // requests of a series agree in the whole half of the inputs that it does not walk in: one look spares many
  const halves = new Set<string>();
  for (const half of ['first_half', 'second_half'] as const) {
    if (await holdsAlike(engine, half)) halves.add(half);
  }
  for (const number of probes.numbers) {
    if (!(number.sd > 0) || !halves.has(number.otherHalf)) continue;
    const served = { table: probeTables.served, number, having: crosses };
    const often = await seriesOf(engine, { ...served, least: leastSteps });
    if (often.longest === 0) continue;
    const nature = await seriesOf(engine, { table: probeTables.training, number, least: 2, having: 'TRUE' });
    const needed = Math.max(
      leastSteps,
      Math.ceil(beyondNature * nature.longest * Math.max(1, probes.served / Math.max(1, probes.training))),
    );
    if (often.longest < needed) continue;
    const walked = await seriesOf(engine, { ...served, least: needed });
    found.needed = Math.max(found.needed, needed);
    found.longest = Math.max(found.longest, walked.longest);
    found.series += walked.series;
    found.requests += walked.requests;
    found.features.push(number.name);
    found.keys.push(...(await keysOf(engine, { ...served, least: needed })));
    if (walked.since !== null && (found.since === null || walked.since < found.since))
      found.since = walked.since;
  }
  return { ...found, keys: found.keys.slice(0, keysTold) };
}

async function holdsAlike(engine: SqlEngine, half: ProbedNumber['otherHalf']): Promise<boolean> {
  const found = await engine.rows(
    `SELECT 1 AS there FROM ${probeTables.served} GROUP BY ${half} HAVING count(*) >= ${leastSteps} LIMIT 1`,
  );
  return found.length > 0;
}

interface SeriesQuestion {
  table: string;
  number: ProbedNumber;
  /** Distinct values that make a series. */
  least: number;
  /** SQL that a series must fulfil. */
  having: string;
}

/** SQL for the series of a table: what their requests share, and how many they are. */
function seriesSql({ table, number, least, having }: SeriesQuestion): string {
  const { column, sd } = number;
  // rows that are often equal but for this number are few: only they are counted by value
  return `WITH numbered AS (
      SELECT ${withoutNumber(number)} AS rest, ${column} AS value, output, moment, k FROM ${table} WHERE ${column} IS NOT NULL
    ), often AS (SELECT rest FROM numbered GROUP BY rest HAVING count(*) >= ${least}), series AS (
      SELECT rest, count(DISTINCT value) AS steps, count(*) AS requests, min(moment) AS began
      FROM numbered SEMI JOIN often USING (rest) GROUP BY rest
      HAVING count(DISTINCT value) >= ${least} AND max(value) - min(value) <= ${width * sd} AND ${having}
    )`;
}

async function seriesOf(
  engine: SqlEngine,
  question: SeriesQuestion,
): Promise<Pick<BoundaryWalks, 'longest' | 'series' | 'requests' | 'since'>> {
  const [row] = await engine.rows(
    `${seriesSql(question)}
     SELECT CAST(coalesce(max(steps), 0) AS DOUBLE) AS longest, CAST(count(*) AS DOUBLE) AS series,
       CAST(coalesce(sum(requests), 0) AS DOUBLE) AS requests, CAST(CAST(min(began) AS DATE) AS VARCHAR) AS since FROM series`,
  );
  return {
    longest: Number(row?.longest ?? 0),
    series: Number(row?.series ?? 0),
    requests: Number(row?.requests ?? 0),
    since: row?.since == null ? null : String(row.since),
  };
}

/** Keys of the first requests of the series, as they are logged. */
async function keysOf(engine: SqlEngine, question: SeriesQuestion): Promise<string[]> {
  const rows = await engine.rows(
    `${seriesSql(question)}
     SELECT k FROM numbered SEMI JOIN series USING (rest) WHERE k IS NOT NULL ORDER BY moment, k LIMIT ${keysTold}`,
  );
  return rows.map(({ k }) => String(k));
}
