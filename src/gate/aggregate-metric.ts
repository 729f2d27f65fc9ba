import { identifier, type SqlEngine, type Value } from '../data/engine.ts';
import { UserError } from '../errors.ts';
import type { PairedEstimate } from '../stats/paired-estimate.ts';
import { seededRandom } from '../stats/random.ts';
import { type Undefined, undefinedBecause } from '../stats/undefined.ts';
import { checkAggregate } from './aggregate-sql.ts';
import type { SingleEstimate } from './metrics.ts';
import { runPolicySql } from './policy-sql.ts';

/** Resamples of an aggregate; their number bounds how well its standard error is known. */
const replicates = 250;
const buckets = 2000;
/** Fewer independent units than this say too little of chance. */
const fewestUnits = 10;
/** And fewer rows beyond a quantile than this, too little of the quantile. */
const fewestBeyond = 10;
const seed = 20_130_101;

/** An aggregate on all rows, and on resamples of whole units: the same ones for both models. */
export interface AggregateSamples {
  rows: number;
  /** Clusters, or buckets of rows. */
  units: number;
  clustered: boolean;
  /** The smallest share of rows beyond a quantile of the aggregate; null where it has none. */
  tail: number | null;
  observed: { candidate: number; champion: number | null };
  candidate: Float64Array;
  champion: Float64Array | null;
}

/**
 * Evaluates an SQL aggregate over `candidate_rows` and `champion_rows`, and over seeded resamples of whole
 * clusters, or of 2,000 buckets into which the rows are dealt by a hash of their keys: never of single rows,
 * so that a cluster stays whole and the draw does not depend on the number of rows.
 */
export async function sampleAggregate(
  engine: SqlEngine,
  request: { expression: string; where: string; view: string; hasChampion: boolean; hasCluster: boolean },
): Promise<AggregateSamples> {
  const { expression, where, view, hasChampion, hasCluster } = request;
  const { tail } = await checkAggregate(engine, { expression, where });
  const dealt = hasCluster
    ? 'dense_rank() OVER (ORDER BY cluster) - 1'
    : `(row_number() OVER (ORDER BY md5(CAST(key AS VARCHAR)), key) - 1) % ${buckets}`;
  await engine.execute(
    `CREATE OR REPLACE TEMP TABLE aggregate_units AS SELECT key AS "modelgate key", ${dealt} AS "modelgate unit" FROM ${identifier(view)}`,
  );
  const [size] = await engine.rows(
    'SELECT count(*) AS n, count(DISTINCT "modelgate unit") AS units FROM aggregate_units',
  );
  const rows = Number(size?.n ?? 0);
  const units = Number(size?.units ?? 0);
  const models = hasChampion ? (['candidate', 'champion'] as const) : (['candidate'] as const);
  for (const model of models) {
    await engine.execute(
      `CREATE OR REPLACE TEMP TABLE ${identifier(`aggregate_${model}`)} AS SELECT r.*, u."modelgate unit" FROM ${identifier(`${model}_rows`)} r JOIN aggregate_units u ON r.key = u."modelgate key"`,
    );
  }
  const whole = async (model: string) => {
    const found = await runPolicySql(
      () =>
        engine.rows(`SELECT (\n${expression}\n) AS value FROM ${identifier(`aggregate_${model}`)} LIMIT 2`),
      where,
    );
    if (found.length !== 1 || Object.keys(found[0] ?? {}).length !== 1) throw notOne(where);
    return numberOf(found[0]?.value ?? null, where);
  };
  const observed = {
    candidate: await whole('candidate'),
    champion: hasChampion ? await whole('champion') : null,
  };
  const samples = { candidate: new Float64Array(replicates), champion: new Float64Array(replicates) };
  const random = seededRandom(seed);
  const enough = units >= fewestUnits && hasTail({ rows, tail });
  for (let r = 0; r < replicates && enough; r++) {
    const drawn = Array.from({ length: units }, () => random.below(units));
    for (const model of models) {
      const sql = `SELECT (\n${expression}\n) AS value FROM ${identifier(`aggregate_${model}`)} JOIN (SELECT unnest([${drawn.join(',')}]) AS "modelgate drawn") ON "modelgate unit" = "modelgate drawn"`;
      const [row] = await runPolicySql(() => engine.rows(sql), where);
      samples[model][r] = numberOf(row?.value ?? null, where);
    }
  }
  return {
    rows,
    units,
    clustered: hasCluster,
    tail,
    observed,
    candidate: samples.candidate,
    champion: hasChampion ? samples.champion : null,
  };
}

