import { UserError } from '../errors.ts';
import { visible } from '../visible.ts';
import type { Measured, MeasuredColumn, TimeSpan } from './measure.ts';
import { freeName, usableName } from './names.ts';

/** What a person may say instead of a guess. */
export interface Wishes {
  label: string | null;
  key: string | null;
  /** `none`: no column of time. */
  time: string | null;
  task: 'classification' | 'regression' | null;
}

/** What the columns of the table are for. */
export interface Choices {
  task: 'classification' | 'regression';
  label: {
    column: MeasuredColumn;
    /** Classification of a column that is not true/false or 0/1: the value that counts as true. */
    positive: string | number | null;
    guessed: boolean;
  };
  /** Null: no column names a row, so the feature SQL makes a key of all of them. */
  key: string | null;
  time: { column: string; span: TimeSpan; guessed: boolean } | null;
  features: string[];
  /** Columns that no model is given, and why. */
  left: { column: string; why: string }[];
  /** Names of columns that the feature SQL adds. */
  made: { key: string; group: string; day: string };
}

const labelNames =
  /^(label|target|y|class|outcome|response|survived|churn|churned|default|defaulted|fraud|is_fraud|converted|clicked|returned|cancell?ed|late)$/i;
const keyNames = /(^|[^a-z])(id|key|uuid|guid|no|number|nr|index)$|[a-z](Id|ID|Key)$|^(id|key|uuid|index)$/;
const timeNames = /time|date|_at$|timestamp|moment|created|day/i;
const positives = /^(1|true|t|yes|y|positive|pos|churned|fraud|late|bad|default|success|won)$/i;

/** Texts of more values than this are identifiers or free text to a model. */
const mostCategories = 100;
/** Fewer days cannot hold a training window and an evaluation window of whole days. */
const leastDays = 10;

/** Chooses by names, types and counts. Throws `usage` where a wish cannot be met, or nothing can be predicted. */
export function choose({ columns, rows }: Measured, wishes: Wishes): Choices {
  const named = columns.filter(({ name }) => usableName(name));
  const time = chooseTime(named, wishes.time, wishes.label);
  const key = chooseKey(named, { rows, wished: wishes.key, taken: [time?.column, wishes.label] });
  const label = chooseLabel(named, { rows, wished: wishes.label, taken: [time?.column, key] });
  const task = chooseTask(label.column, wishes.task);
  const features: string[] = [];
  const left: Choices['left'] = [];
  for (const column of columns) {
    if ([label.column.name, time?.column, key].includes(column.name)) continue;
    const why = whyLeftOut(column, rows);
    if (why === null) features.push(column.name);
    else left.push({ column: column.name, why });
  }
  if (features.length === 0) {
    throw new UserError({
      code: 'usage',
      message: `No column is left to learn from beside the label ${visible(label.column.name)}.`,
      where: left.map(({ column, why }) => `${visible(column)}: ${why}`).join('; ') || 'the data',
      fix: 'Add columns to the data that are known when the question is asked.',
    });
  }
  const names = columns.map(({ name }) => name);
  const made = {
    key: freeName('row_id', names),
    group: freeName('row_group', names),
    day: freeName('event_day', names),
  };
  const positive = task === 'classification' ? positiveOf(label.column) : null;
  return { task, label: { ...label, positive }, key, time, features, left, made };
}

function chooseLabel(
  columns: readonly MeasuredColumn[],
  {
    rows,
    wished,
    taken,
  }: { rows: number; wished: string | null; taken: readonly (string | null | undefined)[] },
): { column: MeasuredColumn; guessed: boolean } {
  if (wished !== null) {
    const column = columns.find(({ name }) => name === wished) ?? refuse(wished, '--label', columns);
    if (canBeLabel(column, rows)) return { column, guessed: false };
    throw new UserError({
      code: 'usage',
      message: `The column ${visible(wished)} cannot be predicted: ${visible(whyNoLabel(column))}.`,
      where: '--label',
      fix: 'Name a column of two values, or of numbers.',
    });
  }
  const free = columns.filter(
    (column) => !taken.includes(column.name) && !column.personal && canBeLabel(column, rows),
  );
  const last = columns.at(-1);
  const column =
    free.find(({ name }) => labelNames.test(name)) ??
    (last !== undefined && free.includes(last) ? last : undefined) ??
    free.findLast((one) => one.distinct === 2);
  if (column !== undefined) return { column, guessed: true };
  throw new UserError({
    code: 'usage',
    message: 'No column looks like what is to be predicted.',
    where: columns
      .slice(0, 30)
      .map(({ name }) => visible(name))
      .join(', '),
    fix: 'Name it: modelgate init --label COLUMN.',
  });
}

const isNumeric = ({ type }: MeasuredColumn): boolean => type === 'integer' || type === 'number';

