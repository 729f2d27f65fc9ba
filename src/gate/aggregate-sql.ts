import type { SqlEngine } from '../data/engine.ts';
import { UserError } from '../errors.ts';

/**
 * Aggregates whose spread resamples tell: smooth functions of means, and quantiles. What single rows decide (max,
 * first, any_value, mode) and what repeated rows change (lists, distinct values) is not among them.
 */
const resampled = new Set([
  ...['avg', 'mean', 'favg', 'sum', 'fsum', 'kahan_sum', 'sumkahan', 'sum_no_overflow'],
  ...['count', 'count_star', 'count_if', 'countif', 'corr', 'covar_pop', 'covar_samp'],
  ...['stddev', 'stddev_pop', 'stddev_samp', 'variance', 'var_pop', 'var_samp', 'sem'],
  ...['skewness', 'kurtosis', 'kurtosis_pop', 'median', 'mad', 'quantile', 'quantile_cont', 'quantile_disc'],
  ...['regr_avgx', 'regr_avgy', 'regr_count', 'regr_intercept', 'regr_r2', 'regr_slope'],
  ...['regr_sxx', 'regr_sxy', 'regr_syy'],
]);
const quantiles = new Set(['quantile', 'quantile_cont', 'quantile_disc']);

/**
 * Refuses an aggregate for which a bootstrap is not valid. Gives the smallest share of rows beyond one of its
 * quantiles, null where it has none. What does not parse is left to whoever runs it.
 */
export async function checkAggregate(
  engine: SqlEngine,
  { expression, where }: { expression: string; where: string },
): Promise<{ tail: number | null }> {
  const [row] = await engine.rows('SELECT json_serialize_sql(CAST($1 AS VARCHAR)) AS parsed', [
    `SELECT (\n${expression}\n) AS value`,
  ]);
  const known = await engine.rows(
    "SELECT DISTINCT lower(function_name) AS name FROM duckdb_functions() WHERE function_type = 'aggregate'",
  );
  const aggregates = new Set(known.map(({ name }) => String(name)));
  let tail: number | null = null;
  for (const call of callsIn(JSON.parse(String(row?.parsed)))) {
    const name = call.function_name.toLowerCase();
    if (!aggregates.has(name)) continue;
    if (!resampled.has(name)) throw invalid(name, where);
    if (call.distinct === true) throw invalid(`${name}(DISTINCT …)`, where);
    if (!quantiles.has(name)) continue;
    for (const fraction of fractionsOf(call, where)) {
      const beyond = Math.min(fraction, 1 - fraction);
      if (!(beyond > 0)) throw invalid(`${name} at ${fraction}`, where);
      tail = Math.min(tail ?? 1, beyond);
    }
  }
  return { tail };
}

interface Node {
  [key: string]: unknown;
}
interface Call extends Node {
  function_name: string;
}

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null;

/** Every function call in a parsed statement. */
function* callsIn(value: unknown): Generator<Call> {
  if (!isNode(value)) return;
  if (typeof value.function_name === 'string') yield value as Call;
  for (const part of Object.values(value)) yield* callsIn(part);
}

/** The fractions of a quantile: its second argument, or the first where the values stand in WITHIN GROUP. */
function fractionsOf(call: Call, where: string): number[] {
  const children = Array.isArray(call.children) ? (call.children as unknown[]) : [];
  const within =
    isNode(call.order_bys) && Array.isArray(call.order_bys.orders) && call.order_bys.orders.length > 0;
  const argument = children[within ? 0 : 1];
  const parts =
    isNode(argument) && argument.function_name === 'list_value' && Array.isArray(argument.children)
      ? (argument.children as unknown[])
      : [argument];
  return parts.map((part) => {
    const number = constantOf(part);
    if (number !== null) return number;
    throw new UserError({
      code: 'config_invalid',
      message: `The fraction of ${call.function_name} is not written as a number.`,
      where,
      fix: 'Write it out, e.g. quantile_cont(abs(label - prediction), 0.9).',
    });
  });
}

function constantOf(node: unknown): number | null {
  if (!isNode(node) || node.class !== 'CONSTANT' || !isNode(node.value)) return null;
  const { value, type } = node.value;
  const info = isNode(type) && isNode(type.type_info) ? type.type_info : {};
  const number = Number(value) / 10 ** (typeof info.scale === 'number' ? info.scale : 0);
  return typeof value === 'number' && Number.isFinite(number) ? number : null;
}

function invalid(what: string, where: string): UserError {
  return new UserError({
    code: 'config_invalid',
    message: `${what} cannot be judged on resamples: single rows decide it, and a resample repeats or lacks them.`,
    where,
    fix: 'Take a mean, a share, a standard deviation or a quantile away from the ends, e.g. quantile_cont(abs(label - prediction), 0.99).',
  });
}
