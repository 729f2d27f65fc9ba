import { type Column, identifier, literal, type SqlEngine } from '../data/engine.ts';
import { UserError } from '../errors.ts';
import { blockExpression, countedFrom } from './block-times.ts';
import { chooseColumns, schemaDifference } from './chosen-columns.ts';
import { typedLike } from './valueless-columns.ts';

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
  /** Whether each reading of the relation gives its rows in the same order: not where blocks are joined to them. */
  ordered?: boolean;
  /** Stretches of rows that are those of `relation`, one after the other; null where it can't be cut. */
  sections?: readonly Section[] | null;
}

/** SQL for a relation of some rows. */
export interface Section {
  /** The table's own columns alone: a statement without the block is planned sooner. */
  plain: string;
  /** With `TablePair.block`. */
  numbered: string;
}

export interface LeftOut {
  name: string;
  reason: 'excluded' | 'identifier' | 'calendar' | 'time' | 'unsupported_type' | 'other_version';
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

/**
 * Prepares two tables for comparison: which columns, of what kind, in which blocks; what is left out and why.
 * Throws `usage` for a column that is not there, `data_unreadable` where no row has a readable time.
 */
export async function openPair(engine: SqlEngine, asked: PairOptions): Promise<TablePair> {
  const [found, other] = await Promise.all([
    engine.describe(`SELECT * FROM ${asked.reference}`),
    engine.describe(`SELECT * FROM ${asked.current}`),
  ]);
  const first = await typedLike(engine, { relation: asked.reference, columns: found }, other);
  const second = await typedLike(engine, { relation: asked.current, columns: other }, first.columns);
  const [before, after] = [first.columns, second.columns];
  const options = { ...asked, reference: first.relation, current: second.relation };
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

/** Rows of a section: 3 MiB a column, or a twenty-fourth of the table. */
const sectionRows = (rows: number) => Math.max(3 * 2 ** 17, Math.ceil(rows / 24));

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
  const labels = known.map((row) => String(row.label));
  const rowsByBlock = Float64Array.from(known, (row) => Number(row.n));
  const rows = rowsByBlock.reduce((sum, n) => sum + n, 0);
  const without = Number(counts.find((row) => row.label === null)?.n ?? 0);
  // a block's number is counted from the first date where none is missing between, else joined to each row on the date
  // itself; without blocks there is one
  const counted = options.time === undefined ? null : countedFrom(labels, options.unit);
  const joined = counted === null && (options.time !== undefined || options.blockColumn !== undefined);
  const number =
    counted === null
      ? 'CAST(0 AS INTEGER)'
      : `CAST((${key} - DATE ${literal(counted.first)}) // ${counted.days} AS INTEGER)`;
  const named = identifier(block);
  // the key stands in a query of its own: beside the blocks a column k, n or i would be ambiguous
  const numbered = (relation: string) =>
    joined
      ? `SELECT t.* REPLACE (b.i AS ${named})
     FROM (SELECT *, ${key} AS ${named} FROM ${relation}) t LEFT JOIN ${names} b ON b.k = t.${named}`
      : `SELECT t.*, ${number} AS ${named} FROM ${relation} t`;
  await engine.execute(
    `CREATE OR REPLACE ${what} ${identifier(request.name)} AS ${numbered(request.relation)}`,
  );
  const sections =
    options.materialize === true ? null : await engine.sections(request.relation, sectionRows(rows));
  if (known.length === 0 && without > 0) {
    throw new UserError({
      code: 'data_unreadable',
      message: `No row of the ${request.name === 'drift_current' ? 'current' : 'reference'} table has a readable time.`,
      where: `--time ${options.time ?? options.blockColumn ?? ''}`,
      fix: 'Give a column of timestamps, or of ISO 8601 texts in UTC.',
    });
  }
  return {
    relation: identifier(request.name),
    blocks: labels,
    rowsByBlock,
    rows,
    rowsWithoutTime: without,
    ordered: !joined,
    sections:
      sections?.map((section) => ({ plain: `(${section})`, numbered: `(${numbered(`(${section})`)})` })) ??
      null,
  };
}

/** Leaves out rows without a block; nothing where there are none, since a filter costs as much as reading a column. */
export function inBlocks(side: Side, block: string): string {
  return side.rowsWithoutTime === 0 ? '' : `WHERE ${identifier(block)} IS NOT NULL`;
}