function canBeLabel(column: MeasuredColumn, rows: number): boolean {
  if (column.distinct < 2 || column.nonfinite > 0 || column.nulls > rows / 2) return false;
  if (column.type === 'boolean' || column.distinct === 2)
    return column.type !== 'other' && column.time === null;
  return isNumeric(column);
}

function whyNoLabel(column: MeasuredColumn): string {
  if (column.distinct < 2) return 'all rows have the same value';
  if (column.nonfinite > 0) return 'it holds NaN or infinities';
  return isNumeric(column)
    ? 'more than half of its rows are empty'
    : `it is no number and has ${column.distinct} values; one of two values can be predicted`;
}

function chooseTask(label: MeasuredColumn, wished: Wishes['task']): Choices['task'] {
  const task = label.type === 'boolean' || label.distinct === 2 ? 'classification' : 'regression';
  if (wished === null || wished === task) return task;
  if (wished === 'regression' && isNumeric(label)) return 'regression';
  throw new UserError({
    code: 'usage',
    message: `The label ${visible(label.name)} has ${label.distinct} values: ${wished} cannot be learned from it.`,
    where: '--task',
    fix: 'Classification needs a column of two values, regression one of numbers.',
  });
}

function positiveOf(label: MeasuredColumn): string | number | null {
  if (label.type === 'boolean') return null;
  if (isNumeric(label)) return label.min === 0 && label.max === 1 ? null : label.max;
  const values = label.values ?? [];
  const rarest = values.at(-1)?.[0] ?? null;
  return values.find(([value]) => positives.test(value))?.[0] ?? rarest;
}

function chooseKey(
  columns: readonly MeasuredColumn[],
  {
    rows,
    wished,
    taken,
  }: { rows: number; wished: string | null; taken: readonly (string | null | undefined)[] },
): string | null {
  const isKey = ({ distinct, nulls, type }: MeasuredColumn) =>
    distinct === rows && nulls === 0 && (type === 'integer' || type === 'string');
  if (wished === null) {
    const free = columns.filter((one) => !taken.includes(one.name) && !one.personal && isKey(one));
    return free.find(({ name }) => keyNames.test(name))?.name ?? null;
  }
  const column = columns.find(({ name }) => name === wished) ?? refuse(wished, '--key', columns);
  if (isKey(column)) return wished;
  throw new UserError({
    code: 'usage',
    message: `The column ${visible(wished)} does not name a row: ${column.distinct} values in ${rows} rows, ${column.nulls} of them empty.`,
    where: '--key',
    fix: 'Name a column of text or whole numbers that is filled and different in every row, or leave --key out.',
  });
}

function chooseTime(
  columns: readonly MeasuredColumn[],
  wished: string | null,
  label: string | null,
): Choices['time'] {
  if (wished === 'none') return null;
  const of = (column: MeasuredColumn, guessed: boolean): Choices['time'] =>
    column.time !== null &&
    column.nulls === 0 &&
    column.time.days >= leastDays &&
    column.time.before > 0 &&
    column.time.cut > column.time.first
      ? { column: column.name, span: column.time, guessed }
      : null;
  if (wished !== null) {
    const column = columns.find(({ name }) => name === wished) ?? refuse(wished, '--time', columns);
    const chosen = of(column, false);
    if (chosen !== null) return chosen;
    throw new UserError({
      code: 'usage',
      message: `The column ${visible(wished)} is no time that data can be divided by: it must be filled in every row and span at least ${leastDays} days.`,
      where: '--time',
      fix: 'Name another column, or give --time none: rows are then dealt by a hash.',
    });
  }
  const free = columns.filter((column) => column.name !== label && of(column, true) !== null);
  const column =
    free.find(({ name, personal }) => timeNames.test(name) && !personal) ?? free.find((one) => !one.personal);
  return column === undefined ? null : of(column, true);
}

function whyLeftOut(column: MeasuredColumn, rows: number): string | null {
  if (!usableName(column.name))
    return 'its name is empty, too long, or holds characters that cannot be shown';
  if (column.personal) return 'looks personal';
  if (column.time !== null) return 'a time: make a number of it (hour, weekday, age in days) to use it';
  if (column.type === 'other') return `a model takes no ${column.physicalType.slice(0, 40)}`;
  if (column.nulls === rows) return 'is empty in every row';
  if (column.distinct < 2 && column.nulls === 0) return 'has the same value in every row';
  if (column.nonfinite > 0) return 'holds NaN or infinities';
  if (column.type === 'string' && column.distinct > mostCategories) {
    return `text of ${column.distinct} values: a model would learn it by heart`;
  }
  if (column.distinct === rows && column.type === 'integer' && keyNames.test(column.name))
    return 'numbers the rows';
  return null;
}

function refuse(name: string, flag: string, columns: readonly MeasuredColumn[]): never {
  throw new UserError({
    code: 'usage',
    message: `The data have no column ${JSON.stringify(name)}.`,
    where: flag,
    fix: `They have: ${columns
      .slice(0, 30)
      .map((column) => visible(column.name))
      .join(', ')}.`,
  });
}