/** The paired comparison: the standard error is that of the resamples' differences. */
export function compareAggregate(
  samples: AggregateSamples,
  higherIsBetter: boolean,
): PairedEstimate | Undefined {
  const { observed, candidate, champion } = samples;
  if (champion === null || observed.champion === null)
    return undefinedBecause('empty', 'there is no champion');
  const problem = problemOf(samples, [candidate, champion]);
  if (problem !== null) return problem;
  const raw = observed.candidate - observed.champion;
  return {
    method: 'bootstrap',
    n: samples.rows,
    clusters: samples.clustered ? samples.units : null,
    estimateA: observed.champion,
    estimateB: observed.candidate,
    diff: higherIsBetter ? raw : 0 - raw,
    se: deviation(candidate.map((value, r) => value - (champion[r] as number))),
    df: degrees(samples),
  };
}

/** The candidate's value with the standard error of its resamples. */
export function estimateAggregate(samples: AggregateSamples): SingleEstimate | Undefined {
  const problem = problemOf(samples, [samples.candidate]);
  if (problem !== null) return problem;
  return {
    value: samples.observed.candidate,
    se: deviation(samples.candidate),
    df: degrees(samples),
    n: samples.rows,
    clusters: samples.clustered ? samples.units : null,
  };
}

/** The spread is known from as many units as were drawn from, and from as many resamples as were made. */
const degrees = ({ units }: AggregateSamples) => Math.min(units, replicates) - 1;

function problemOf(samples: AggregateSamples, values: readonly Float64Array[]): Undefined | null {
  if (samples.units < fewestUnits)
    return undefinedBecause(
      'too_few_clusters',
      `${samples.units} ${samples.clustered ? 'clusters' : 'rows'} to resample; ${fewestUnits} are needed`,
    );
  if (!hasTail(samples))
    return undefinedBecause(
      'too_few_rows',
      `${Math.round(samples.rows * (samples.tail ?? 0))} of ${samples.rows} rows lie beyond its quantile; ${fewestBeyond} are needed`,
    );
  const observed = [samples.observed.candidate, samples.observed.champion ?? 0];
  if (![...observed, ...values.flatMap((one) => [...one])].every(Number.isFinite))
    return undefinedBecause(
      'not_finite',
      'the aggregate is no number on these rows or on a resample of them',
    );
  // a query within the aggregate, over a table of its own, would not follow the resamples
  if (values.some(isConstant))
    return undefinedBecause('zero_denominator', 'the aggregate is the same on every resample of the rows');
  return null;
}

/** Whether enough rows lie beyond the aggregate's quantiles; 1 − 0.9 is a little less than a tenth. */
const hasTail = ({ rows, tail }: Pick<AggregateSamples, 'rows' | 'tail'>): boolean =>
  tail === null || rows * tail >= fewestBeyond - 1e-6;

/** But for what rounding does to a sum in another order. */
function isConstant(values: Float64Array): boolean {
  const first = values[0] as number;
  return values.every((value) => Math.abs(value - first) <= 1e-9 * Math.abs(first));
}

function deviation(values: Float64Array): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}

function numberOf(value: Value, where: string): number {
  if (value === null) return Number.NaN;
  if (typeof value === 'boolean') return value ? 1 : 0;
  const number = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value);
  if (typeof value === 'string' && Number.isNaN(number) && value.toLowerCase() !== 'nan') throw notOne(where);
  return number;
}

function notOne(where: string): UserError {
  return new UserError({
    code: 'config_invalid',
    message: 'The SQL gives something else than one number over all rows.',
    where,
    fix: 'Write an aggregate, e.g. quantile_cont(abs(label - prediction), 0.9); for a value of each row use row_loss.',
  });
}
