import type { Code } from '../codes.ts';
import { type Column, identifier, type SqlEngine } from '../data/engine.ts';
import { UserError } from '../errors.ts';
import { compareMetric, type PairedPredictions } from '../stats/compare-metric.ts';
import { encodeClusters } from '../stats/influence.ts';
import { mcnemar } from '../stats/mcnemar.ts';
import { conclude, type PairedEstimate } from '../stats/paired-estimate.ts';
import { isUndefined, type Undefined } from '../stats/undefined.ts';
import { suggest } from '../suggest.ts';
import { flipsOf } from './checks/metrics.ts';
import { absoluteMargin, decideComparison, tooFewClusters } from './decide.ts';
import type { KnownMetric, Margin } from './policy.ts';
import { smallerIsBetter } from './policy-metrics.ts';

/** One paired comparison of two score columns of a table. */
export interface CompareQuestion {
  /** A view of the engine. */
  view: string;
  label: string;
  champion: string;
  candidate: string;
  cluster: string | null;
  weight: string | null;
  metric: KnownMetric;
  threshold: number;
  margin: Margin;
  alpha: number;
  /** Of the methods that draw random numbers. */
  seed: number;
}

/** Metrics for which a label is 0 or 1. */
const binary = new Set<KnownMetric>([
  'accuracy',
  'auc',
  'f1',
  'precision',
  'recall',
  'balanced_accuracy',
  'macro_f1',
  'log_loss',
  'brier',
  'calibration_error',
]);
const probabilities = new Set<KnownMetric>(['log_loss', 'brier', 'calibration_error']);
const thresholded = new Set<KnownMetric>([
  'accuracy',
  'f1',
  'precision',
  'recall',
  'balanced_accuracy',
  'macro_f1',
]);

/** Reads, checks and compares. Missing or non-finite values are the user's error: no row is silently left out. */
export async function compareColumns(engine: SqlEngine, question: CompareQuestion) {
  const data = await readColumns(engine, question);
  const estimate = compareMetric(question.metric, {
    ...data,
    threshold: question.threshold,
    seed: question.seed,
  });
  const decision = decideComparison({
    name: question.metric,
    lowerIsBetter: smallerIsBetter(question),
    estimate,
    margin: question.margin,
    require: 'non-inferior',
    alpha: question.alpha,
    power: 0.8,
    noise: null,
  });
  return {
    verdict: decision.verdict === 'neutral' ? ('inconclusive' as const) : decision.verdict,
    reason: decision.reason,
    outputs: outputsOf({ question, data, estimate }),
  };
}

function outputsOf(input: {
  question: CompareQuestion;
  data: PairedPredictions;
  estimate: PairedEstimate | Undefined;
}) {
  const { question, data, estimate } = input;
  const base = {
    metric: question.metric,
    n: data.y.length,
    confidence: 1 - question.alpha,
    alpha: question.alpha,
    ...(thresholded.has(question.metric) ? { threshold: question.threshold } : {}),
  };
  if (isUndefined(estimate)) {
    const empty = {
      method: null,
      clusters: data.clusters?.count ?? null,
      champion: null,
      candidate: null,
      diff: null,
      se: null,
      ci_low: null,
      ci_high: null,
      bound_low: null,
      bound_high: null,
      p_two_sided: null,
      p_worse: null,
      margin: typeof question.margin === 'number' ? question.margin : null,
      mde80: null,
      rows_needed: null,
      flips: null,
    };
    return { ...base, ...empty, undefined_because: estimate.undefined };
  }
  const margin = absoluteMargin(question.margin, estimate.estimateA);
  const told = conclude(estimate, { alpha: question.alpha, margin });
  const flips = binary.has(question.metric)
    ? flipsOf(
        { label: data.y, champion: data.a, candidate: data.b, clusters: null, losses: undefined },
        question.threshold,
      )
    : undefined;
  const test = question.metric === 'accuracy' && flips !== undefined ? mcnemar(flips) : null;
  return {
    ...base,
    method: estimate.method,
    clusters: estimate.clusters,
    ...(tooFewClusters(estimate) ? { few_clusters: true as const } : {}),
    champion: estimate.estimateA,
    candidate: estimate.estimateB,
    diff: estimate.diff,
    se: estimate.se,
    ci_low: told.ciLow,
    ci_high: told.ciHigh,
    bound_low: told.boundLow,
    bound_high: told.boundHigh,
    p_two_sided: told.pTwoSided,
    p_worse: told.pWorse,
    margin,
    mde80: told.mde80,
    rows_needed: told.rowsNeeded,
    flips: flips ?? null,
    ...(test === null
      ? {}
      : {
          mcnemar: {
            b: test.b,
            c: test.c,
            p_exact: test.pExact,
            p_midp: test.pMidP,
            chi2: test.chi2,
            p_chi2: test.pChi2,
          },
        }),
  };
}

