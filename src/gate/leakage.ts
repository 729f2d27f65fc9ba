import { type Column, identifier, type SqlEngine } from '../data/engine.ts';
import { UserError } from '../errors.ts';
import { suggest } from '../suggest.ts';

/** A numeric difference below this share of the training column's standard deviation counts as none. */
const nearTolerance = 0.01;
const examplesPerKind = 5;

export interface LeakageQuestion {
  /** Views of the engine. */
  train: string;
  evaluation: string;
  key: string | null;
  time: string | null;
}

export interface LeakageExample {
  kind: 'exact' | 'near' | 'key';
  /** Row numbers from 1, in the order of the files. */
  evaluation_row: number;
  train_row: number;
  /** The evaluation row's key, where a key was named. */
  key: string | null;
}

/** Counts are rows of the evaluation set; null where a column for it was not named. */
export interface Leakage {
  rows: number;
  train_rows: number;
  /** Columns that both tables have: rows are compared on these. */
  columns: string[];
  /** Rows that stand in the training set with all columns equal; nulls equal each other. */
  exact: number;
  /** Further rows equal but for letter case, outer spaces, and numbers within about 1 % of a standard deviation. */
  near: number;
  /** Rows whose key stands in the training set. */
  key: number | null;
  /** Rows that are not newer than the newest training row. */
  temporal: number | null;
  newest_train: string | null;
  oldest_evaluation: string | null;
  examples: LeakageExample[];
}

/** Which rows of the evaluation set the training set already knew. Counted in SQL: no row enters this process. */
export async function findLeakage(engine: SqlEngine, question: LeakageQuestion): Promise<Leakage> {
  const train = await engine.describe(`SELECT * FROM ${identifier(question.train)}`);
  const evaluation = await engine.describe(`SELECT * FROM ${identifier(question.evaluation)}`);
  const shared = sharedColumns(train, evaluation);
  if (shared.length === 0) throw nothingShared(train, evaluation);
  if (question.key !== null) requireColumn(question.key, { flag: 'key', train, evaluation });
  if (question.time !== null) requireColumn(question.time, { flag: 'time', train, evaluation });
  await numberRows(engine, question);
  const rows = await countRows(engine, 'leak_evaluation');
  const trainRows = await countRows(engine, 'leak_train');
  if (rows === 0 || trainRows === 0) {
    throw new UserError({
      code: 'data_empty',
      message: `The ${rows === 0 ? 'evaluation set' : 'training set'} has no rows.`,
      fix: 'Give two tables that hold rows.',
    });
  }
  await matchExact(engine, shared);
  await matchNear(engine, { shared, question });
  if (question.key !== null) await matchKey(engine, question.key);
  const temporal = question.time === null ? null : await compareTimes(engine, question.time);
  return {
    rows,
    train_rows: trainRows,
    columns: shared.map((column) => column.name),
    exact: await countRows(engine, 'leak_exact'),
    near: await countRows(engine, 'leak_near'),
    key: question.key === null ? null : await countRows(engine, 'leak_key'),
    temporal: temporal?.rows ?? null,
    newest_train: temporal?.newest ?? null,
    oldest_evaluation: temporal?.oldest ?? null,
    examples: await examples(engine, question.key),
  };
}

interface SharedColumn {
  name: string;
  numeric: boolean;
}

function sharedColumns(train: readonly Column[], evaluation: readonly Column[]): SharedColumn[] {
  const numeric = (column: Column) => column.type === 'integer' || column.type === 'number';
  return evaluation.flatMap((column) => {
    const other = train.find((one) => one.name === column.name);
    return other === undefined ? [] : [{ name: column.name, numeric: numeric(column) && numeric(other) }];
  });
}

async function numberRows(engine: SqlEngine, { train, evaluation }: LeakageQuestion): Promise<void> {
  for (const [name, view] of [
    ['leak_train', train],
    ['leak_evaluation', evaluation],
  ] as const) {
    await engine.execute(
      `CREATE OR REPLACE TEMP TABLE ${name} AS SELECT row_number() OVER () AS "modelgate row", * FROM ${identifier(view)}`,
    );
  }
}

const rowNumber = identifier('modelgate row');

