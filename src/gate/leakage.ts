import { type Column, identifier, type SqlEngine } from '../data/engine.ts';
import { UserError } from '../errors.ts';
import { suggest } from '../suggest.ts';
import { NearIndex } from './near-duplicates.ts';
import { layoutOf, readTokens } from './row-tokens.ts';

/** A numeric difference below this share of the training column's standard deviation counts as none. */
const nearTolerance = 0.01;
const nearThreshold = 0.9;
const examplesPerKind = 5;

export interface LeakageQuestion {
  /** Views of the engine. */
  train: string;
  evaluation: string;
  key: string | null;
  time: string | null;
  /** Jaccard similarity from which a row is nearly another; 0.9 unless said. */
  threshold?: number;
  /** Of the hashes; 0 unless said. */
  seed?: number;
}

export interface LeakageExample {
  kind: 'exact' | 'near' | 'key';
  /** Row numbers from 1, in the order of the files. */
  evaluation_row: number;
  train_row: number;
  /** The evaluation row's key, where a key was named. */
  key: string | null;
  /** Of a near row, rounded. */
  similarity?: number;
}

/** Counts are rows of the evaluation set; null where a column for it was not named. */
export interface Leakage {
  rows: number;
  train_rows: number;
  /** Columns that both tables have: rows are compared on these. */
  columns: string[];
  /** Rows that stand in the training set with all columns equal; nulls equal each other. */
  exact: number;
  /**
   * Further rows that are nearly a training row: by MinHash, Jaccard similarity of their tokens at least the
   * threshold (0.9). A column is a token; letter case, outer spaces and about 1 % of a standard deviation aside.
   */
  near: number;
  /** Rows for which more training rows stood in question than were compared: `near` may miss some of them. */
  near_limited: number;
  /** Rows whose key stands in the training set. */
  key: number | null;
  /** Rows that are not newer than the newest training row. */
  temporal: number | null;
  newest_train: string | null;
  oldest_evaluation: string | null;
  examples: LeakageExample[];
}

/** Which rows of the evaluation set the training set already knew. Near rows are sought over 32-bit tokens, the rest is counted in SQL. */
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
  const limited = await matchNear(engine, {
    shared,
    question,
    rows: { train: trainRows, evaluation: rows },
  });
  if (question.key !== null) await matchKey(engine, question.key);
  const temporal = question.time === null ? null : await compareTimes(engine, question.time);
  return {
    rows,
    train_rows: trainRows,
    columns: shared.map((column) => column.name),
    exact: await countRows(engine, 'leak_exact'),
    near: await countRows(engine, 'leak_near'),
    near_limited: limited,
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

/** Rows read at once, and bytes that the index of the training rows may take: larger tables go through in parts. */
const chunk = 50_000;
const indexBytes = 192 * 2 ** 20;
const entryBytes = 8 * 12;

/**
 * Rows of the evaluation set, not equal to a training row, whose tokens over all shared columns but key and time
 * reach the threshold of Jaccard similarity with a training row (near-duplicates.ts).
 */
async function matchNear(
  engine: SqlEngine,
  input: {
    shared: readonly SharedColumn[];
    question: LeakageQuestion;
    rows: { train: number; evaluation: number };
  },
): Promise<number> {
  const { shared, question, rows } = input;
  await engine.execute(
    'CREATE OR REPLACE TEMP TABLE leak_near (evaluation_row BIGINT, train_row BIGINT, similarity DOUBLE)',
  );
  const columns = shared.filter(({ name }) => name !== question.key && name !== question.time);
  if (columns.length === 0) return 0;
  const layout = await layoutOf(engine, { table: 'leak_train', columns, tolerance: nearTolerance });
  const done = new Uint8Array(rows.evaluation + 1);
  const [exact] = await engine.columns('SELECT CAST(evaluation_row AS DOUBLE) AS row FROM leak_exact');
  for (const row of (exact?.values ?? []) as Float64Array) done[row] = 1;
  const part = Math.max(1, Math.floor(indexBytes / (4 * layout.slots + entryBytes)));
  const threshold = question.threshold ?? nearThreshold;
  const read = (table: string, from: number, to: number) =>
    readTokens(engine, { table, row: 'modelgate row', layout, from, to: Math.min(to, from + chunk - 1) });
  let limited = 0;
  for (let first = 1; first <= rows.train; first += part) {
    const last = Math.min(rows.train, first + part - 1);
    const capacity = last - first + 1;
    const index = new NearIndex({ layout, capacity, threshold, seed: question.seed ?? 0 });
    for (let from = first; from <= last; from += chunk) index.add(await read('leak_train', from, last));
    for (let from = 1; from <= rows.evaluation; from += chunk) {
      const tokens = await read('leak_evaluation', from, rows.evaluation);
      const found: string[] = [];
      for (let i = 0; i * layout.slots < tokens.length; i++) {
        if (done[from + i] === 1) continue;
        const match = index.find(tokens, i * layout.slots);
        if (match === null) continue;
        done[from + i] = 1;
        found.push(`(${from + i}, ${first + match.row}, ${match.similarity})`);
      }
      if (found.length > 0) await engine.execute(`INSERT INTO leak_near VALUES ${found.join(', ')}`);
    }
    limited += index.limited;
  }
  return limited;
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
      `SELECT l.evaluation_row, l.train_row, ${told} AS key${kind === 'near' ? ', l.similarity' : ''} FROM leak_${kind} l
       JOIN leak_evaluation e ON e.${rowNumber} = l.evaluation_row ORDER BY 1 LIMIT ${examplesPerKind}`,
    );
    for (const row of rows) {
      found.push({
        kind,
        evaluation_row: Number(row.evaluation_row),
        train_row: Number(row.train_row),
        key: row.key === null || row.key === undefined ? null : String(row.key),
        ...(kind === 'near' ? { similarity: Math.round(Number(row.similarity) * 1000) / 1000 } : {}),
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
