import { type Column, identifier, literal, type SqlEngine } from '../data/engine.ts';
import { UserError } from '../errors.ts';

export type ColumnKind = 'numeric' | 'categorical';

export interface ComparedColumn {
  name: string;
  kind: ColumnKind;
}

/** One of the two tables: a relation (view or table) with its blocks of rows that are alike. */
export interface Side {
  /** A quoted relation: the table's own columns and `TablePair.block`, a block's index, null without a time. */
  relation: string;
  /** Start of each block, ISO 8601 (UTC date), ascending; one block named 'all' where rows are the blocks. */
  blocks: readonly string[];
  /** Rows per block. */
  rowsByBlock: Float64Array;
  rows: number;
  /** Rows left out because their time is null or unreadable. */
  rowsWithoutTime: number;
}

export interface LeftOut {
  name: string;
  reason: 'excluded' | 'identifier' | 'calendar' | 'time' | 'unsupported_type';
  detail: string;
}

export interface SchemaDifference {
  missing: string[];
  unexpected: string[];
  changed: { name: string; reference: string; current: string }[];
}

export interface TablePair {
  columns: ComparedColumn[];
  leftOut: LeftOut[];
  schema: SchemaDifference;
  reference: Side;
  current: Side;
  /** Name of the column with the block's index in both relations. */
  block: string;
  /** False where there is no time: every row then counts as a block of its own. */
  timed: boolean;
}

export interface PairOptions {
  /** Quoted relations, e.g. `identifier('reference')`. */
  reference: string;
  current: string;
  /** The column with the event time, in both tables. */
  time?: string | undefined;
  /** Or a column that names the block as it is (a day, a customer), in both tables. */
  blockColumn?: string | undefined;
  unit: 'day' | 'week';
  columns?: readonly string[] | undefined;
  exclude: readonly string[];
  /** Copy both relations into tables first: for CSV, which is slow to read once a column. */
  materialize?: boolean;
}

const kinds: Partial<Record<Column['type'], ColumnKind>> = {
  boolean: 'categorical',
  string: 'categorical',
  integer: 'numeric',
  number: 'numeric',
};

/**
 * Prepares two tables for comparison: which columns, of what kind, in which blocks; what is left out and why.
 * Throws `usage` for a column that is not there, `data_unreadable` where no row has a readable time.
 */
export async function openPair(engine: SqlEngine, options: PairOptions): Promise<TablePair> {
  const [before, after] = await Promise.all([
    engine.describe(`SELECT * FROM ${options.reference}`),
    engine.describe(`SELECT * FROM ${options.current}`),
  ]);
  for (const name of options.columns ?? []) requireColumn(before, name, '--columns');
  const blockBy = options.time ?? options.blockColumn;
  if (blockBy !== undefined) {
    for (const side of [before, after]) requireColumn(side, blockBy, '--time');
  }
  const taken = new Set([...before, ...after].map((column) => column.name.toLowerCase()));
  let block = 'modelgate_block';
  while (taken.has(block)) block += '_';

  const reference = await openSide(engine, before, {
    name: 'drift_reference',
    relation: options.reference,
    block,
    options,
  });
  const current = await openSide(engine, after, {
    name: 'drift_current',
    relation: options.current,
    block,
    options,
  });
  const schema = schemaDifference(before, after, options.columns);
  const { columns, leftOut } = await chooseColumns(engine, { before, after, reference, options, schema });
  return { columns, leftOut, schema, reference, current, block, timed: blockBy !== undefined };
}

function requireColumn(columns: readonly Column[], name: string, option: string): void {
  if (columns.some((column) => column.name === name)) return;
  const near = columns.find((column) => column.name.toLowerCase() === name.toLowerCase());
  throw new UserError({
    code: 'usage',
    message: `There is no column ${JSON.stringify(name)}.`,
    where: option,
    fix:
      near === undefined
        ? `Choose one of: ${columns
            .slice(0, 30)
            .map((column) => column.name)
            .join(', ')}.`
        : `Did you mean ${JSON.stringify(near.name)}?`,
  });
}

interface SideRequest {
  name: string;
  relation: string;
  block: string;
  options: PairOptions;
}

