import type { Code } from '../codes.ts';
import { type Column, identifier, type SqlEngine } from '../data/engine.ts';
import { UserError } from '../errors.ts';
import type { PairedPredictions } from '../stats/compare-metric.ts';
import { encodeClusters } from '../stats/influence.ts';
import { suggest } from '../suggest.ts';
import {
  areClassCodes,
  areTextClasses,
  classRoles,
  declareClasses,
  requireClasses,
  takesClasses,
} from './class-columns.ts';
import { plural } from './numbers.ts';
import type { KnownMetric, Margin } from './policy.ts';

/** One paired comparison of two columns of scores or predicted classes of a table. */
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
  /** Places of a ranking that count for ndcg. */
  k: number;
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
/** Whether a metric takes labels of 0 and 1, or classes in their place. */
export const isBinary = (metric: KnownMetric): boolean => binary.has(metric);

/** Columns of a table, checked. */
export interface ComparedColumns extends PairedPredictions {
  /** Classes among labels and predictions, which are then codes; null where predictions are scores. */
  readonly classCount: number | null;
}

const moreClasses =
  ' For classes beyond two choose accuracy, balanced_accuracy or macro_f1, with predicted classes.';

type Role = (typeof classRoles)[number] | 'weight' | 'cluster';

/** Reads and checks. Missing or non-finite values are the user's error: no row is silently left out. */
export async function readColumns(engine: SqlEngine, question: CompareQuestion): Promise<ComparedColumns> {
  requireQueries(question);
  const columns = await findColumns(engine, question);
  const { label, champion, candidate } = columns;
  if (label === undefined || champion === undefined || candidate === undefined)
    throw new Error('label and predictions are always named');
  const triple = { label, champion, candidate };
  const text = areTextClasses(question.metric, triple);
  const { view, metric } = question;
  const numeric = text ? (['weight'] as const) : ([...classRoles, 'weight'] as const);
  for (const role of numeric) {
    const column = columns[role];
    if (column !== undefined) await requireNumbers(engine, { view, role, column, metric });
  }
  const codeOf = text ? await declareClasses(engine, { view, columns: triple }) : identifier;
  const vectors = await readNumbers(engine, { view, columns, codeOf });
  const column = (role: Role) => vectors.get(role) as Float64Array;
  const values = { label: column('label'), champion: column('champion'), candidate: column('candidate') };
  const classes = text || areClassCodes(question.metric, { columns: triple, values });
  const classCount = classes ? requireClasses({ columns: triple, values }) : null;
  if (!classes) requireRanges(question, values);
  const weights = vectors.get('weight') ?? null;
  const negative = weights?.findIndex((weight) => weight < 0) ?? -1;
  if (negative >= 0) {
    throw new UserError({
      code: 'usage',
      message: `The weights in ${JSON.stringify(question.weight)} are negative in places, first in row ${negative + 1}.`,
      where: '--weight',
      fix: 'Weights are numbers of at least 0.',
    });
  }
  const clusters = vectors.get('cluster');
  return {
    y: values.label,
    a: values.champion,
    b: values.candidate,
    weights,
    clusters: clusters === undefined ? null : encodeClusters(clusters),
    classCount,
  };
}

function requireQueries({ metric, cluster, weight }: CompareQuestion): void {
  if (metric !== 'ndcg' || (cluster !== null && weight === null)) return;
  throw new UserError({
    code: 'usage',
    message: 'ndcg ranks the rows of one query, and counts each query once.',
    where: cluster === null ? '--cluster' : '--weight',
    fix: cluster === null ? 'Name the column of the query with --cluster.' : 'Leave --weight out.',
  });
}

async function findColumns(
  engine: SqlEngine,
  question: CompareQuestion,
): Promise<Partial<Record<Role, Column>>> {
  const known = await engine.describe(`SELECT * FROM ${identifier(question.view)}`);
  const [any] = await engine.rows(`SELECT 1 FROM ${identifier(question.view)} LIMIT 1`);
  if (any === undefined) {
    throw new UserError({
      code: 'data_empty',
      message: 'The table has no rows.',
      fix: 'Give a table with a label and two columns of scores or predicted classes.',
    });
  }
  const found: Partial<Record<Role, Column>> = {};
  for (const role of [...classRoles, 'weight', 'cluster'] as const) {
    const name = question[role];
    if (name !== null) found[role] = requireColumn({ role, name, known });
  }
  return found;
}

