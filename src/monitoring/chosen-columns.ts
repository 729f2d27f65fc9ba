import { type Column, identifier, literal, type SqlEngine } from '../data/engine.ts';
import { timeExpression } from './block-times.ts';
import type { ColumnKind, ComparedColumn, LeftOut, PairOptions, SchemaDifference, Side } from './tables.ts';

const kinds: Partial<Record<Column['type'], ColumnKind>> = {
  boolean: 'categorical',
  string: 'categorical',
  integer: 'numeric',
  number: 'numeric',
};

/** Undefined where a column is not there, or of a type that is not compared. */
export const columnKind = (column: Column | undefined): ColumnKind | undefined =>
  column && kinds[column.type];

export function schemaDifference(
  before: readonly Column[],
  after: readonly Column[],
  wanted: readonly string[] | undefined,
): SchemaDifference {
  const counts = (name: string) => wanted === undefined || wanted.includes(name);
  const other = new Map(after.map((column) => [column.name, column]));
  const names = new Set(before.map((column) => column.name));
  return {
    missing: before
      .filter((column) => counts(column.name) && !other.has(column.name))
      .map((column) => column.name),
    unexpected:
      wanted === undefined
        ? after.filter((column) => !names.has(column.name)).map((column) => column.name)
        : [],
    changed: before.flatMap((column) => {
      const now = other.get(column.name);
      if (now === undefined || !counts(column.name) || columnKind(now) === columnKind(column)) return [];
      return [{ name: column.name, reference: column.physicalType, current: now.physicalType }];
    }),
  };
}

interface Choice {
  before: readonly Column[];
  after: readonly Column[];
  reference: Side;
  options: PairOptions;
  schema: SchemaDifference;
}

/** Texts with more levels than this, and more than `identifierShare` of the rows, are taken as identifiers. */
const identifierLevels = 100;
const identifierShare = 0.01;
/** Fewer rows can hold different numbers by chance. */
const identifierRows = 200;
const calendarParts = ['year', 'quarter', 'month', 'day', 'week', 'dayofyear'] as const;
const calendarShare = 0.8;

/** Which columns are compared, and why the others are not. */
export async function chooseColumns(
  engine: SqlEngine,
  { before, reference, options, schema }: Choice,
): Promise<{ columns: ComparedColumn[]; leftOut: LeftOut[] }> {
  const leftOut: LeftOut[] = [];
  const broken = new Set([...schema.missing, ...schema.changed.map((column) => column.name)]);
  const columns: ComparedColumn[] = [];
  for (const column of before) {
    const kind = columnKind(column);
    const { name } = column;
    const chosen = options.columns?.includes(name);
    if (chosen === false || broken.has(name)) continue;
    if (name === options.time || name === options.blockColumn) {
      leftOut.push({ name, reason: 'time', detail: 'it says which block a row belongs to' });
    } else if (options.exclude.includes(name)) {
      leftOut.push({ name, reason: 'excluded', detail: 'by request' });
    } else if (kind === undefined) {
      leftOut.push({ name, reason: 'unsupported_type', detail: `${column.physicalType} is not compared` });
    } else {
      const why =
        chosen === true || reference.rows === 0
          ? null
          : await unfit(engine, { column, before, reference, options });
      if (why === null) columns.push({ name, kind });
      else leftOut.push({ name, ...why });
    }
  }
  return { columns, leftOut };
}

/**
 * Whether a column names rows (an identifier) or repeats the calendar, so that it moves by its nature. Asked of the
 * relation itself, without its blocks, or of its copy; each question is asked only where cheaper ones leave it open.
 */
async function unfit(
  engine: SqlEngine,
  {
    column,
    before,
    reference,
    options,
  }: { column: Column; before: readonly Column[]; reference: Side; options: PairOptions },
): Promise<Omit<LeftOut, 'name'> | null> {
  const quoted = identifier(column.name);
  const from = `FROM ${options.materialize === true ? reference.relation : options.reference}`;
  if (column.type === 'string') {
    const [row] = await engine.rows(
      `SELECT CAST(count(*) AS DOUBLE) AS levels, CAST(sum(n) AS DOUBLE) AS n
       FROM (SELECT count(*) AS n ${from} WHERE ${quoted} IS NOT NULL GROUP BY ${quoted})`,
    );
    const [levels, filled] = [Number(row?.levels ?? 0), Number(row?.n ?? 0)];
    return levels > identifierLevels && levels > identifierShare * filled
      ? { reason: 'identifier', detail: `${levels} different texts in ${filled} rows` }
      : null;
  }
  if (column.type !== 'integer') return null;
  // what can be a part of the calendar: a day of the year and what is less, or one of the reference's years
  const years = [reference.blocks[0], reference.blocks.at(-1)].map(
    (day) => Number.parseInt(day ?? '', 10) || 0,
  );
  const likely = [`${quoted} BETWEEN 1 AND 366`, `${quoted} BETWEEN ${years.join(' AND ')}`];
  const [facts] = await engine.rows(
    `SELECT CAST(count(${quoted}) AS DOUBLE) AS n, CAST(max(${quoted}) AS DOUBLE) - CAST(min(${quoted}) AS DOUBLE) + 1 AS span,
       CAST(greatest(${likely.map((test) => `count(*) FILTER (${test})`).join(', ')}) AS DOUBLE) AS likely ${from}`,
  );
  const filled = Number(facts?.n ?? 0);
  if (
    filled >= identifierRows &&
    Number(facts?.span) >= filled &&
    (await allDifferent(engine, quoted, from))
  ) {
    return { reason: 'identifier', detail: 'every row has another whole number' };
  }
  if (options.time === undefined || filled === 0) return null;
  if (Number(facts?.likely) < calendarShare * filled) return null;
  const matches = calendarParts.map(
    (part) => `sum(CASE WHEN v = date_part(${literal(part)}, t) THEN n ELSE 0 END) / ${filled} AS ${part}`,
  );
  const [calendar] = await engine.rows(
    `SELECT ${matches.join(', ')} FROM (
       SELECT ${quoted} AS v, CAST(${timeExpression(before, options.time)} AS DATE) AS t, CAST(count(*) AS DOUBLE) AS n
       ${from} GROUP BY 1, 2)`,
  );
  const part = calendarParts.find((candidate) => Number(calendar?.[candidate] ?? 0) >= calendarShare);
  return part === undefined ? null : { reason: 'calendar', detail: `it repeats the ${part} of the time` };
}

/** Whether no number comes twice: the first rows are looked at before all of them. */
async function allDifferent(engine: SqlEngine, quoted: string, from: string): Promise<boolean> {
  for (const rows of [`(SELECT ${quoted} ${from} WHERE ${quoted} IS NOT NULL LIMIT 10000)`, null]) {
    const [row] = await engine.rows(
      `SELECT count(DISTINCT ${quoted}) = count(${quoted}) AS every ${rows === null ? from : `FROM ${rows}`}`,
    );
    if (row?.every !== true) return false;
  }
  return true;
}