async function openSide(engine: SqlEngine, columns: readonly Column[], request: SideRequest): Promise<Side> {
  const { options, block } = request;
  const what = options.materialize === true ? 'TEMP TABLE' : 'TEMP VIEW';
  const key = blockExpression(columns, options);
  const names = identifier(`${request.name}_blocks`);
  await engine.execute(
    `CREATE OR REPLACE TEMP TABLE ${names} AS
     SELECT k, n, CAST(row_number() OVER (ORDER BY k) - 1 AS INTEGER) AS i
     FROM (SELECT ${key} AS k, CAST(count(*) AS DOUBLE) AS n FROM ${request.relation} GROUP BY 1)`,
  );
  const counts = await engine.rows(`SELECT CAST(k AS VARCHAR) AS label, n FROM ${names} ORDER BY k`);
  const known = counts.filter((row) => row.label !== null);
  const without = Number(counts.find((row) => row.label === null)?.n ?? 0);
  // a block's number is joined to each row: on the date itself, not on its text; without blocks there is one
  const joined = options.time !== undefined || options.blockColumn !== undefined;
  await engine.execute(
    `CREATE OR REPLACE ${what} ${identifier(request.name)} AS
     SELECT t.*, ${joined ? 'b.i' : 'CAST(0 AS INTEGER)'} AS ${identifier(block)}
     FROM ${request.relation} t ${joined ? `LEFT JOIN ${names} b ON b.k = (${key})` : ''}`,
  );
  if (known.length === 0 && without > 0) {
    throw new UserError({
      code: 'data_unreadable',
      message: `No row of the ${request.name === 'drift_current' ? 'current' : 'reference'} table has a readable time.`,
      where: `--time ${options.time ?? options.blockColumn ?? ''}`,
      fix: 'Give a column of timestamps, or of ISO 8601 texts in UTC.',
    });
  }
  const rowsByBlock = Float64Array.from(known, (row) => Number(row.n));
  return {
    relation: identifier(request.name),
    blocks: known.map((row) => String(row.label)),
    rowsByBlock,
    rows: rowsByBlock.reduce((sum, n) => sum + n, 0),
    rowsWithoutTime: without,
  };
}

/** SQL for what names a row's block: the date of its day, of its week's Monday, or the column as text. */
function blockExpression(columns: readonly Column[], options: PairOptions): string {
  if (options.time !== undefined) {
    const day = `CAST(${timeExpression(columns, options.time)} AS DATE)`;
    return options.unit === 'day' ? day : `CAST(date_trunc(${literal(options.unit)}, ${day}) AS DATE)`;
  }
  if (options.blockColumn !== undefined) return `CAST(${identifier(options.blockColumn)} AS VARCHAR)`;
  return `'all'`;
}

/** SQL for a time column as a TIMESTAMP in UTC; the session's time zone is UTC. Unreadable texts are null. */
export function timeExpression(columns: readonly Column[], name: string): string {
  const column = columns.find((candidate) => candidate.name === name);
  const quoted = identifier(name);
  if (column?.type === 'string') return `(TRY_CAST(${quoted} AS TIMESTAMPTZ) AT TIME ZONE 'UTC')`;
  if (column?.type === 'timestamp' || column?.type === 'date') return `CAST(${quoted} AS TIMESTAMP)`;
  throw new UserError({
    code: 'usage',
    message: `The column ${JSON.stringify(name)} holds no times (${column?.physicalType ?? 'missing'}).`,
    where: '--time',
    fix: 'Give a column of timestamps, or of ISO 8601 texts in UTC.',
  });
}

function schemaDifference(
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
      if (now === undefined || !counts(column.name) || kinds[now.type] === kinds[column.type]) return [];
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

async function chooseColumns(
  engine: SqlEngine,
  { before, reference, options, schema }: Choice,
): Promise<{ columns: ComparedColumn[]; leftOut: LeftOut[] }> {
  const leftOut: LeftOut[] = [];
  const broken = new Set([...schema.missing, ...schema.changed.map((column) => column.name)]);
  const columns: ComparedColumn[] = [];
  for (const column of before) {
    const kind = kinds[column.type];
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
 * relation itself, without its blocks; each question is asked only where cheaper ones leave it open.
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
  const from = `FROM ${options.reference}`;
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