async function readColumns(engine: SqlEngine, question: CompareQuestion): Promise<PairedPredictions> {
  if (question.metric === 'ndcg' && (question.cluster === null || question.weight !== null)) {
    throw new UserError({
      code: 'usage',
      message: 'ndcg ranks the rows of one query, and counts each query once.',
      where: question.cluster === null ? '--cluster' : '--weight',
      fix: question.cluster === null ? 'Name the column of the query with --cluster.' : 'Leave --weight out.',
    });
  }
  const known = await engine.describe(`SELECT * FROM ${identifier(question.view)}`);
  const [any] = await engine.rows(`SELECT 1 FROM ${identifier(question.view)} LIMIT 1`);
  if (any === undefined) {
    throw new UserError({
      code: 'data_empty',
      message: 'The table has no rows.',
      fix: 'Give a table with a label and two score columns.',
    });
  }
  const roles = (['label', 'champion', 'candidate', 'weight', 'cluster'] as const).flatMap((role) => {
    const name = question[role];
    if (name === null) return [];
    requireColumn({ role, name, known });
    return [{ role, name }];
  });
  const expression = ({ role, name }: { role: string; name: string }) =>
    role === 'cluster'
      ? `CASE WHEN ${identifier(name)} IS NULL THEN NULL ELSE dense_rank() OVER (ORDER BY ${identifier(name)}) END`
      : identifier(name);
  const vectors = await engine.columns(
    `SELECT ${roles.map((role, i) => `CAST(${expression(role)} AS DOUBLE) AS c${i}`).join(', ')} FROM ${identifier(question.view)}`,
  );
  const columns = new Map<string, Float64Array>();
  roles.forEach(({ role, name }, index) => {
    const values = vectors[index]?.values;
    if (!(values instanceof Float64Array)) throw new Error(`the engine gave no numbers for ${role}`);
    requireFinite({ role, name, values });
    columns.set(role, values);
  });
  const column = (role: string) => columns.get(role) as Float64Array;
  requireRanges(question, {
    label: column('label'),
    champion: column('champion'),
    candidate: column('candidate'),
  });
  const weights = columns.get('weight') ?? null;
  if (weights?.some((weight) => weight < 0)) {
    throw new UserError({
      code: 'usage',
      message: `The weights in ${JSON.stringify(question.weight)} are negative in places.`,
      where: '--weight',
      fix: 'Weights are numbers of at least 0.',
    });
  }
  const clusters = columns.get('cluster');
  return {
    y: column('label'),
    a: column('champion'),
    b: column('candidate'),
    weights,
    clusters: clusters === undefined ? null : encodeClusters(clusters),
  };
}

function requireColumn({
  role,
  name,
  known,
}: {
  role: string;
  name: string;
  known: readonly Column[];
}): void {
  const found = known.find((column) => column.name === name);
  const names = known.map((column) => column.name);
  if (found === undefined) {
    const near = suggest(name, names);
    throw new UserError({
      code: 'usage',
      message: `The table has no column ${JSON.stringify(name)}.`,
      where: `--${role}`,
      fix:
        near === null
          ? `Its columns are: ${names.slice(0, 20).join(', ')}.`
          : `Did you mean ${JSON.stringify(near)}?`,
    });
  }
  if (role === 'cluster' || ['boolean', 'integer', 'number'].includes(found.type)) return;
  throw new UserError({
    code: role === 'label' ? 'label_invalid' : 'usage',
    message: `Column ${JSON.stringify(name)} holds ${found.physicalType}, not numbers.`,
    where: `--${role}`,
    fix:
      role === 'label'
        ? 'Labels are true/false or 0/1 for classification, numbers for regression.'
        : 'Name a column of numbers.',
  });
}

function requireFinite({ role, name, values }: { role: string; name: string; values: Float64Array }): void {
  let bad = 0;
  let first = -1;
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    if (first < 0) first = i;
    bad++;
  }
  if (bad === 0) return;
  const codes: Record<string, Code> = {
    label: 'label_invalid',
    champion: 'evaluation_unpaired',
    candidate: 'evaluation_unpaired',
  };
  throw new UserError({
    code: codes[role] ?? 'usage',
    message: `Column ${JSON.stringify(name)} is missing, NaN or infinite in ${bad} of ${values.length} rows, first in row ${first + 1}.`,
    where: `--${role}`,
    fix:
      role === 'champion' || role === 'candidate'
        ? 'Score every row with both models, or take the rows out for both before comparing.'
        : `Give every row a ${role}, or take the rows out before comparing.`,
  });
}

function requireRanges(
  { metric, label: name }: CompareQuestion,
  columns: { label: Float64Array; champion: Float64Array; candidate: Float64Array },
): void {
  if (binary.has(metric) && !columns.label.every((y) => y === 0 || y === 1)) {
    throw new UserError({
      code: 'label_invalid',
      message: `${metric} needs labels of 0 and 1; column ${JSON.stringify(name)} holds others.`,
      where: '--label',
      fix: 'Name a column of true/false or 0/1, or choose rmse, mae or mape for a regression.',
    });
  }
  if (metric === 'ndcg' && columns.label.some((relevance) => relevance < 0)) {
    throw new UserError({
      code: 'label_invalid',
      message: `ndcg needs relevances of at least 0; column ${JSON.stringify(name)} holds others.`,
      where: '--label',
      fix: 'Give 0 to what is not relevant.',
    });
  }
  if (!probabilities.has(metric)) return;
  for (const role of ['champion', 'candidate'] as const) {
    if (columns[role].every((p) => p >= 0 && p <= 1)) continue;
    throw new UserError({
      code: 'prediction_invalid',
      message: `${metric} needs probabilities; the ${role}'s scores leave 0 to 1.`,
      where: `--${role}`,
      fix: 'Give probabilities, or choose auc, which needs only an order.',
    });
  }
}
