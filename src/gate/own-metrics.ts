import type { SqlEngine } from '../data/engine.ts';
import { type AggregateSamples, sampleAggregate } from './aggregate-metric.ts';
import type { MetricPolicy } from './policy-metrics.ts';
import { checkExpression, runPolicySql } from './policy-sql.ts';
import type { RowLosses } from './scores.ts';

/**
 * The metrics that a policy writes in SQL, evaluated over `candidate_rows` and `champion_rows`: the cost of a
 * row, numerator and denominator of a ratio of sums, or an aggregate on resamples.
 */
export async function readOwnMetrics(
  engine: SqlEngine,
  request: { metrics: readonly MetricPolicy[]; view: string; hasChampion: boolean; hasCluster: boolean },
): Promise<{ losses: Map<string, RowLosses>; aggregates: Map<string, AggregateSamples> }> {
  const losses = new Map<string, RowLosses>();
  const aggregates = new Map<string, AggregateSamples>();
  for (const { metric, row_loss, numerator, denominator, aggregate } of request.metrics) {
    const at = (key: string) => `gate.metrics.${metric}.${key}`;
    const read = (expression: string, key: string) =>
      rowValues(engine, { expression, where: at(key), hasChampion: request.hasChampion });
    if (row_loss !== undefined) losses.set(metric, await read(row_loss, 'row_loss'));
    if (numerator !== undefined && denominator !== undefined) {
      losses.set(metric, {
        ...(await read(numerator, 'numerator')),
        denominators: await read(denominator, 'denominator'),
      });
    }
    if (aggregate !== undefined) {
      const { view, hasChampion, hasCluster } = request;
      const where = at('aggregate');
      aggregates.set(
        metric,
        await sampleAggregate(engine, { expression: aggregate, where, view, hasChampion, hasCluster }),
      );
    }
  }
  return { losses, aggregates };
}

async function rowValues(
  engine: SqlEngine,
  request: { expression: string; where: string; hasChampion: boolean },
): Promise<{ candidate: Float64Array; champion: Float64Array | null }> {
  const { expression, where, hasChampion } = request;
  await checkExpression(engine, { expression, where, type: 'number' });
  const read = async (view: string): Promise<Float64Array> => {
    const sql = `SELECT CAST((\n${expression}\n) AS DOUBLE) AS value FROM ${view} ORDER BY key`;
    const values = (await runPolicySql(() => engine.columns(sql), where))[0]?.values;
    if (!(values instanceof Float64Array)) throw new Error(`the engine gave no numbers for ${where}`);
    return values;
  };
  return {
    candidate: await read('candidate_rows'),
    champion: hasChampion ? await read('champion_rows') : null,
  };
}
