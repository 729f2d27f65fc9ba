import { type Column, identifier, type SqlEngine } from '../data/engine.ts';
import { UserError } from '../errors.ts';
import type { KnownMetric } from './policy.ts';

/** A column of more classes names rows or amounts. */
const mostClasses = 1000;
const classType = 'modelgate_class';

/** Metrics of predicted classes that take any number of classes. */
const ofClasses = new Set<KnownMetric>(['accuracy', 'balanced_accuracy', 'macro_f1']);
export const takesClasses = (metric: KnownMetric): boolean => ofClasses.has(metric);

/** The columns of one comparison that can hold classes. */
export const classRoles = ['label', 'champion', 'candidate'] as const;
export type ClassRole = (typeof classRoles)[number];
type ByRole<T> = Record<ClassRole, T>;

/** Whether label and predictions are classes by name. */
export function areTextClasses(metric: KnownMetric, columns: ByRole<Column>): boolean {
  return ofClasses.has(metric) && classRoles.every((role) => columns[role].type === 'string');
}

/** Declares the classes of text columns, and gives the SQL of a column's codes. */
export async function declareClasses(
  engine: SqlEngine,
  { view, columns }: { view: string; columns: ByRole<Column> },
): Promise<(name: string) => string> {
  const values = classRoles
    .map(
      (role) => `SELECT CAST(${identifier(columns[role].name)} AS VARCHAR) AS value FROM ${identifier(view)}`,
    )
    .join(' UNION ALL ');
  const distinct = `SELECT DISTINCT value FROM (${values}) WHERE value IS NOT NULL ORDER BY value`;
  const [row] = await engine.rows(`SELECT count(*) AS n FROM (${distinct} LIMIT ${mostClasses + 1})`);
  const count = Number(row?.n ?? 0);
  if (count > mostClasses) throw tooManyClasses(columns.label.name);
  // rows without any class are refused where they are read
  if (count === 0) return () => 'NULL';
  await engine.execute(`CREATE TYPE ${classType} AS ENUM (${distinct})`);
  return (name) => `enum_code(CAST(CAST(${identifier(name)} AS VARCHAR) AS ${classType}))`;
}

/**
 * Whether numbers are class codes: a label goes beyond 0 and 1, or both models predict whole numbers beyond them.
 * Else predictions are scores, cut at the threshold.
 */
export function areClassCodes(
  metric: KnownMetric,
  { columns, values }: { columns: ByRole<Column>; values: ByRole<Float64Array> },
): boolean {
  if (!ofClasses.has(metric)) return false;
  const beyond = (role: ClassRole) => !values[role].every((value) => value === 0 || value === 1);
  if (beyond('label')) return true;
  const whole = columns.champion.type === 'integer' && columns.candidate.type === 'integer';
  return whole && (beyond('champion') || beyond('candidate'));
}

/** Refuses what is no class, and models that name none of the labels' classes; gives the number of classes. */
export function requireClasses({
  columns,
  values,
}: {
  columns: ByRole<Column>;
  values: ByRole<Float64Array>;
}): number {
  for (const role of classRoles) {
    const odd = values[role].findIndex((value) => !Number.isSafeInteger(value));
    if (odd < 0) continue;
    throw new UserError({
      code: role === 'label' ? 'label_invalid' : 'prediction_invalid',
      message: `Column ${JSON.stringify(columns[role].name)} holds ${values[role][odd]} in row ${odd + 1}, which is no class: ${role === 'label' ? 'classes are text or whole numbers' : 'the labels are classes beyond 0 and 1'}.`,
      where: `--${role}`,
      fix:
        role === 'label'
          ? 'Name a column of classes, or choose rmse, mae or mape for a regression.'
          : 'Name a column with the predicted class of each row; a score cannot be cut into more than two classes.',
    });
  }
  const own = new Set(values.label);
  const all = new Set(own);
  for (const role of ['champion', 'candidate'] as const) {
    const predicted = new Set(values[role]);
    for (const one of predicted) all.add(one);
    if ([...predicted].some((one) => own.has(one))) continue;
    throw new UserError({
      code: 'prediction_invalid',
      message: `No class in column ${JSON.stringify(columns[role].name)} occurs in column ${JSON.stringify(columns.label.name)}.`,
      where: `--${role}`,
      fix: 'Write the same names or numbers in both; upper and lower case, and spaces, tell classes apart.',
    });
  }
  if (all.size > mostClasses) throw tooManyClasses(columns.label.name);
  return all.size;
}

function tooManyClasses(label: string): UserError {
  return new UserError({
    code: 'label_invalid',
    message: `Column ${JSON.stringify(label)} and the predictions hold more than ${mostClasses} classes.`,
    where: '--label',
    fix: 'Name columns of classes: these hold names of rows, amounts or scores.',
  });
}