/** Rows in the order of the file, so that a message can count them. */
async function readNumbers(
  engine: SqlEngine,
  request: {
    view: string;
    columns: Partial<Record<Role, Column>>;
    /** SQL of the number that stands for a label or prediction. */
    codeOf: (name: string) => string;
  },
): Promise<Map<Role, Float64Array>> {
  const { view, columns, codeOf } = request;
  const roles = Object.entries(columns) as [Role, Column][];
  const own = roles.map(([role, { name, type }], i) => {
    const value = role === 'weight' || role === 'cluster' ? identifier(name) : codeOf(name);
    if (role !== 'cluster') return `CAST(${value} AS DOUBLE) AS c${i}`;
    return `${type === 'number' ? `CASE WHEN isnan(CAST(${value} AS DOUBLE)) THEN NULL ELSE ${value} END` : value} AS c${i}`;
  });
  const numbered = `SELECT ${own.join(', ')}, row_number() OVER () AS position FROM ${identifier(view)}`;
  const selected = roles.map(([role], i) =>
    role === 'cluster'
      ? `CAST(CASE WHEN c${i} IS NULL THEN NULL ELSE dense_rank() OVER (ORDER BY c${i}) END AS DOUBLE) AS c${i}`
      : `c${i}`,
  );
  // the rank of clusters is a window, which gives the rows in its own order
  const order = columns.cluster === undefined ? '' : ' ORDER BY position';
  const vectors = await engine.columns(`SELECT ${selected.join(', ')} FROM (${numbered})${order}`);
  const found = new Map<Role, Float64Array>();
  roles.forEach(([role, { name }], index) => {
    const values = vectors[index]?.values;
    if (!(values instanceof Float64Array)) throw new Error(`the engine gave no numbers for ${role}`);
    requireFinite({ role, name, values });
    found.set(role, values);
  });
  return found;
}

function requireColumn({
  role,
  name,
  known,
}: {
  role: Role;
  name: string;
  known: readonly Column[];
}): Column {
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
  return found;
}

/** Refuses a column that holds text or times where numbers are needed, and says where the first of them stands. */
async function requireNumbers(
  engine: SqlEngine,
  request: { view: string; role: Role; column: Column; metric: KnownMetric },
): Promise<void> {
  const { view, role, column, metric } = request;
  const { name, type, physicalType } = column;
  if (['boolean', 'integer', 'number'].includes(type)) return;
  const numbered = `SELECT CAST(${identifier(name)} AS VARCHAR) AS value, row_number() OVER () AS position FROM ${identifier(view)}`;
  const [found] = await engine.rows(
    `SELECT count(*) AS rows, count(value) AS filled, min(CASE WHEN value IS NOT NULL AND TRY_CAST(value AS DOUBLE) IS NULL THEN position END) AS first FROM (${numbered})`,
  );
  if (Number(found?.filled) === 0) {
    const rows = Number(found?.rows);
    throw missing({ role, name, bad: rows, rows, first: 1 });
  }
  const first = found?.first == null ? '' : `, first in row ${found.first}`;
  const classes = takesClasses(metric)
    ? ' For classes by name, label and both predictions must hold such names.'
    : binary.has(metric)
      ? moreClasses
      : '';
  throw new UserError({
    code: role === 'label' ? 'label_invalid' : 'usage',
    message: `Column ${JSON.stringify(name)} holds ${physicalType}, not numbers${first}.`,
    where: `--${role}`,
    fix: `${role === 'label' ? 'Labels are true/false or 0/1 for classification, numbers for regression.' : 'Name a column of numbers.'}${role === 'weight' ? '' : classes}`,
  });
}

function requireFinite({ role, name, values }: { role: Role; name: string; values: Float64Array }): void {
  let bad = 0;
  let first = -1;
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    if (first < 0) first = i;
    bad++;
  }
  if (bad === 0) return;
  throw missing({ role, name, bad, rows: values.length, first: first + 1 });
}

function missing(found: { role: Role; name: string; bad: number; rows: number; first: number }): UserError {
  const { role, name, bad, rows, first } = found;
  const codes: Partial<Record<Role, Code>> = {
    label: 'label_invalid',
    champion: 'evaluation_unpaired',
    candidate: 'evaluation_unpaired',
  };
  return new UserError({
    code: codes[role] ?? 'usage',
    message: `Column ${JSON.stringify(name)} is missing${role === 'cluster' ? '' : ', NaN or infinite'} in ${bad} of ${plural(rows, 'row')}, first in row ${first}.`,
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
      fix: `Name a column of true/false or 0/1, or choose rmse, mae or mape for a regression.${moreClasses}`,
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