async function matchExact(engine: SqlEngine, shared: readonly SharedColumn[]): Promise<void> {
  const equal = shared.map(({ name, numeric }) => {
    const cast = (side: string) => `CAST(${side}.${identifier(name)} AS ${numeric ? 'DOUBLE' : 'VARCHAR'})`;
    return `${cast('e')} IS NOT DISTINCT FROM ${cast('t')}`;
  });
  await engine.execute(
    `CREATE OR REPLACE TEMP TABLE leak_exact AS
     SELECT e.${rowNumber} AS evaluation_row, min(t.${rowNumber}) AS train_row
     FROM leak_evaluation e JOIN leak_train t ON ${equal.join(' AND ')} GROUP BY 1`,
  );
}

/**
 * Rows that fall into the same cell of a grid over all shared columns but key and time. A pair that a cell's
 * edge divides is looked for in a second grid, moved by half a cell.
 */
async function matchNear(
  engine: SqlEngine,
  { shared, question }: { shared: readonly SharedColumn[]; question: LeakageQuestion },
): Promise<void> {
  const columns = shared.filter(({ name }) => name !== question.key && name !== question.time);
  if (columns.length === 0) {
    await engine.execute(
      'CREATE OR REPLACE TEMP TABLE leak_near AS SELECT 0 AS evaluation_row, 0 AS train_row WHERE false',
    );
    return;
  }
  const widths = await cellWidths(engine, columns);
  const cells = (offset: number) =>
    columns.map(({ name, numeric }) => {
      const column = identifier(name);
      if (!numeric) return `lower(trim(CAST(${column} AS VARCHAR)))`;
      const width = widths.get(name) ?? 0;
      return width > 0
        ? `floor(CAST(${column} AS DOUBLE) / ${width} + ${offset})`
        : `CAST(${column} AS DOUBLE)`;
    });
  const grids = [0, 0.5].map((offset) => {
    const side = (table: string) =>
      `SELECT ${rowNumber} AS row_number, ${cells(offset)
        .map((cell, index) => `${cell} AS c${index}`)
        .join(', ')} FROM ${table}`;
    const equal = columns.map((_, index) => `e.c${index} IS NOT DISTINCT FROM t.c${index}`);
    return `SELECT e.row_number AS evaluation_row, min(t.row_number) AS train_row
      FROM (${side('leak_evaluation')}) e JOIN (${side('leak_train')}) t ON ${equal.join(' AND ')} GROUP BY 1`;
  });
  await engine.execute(
    `CREATE OR REPLACE TEMP TABLE leak_near AS
     SELECT evaluation_row, min(train_row) AS train_row FROM (${grids.join(' UNION ALL ')})
     WHERE evaluation_row NOT IN (SELECT evaluation_row FROM leak_exact) GROUP BY 1`,
  );
}

async function cellWidths(engine: SqlEngine, columns: readonly SharedColumn[]): Promise<Map<string, number>> {
  const numeric = columns.filter((column) => column.numeric);
  if (numeric.length === 0) return new Map();
  const parts = numeric.map(({ name }, index) => {
    const value = `CAST(${identifier(name)} AS DOUBLE)`;
    return `stddev_pop(${value}) FILTER (WHERE isfinite(${value})) AS s${index}`;
  });
  const row = (await engine.rows(`SELECT ${parts.join(', ')} FROM leak_train`))[0] ?? {};
  return new Map(numeric.map(({ name }, index) => [name, Number(row[`s${index}`] ?? 0) * nearTolerance]));
}

async function matchKey(engine: SqlEngine, key: string): Promise<void> {
  const column = (side: string) => `CAST(${side}.${identifier(key)} AS VARCHAR)`;
  await engine.execute(
    `CREATE OR REPLACE TEMP TABLE leak_key AS
     SELECT e.${rowNumber} AS evaluation_row, min(t.${rowNumber}) AS train_row
     FROM leak_evaluation e JOIN leak_train t ON ${column('e')} = ${column('t')} GROUP BY 1`,
  );
}

