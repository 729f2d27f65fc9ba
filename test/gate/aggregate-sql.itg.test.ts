import { describe, expect, it } from 'vitest';
import { checkAggregate } from '../../src/gate/aggregate-sql.ts';
import { runStage } from '../../src/stages/define.ts';
import { gate } from '../../src/stages/gate.ts';
import { binaryRows, openContext, openEngine, policyOf, storeEvaluation } from './world.ts';

const where = 'gate.metrics.own.aggregate';

describe('[EVA-5] an aggregate of the policy', () => {
  it('is refused where single rows decide it: resamples do not tell its spread', async () => {
    const engine = await openEngine();
    const refused: [string, RegExp][] = [
      ['max(prediction)', /^max cannot be judged on resamples/],
      ['MIN (prediction) + 1', /^min /],
      ['main."max"(prediction)', /^max /],
      ['avg(prediction) - (SELECT max(prediction) FROM candidate_rows)', /^max /],
      ['mode(round(prediction, 1))', /^mode /],
      ['any_value(prediction)', /^any_value /],
      ['first(prediction ORDER BY key)', /^first /],
      ['arg_max(prediction, label)', /^arg_max /],
      ['list_max(list(prediction))', /^list /],
      ["list_aggregate(array_agg(prediction), 'max')", /^array_agg /],
      ['bool_or(prediction > 1)::INT', /^bool_or /],
      ['count(DISTINCT prediction)', /^count\(DISTINCT …\) /],
      ['quantile_cont(prediction, 1)', /^quantile_cont at 1 /],
      ['quantile_disc(prediction, 0.0)', /^quantile_disc at 0 /],
      ['percentile_cont(1.0) WITHIN GROUP (ORDER BY prediction)', /^quantile_cont at 1 /],
      ['quantile_cont(prediction, 0.5 + 0.5)', /not written as a number/],
    ];
    for (const [expression, message] of refused) {
      await expect(checkAggregate(engine, { expression, where }), expression).rejects.toMatchObject({
        code: 'config_invalid',
        message: expect.stringMatching(message),
        where,
      });
    }
  });

  it('is taken where it is smooth in the rows, with the share of rows beyond its quantiles', async () => {
    const engine = await openEngine();
    const taken: [string, number | null][] = [
      ['avg(greatest(label, prediction)) / stddev(prediction)', null],
      ['sum(label) FILTER (WHERE prediction > 0.5) / count(*)', null],
      ['median(abs(label - prediction))', null],
      ['QUANTILE_CONT(abs(label - prediction), 0.9) - quantile_cont(prediction, 0.05)', 0.05],
      ['percentile_cont(0.99) WITHIN GROUP (ORDER BY prediction)', 0.01],
      ['quantile_cont(prediction, 1e-3)', 0.001],
      ['this is no SQL', null],
    ];
    for (const [expression, tail] of taken) {
      const found = await checkAggregate(engine, { expression, where });
      if (tail === null) expect(found.tail, expression).toBeNull();
      else expect(found.tail, expression).toBeCloseTo(tail, 12);
    }
  });

  it('is refused by the gate, and a quantile that few rows lie beyond is inconclusive', async () => {
    const judge = async (aggregate: string) => {
      const context = openContext();
      const evaluation = await storeEvaluation(context, { columns: binaryRows({ rows: 2000, seed: 3 }) });
      const policy = policyOf({ metrics: [{ metric: 'own', aggregate, margin: 0.5 }] });
      return runStage(gate, { evaluation, policy }, context);
    };
    expect((await judge('max(prediction)')).error).toMatchObject({ code: 'config_invalid', where });
    const far = await judge('quantile_cont(abs(label - prediction), 0.999)');
    expect(far.verdict).toBe('inconclusive');
    expect(far.summary).toContain('2 of 2000 rows lie beyond its quantile; 10 are needed');
  });
});