async function compareTimes(
  engine: SqlEngine,
  time: string,
): Promise<{ rows: number; newest: string | null; oldest: string | null }> {
  // text with or without a zone, dates and timestamps become one instant in UTC; numbers stay numbers
  const kinds = await Promise.all(
    ['leak_train', 'leak_evaluation'].map(
      async (table) => (await engine.describe(`SELECT ${identifier(time)} FROM ${table}`))[0]?.type,
    ),
  );
  const numeric = kinds.every((kind) => kind === 'integer' || kind === 'number');
  const moment = `TRY_CAST(${identifier(time)} AS ${numeric ? 'DOUBLE' : 'TIMESTAMPTZ'})`;
  const row = (
    await engine.rows(
      `SELECT CAST(max(${moment}) AS VARCHAR) AS newest,
         (SELECT CAST(min(${moment}) AS VARCHAR) FROM leak_evaluation) AS oldest,
         (SELECT count(*) FROM leak_evaluation WHERE ${moment} <= (SELECT max(${moment}) FROM leak_train)) AS rows,
         (SELECT count(*) FROM leak_evaluation WHERE ${moment} IS NULL)
           + count(*) FILTER (WHERE ${moment} IS NULL) AS unreadable
       FROM leak_train`,
    )
  )[0];
  if (Number(row?.unreadable ?? 0) > 0) {
    throw new UserError({
      code: 'data_unreadable',
      message: `${row?.unreadable} rows have no readable time in column ${JSON.stringify(time)}.`,
      where: '--time',
      fix: 'Name a column of times (ISO 8601 text, dates, timestamps or numbers) without missing values.',
    });
  }
  const text = (value: unknown) => (value === null || value === undefined ? null : String(value));
  return { rows: Number(row?.rows ?? 0), newest: text(row?.newest), oldest: text(row?.oldest) };
}

async function examples(engine: SqlEngine, key: string | null): Promise<LeakageExample[]> {
  const kinds = key === null ? (['exact', 'near'] as const) : (['exact', 'near', 'key'] as const);
  const found: LeakageExample[] = [];
  for (const kind of kinds) {
    const told = key === null ? 'NULL' : `left(CAST(e.${identifier(key)} AS VARCHAR), 100)`;
    const rows = await engine.rows(
      `SELECT l.evaluation_row, l.train_row, ${told} AS key FROM leak_${kind} l
       JOIN leak_evaluation e ON e.${rowNumber} = l.evaluation_row ORDER BY 1 LIMIT ${examplesPerKind}`,
    );
    for (const row of rows) {
      found.push({
        kind,
        evaluation_row: Number(row.evaluation_row),
        train_row: Number(row.train_row),
        key: row.key === null || row.key === undefined ? null : String(row.key),
      });
    }
  }
  return found;
}

async function countRows(engine: SqlEngine, table: string): Promise<number> {
  return Number((await engine.rows(`SELECT count(*) AS n FROM ${table}`))[0]?.n ?? 0);
}

function requireColumn(
  name: string,
  sides: { flag: string; train: readonly Column[]; evaluation: readonly Column[] },
): void {
  for (const side of ['train', 'evaluation'] as const) {
    const names = sides[side].map((column) => column.name);
    if (names.includes(name)) continue;
    const near = suggest(name, names);
    throw new UserError({
      code: 'usage',
      message: `The ${side === 'train' ? 'training' : 'evaluation'} table has no column ${JSON.stringify(name)}.`,
      where: `--${sides.flag}`,
      fix:
        near === null
          ? `Its columns are: ${names.slice(0, 20).join(', ')}.`
          : `Did you mean ${JSON.stringify(near)}?`,
    });
  }
}

function nothingShared(train: readonly Column[], evaluation: readonly Column[]): UserError {
  const names = train.map((column) => column.name);
  const near = evaluation
    .map((column) => [column.name, suggest(column.name, names)] as const)
    .find(([, other]) => other !== null);
  return new UserError({
    code: 'usage',
    message: 'The two tables have no column name in common, so their rows cannot be compared.',
    where: '--evaluation',
    fix:
      near === undefined
        ? 'Give two tables of the same columns.'
        : `Give the columns the same names, e.g. ${JSON.stringify(near[0])} as ${JSON.stringify(near[1])}.`,
  });
}
