import type { SqlEngine } from '../data/engine.ts';
import { UserError } from '../errors.ts';
import { judgeEqualRows } from './equal-rows.ts';
import { declareTables, type LeakColumn, rowNumber } from './leakage-tables.ts';
import { NearIndex } from './near-duplicates.ts';
import { plural } from './numbers.ts';
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
  /** Columns that both tables have, of types that cannot be equal: nothing was compared on these. */
  incomparable: string[];
  /** Rows that stand in the training set with all columns but key and time equal; nulls equal each other. */
  exact: number;
  /** Of these, those whose key and time are equal too. */
  identical: number;
  /** Training rows that equal another training row under another key; counted where `exact` needs it. */
  repeated: number;
  /**
   * Further rows that are nearly a training row: by MinHash, Jaccard similarity of their tokens at least the
   * threshold (0.9). A column is a token; letter case, outer spaces and about 1 % of a standard deviation aside.
   */
  near: number;
  /** Rows for which more training rows stood in question than were compared: `near` may miss some of them. */
  near_limited: number;
  /** Rows whose key stands in the training set. */
  key: number | null;
  /** Rows of both tables without a key: they cannot be looked for. */
  key_missing: number | null;
  /** Without a key: columns that tell every row from every other, and how many rows are equal but for these. */
  but_for: { columns: string[]; rows: number } | null;
  /** Rows that are not newer than the newest training row. */
  temporal: number | null;
  newest_train: string | null;
  oldest_evaluation: string | null;
  examples: LeakageExample[];
}

/** Which rows of the evaluation set the training set already knew. Near rows are sought over 32-bit tokens, the rest is counted in SQL. */
export async function findLeakage(engine: SqlEngine, question: LeakageQuestion): Promise<Leakage> {
  const { columns, incomparable } = await declareTables(engine, question);
  const rows = await countRows(engine, 'leak_evaluation');
  const trainRows = await countRows(engine, 'leak_train');
  if (rows === 0 || trainRows === 0) {
    throw new UserError({
      code: 'data_empty',
      message: `The ${rows === 0 ? 'evaluation set' : 'training set'} has no rows.`,
      fix: 'Give two tables that hold rows.',
    });
  }
  const named = (name: string | null) => columns.find((column) => column.name === name) ?? null;
  const [key, time] = [named(question.key), named(question.time)];
  const contents = columns.filter((column) => column !== key && column !== time);
  const equal = await matchExact(engine, { columns, contents, key });
  const counts = { rows, train_rows: trainRows, ...equal };
  const limited = await matchNear(engine, {
    columns: contents,
    question,
    rows: { train: trainRows, evaluation: rows },
  });
  if (key !== null) await matchKey(engine, key);
  const near = await countRows(engine, 'leak_near');
  const temporal = time === null ? null : await compareTimes(engine, time);
  return {
    ...counts,
    columns: columns.map((column) => column.name),
    incomparable,
    near,
    near_limited: limited,
    key: key === null ? null : await countRows(engine, 'leak_key'),
    key_missing: key === null ? null : await countMissing(engine, key),
    but_for:
      question.key === null && equal.exact + near === 0
        ? await matchWithoutNames(engine, { columns: contents, counts })
        : null,
    temporal: temporal?.rows ?? null,
    newest_train: temporal?.newest ?? null,
    oldest_evaluation: temporal?.oldest ?? null,
    examples: await examples(engine, key),
  };
}

/** One value a row for a list of columns. Equal lists give equal values, nulls included; others do by chance in 2⁻⁶⁴. */
const fingerprint = (columns: readonly LeakColumn[], side = '') =>
  `hash(${columns.map((column) => `${side}${column.sql}`).join(', ')})`;

/** Rows that are equal in all columns but key and time, into leak_exact. Where there are no others, in those. */
async function matchExact(
  engine: SqlEngine,
  input: { columns: readonly LeakColumn[]; contents: readonly LeakColumn[]; key: LeakColumn | null },
): Promise<{ exact: number; identical: number; repeated: number }> {
  const { columns, key } = input;
  const contents = input.contents.length > 0 ? input.contents : columns;
  await engine.execute('CREATE OR REPLACE TEMP TABLE leak_exact (evaluation_row BIGINT, train_row BIGINT)');
  if (columns.length === 0) return { exact: 0, identical: 0, repeated: 0 };
  // a value that many training rows hold is joined once
  await engine.execute(
    `CREATE OR REPLACE TEMP TABLE leak_contents AS
     SELECT ${fingerprint(contents)} AS content, min(${rowNumber}) AS first_row, count(*) AS n,
       ${key === null ? 'count(*)' : `count(DISTINCT ${key.sql})`} AS keys FROM leak_train GROUP BY 1`,
  );
  const same = contents.map(({ sql }) => `e.${sql} IS NOT DISTINCT FROM t.${sql}`);
  await engine.execute(
    `INSERT INTO leak_exact SELECT e.${rowNumber}, t.${rowNumber} FROM leak_evaluation e
     JOIN leak_contents c ON c.content = ${fingerprint(contents, 'e.')}
     JOIN leak_train t ON t.${rowNumber} = c.first_row WHERE ${same.join(' AND ')}`,
  );
  const exact = await countRows(engine, 'leak_exact');
  if (exact === 0 || contents.length === columns.length) return { exact, identical: exact, repeated: 0 };
  const [found] = await engine.rows(
    `SELECT (SELECT count(*) FROM leak_evaluation WHERE ${fingerprint(columns)} IN (SELECT ${fingerprint(columns)} FROM leak_train)) AS identical,
       (SELECT coalesce(sum(n), 0) FROM leak_contents WHERE n > 1 AND keys > 1) AS repeated`,
  );
  return { exact, identical: Number(found?.identical ?? 0), repeated: Number(found?.repeated ?? 0) };
}

/** Columns that tell every row from every other may be names of rows: whether rows are equal but for them. */
async function matchWithoutNames(
  engine: SqlEngine,
  { columns, counts }: { columns: readonly LeakColumn[]; counts: { rows: number; train_rows: number } },
): Promise<Leakage['but_for']> {
  const candidates = columns.filter(({ whole, text }) => whole || text);
  if (candidates.length === 0) return null;
  const distinct = async (table: string) =>
    (
      await engine.rows(
        `SELECT ${candidates.map(({ sql }, i) => `count(DISTINCT ${sql}) = count(*) AS c${i}`).join(', ')} FROM ${table}`,
      )
    )[0];
  const [inTrain, inEvaluation] = [await distinct('leak_train'), await distinct('leak_evaluation')];
  const names = candidates.filter((_, i) => inTrain?.[`c${i}`] === true && inEvaluation?.[`c${i}`] === true);
  const rest = columns.filter((column) => !names.includes(column));
  if (names.length === 0 || rest.length === 0) return null;
  const [found] = await engine.rows(
    `WITH known AS (SELECT ${fingerprint(rest)} AS content, count(*) AS n FROM leak_train GROUP BY 1)
     SELECT (SELECT count(*) FROM leak_evaluation WHERE ${fingerprint(rest)} IN (SELECT content FROM known)) AS exact,
       (SELECT coalesce(sum(n), 0) FROM known WHERE n > 1) AS repeated`,
  );
  const exact = Number(found?.exact ?? 0);
  const verdict = judgeEqualRows({ ...counts, exact, identical: 0, repeated: Number(found?.repeated ?? 0) });
  return verdict === 'pass' ? null : { columns: names.map(({ name }) => name), rows: exact };
}

/** Rows read at once, and bytes that the index of the training rows may take: larger tables go through in parts. */
const chunk = 50_000;
const indexBytes = 192 * 2 ** 20;
const entryBytes = 8 * 12;

/**
 * Rows of the evaluation set, not equal to a training row, whose tokens over all columns but key and time
 * reach the threshold of Jaccard similarity with a training row (near-duplicates.ts).
 */
async function matchNear(
  engine: SqlEngine,
  input: {
    columns: readonly LeakColumn[];
    question: LeakageQuestion;
    rows: { train: number; evaluation: number };
  },
): Promise<number> {
  const { columns, question, rows } = input;
  await engine.execute(
    'CREATE OR REPLACE TEMP TABLE leak_near (evaluation_row BIGINT, train_row BIGINT, similarity DOUBLE)',
  );
  if (columns.length === 0) return 0;
  const layout = await layoutOf(engine, {
    table: 'leak_train',
    columns: columns.map(({ sql, numeric, whole }) => ({ name: sql, numeric, whole })),
    tolerance: nearTolerance,
  });
  const done = new Uint8Array(rows.evaluation + 1);
  const [exact] = await engine.columns('SELECT CAST(evaluation_row AS DOUBLE) AS row FROM leak_exact');
  for (const row of (exact?.values ?? []) as Float64Array) done[row] = 1;
  const part = Math.max(1, Math.floor(indexBytes / (4 * layout.slots + entryBytes)));
  const threshold = question.threshold ?? nearThreshold;
  const read = (table: string, from: number, to: number) =>
    readTokens(engine, { table, row: rowNumber, layout, from, to: Math.min(to, from + chunk - 1) });
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

async function matchKey(engine: SqlEngine, { sql }: LeakColumn): Promise<void> {
  await engine.execute(
    `CREATE OR REPLACE TEMP TABLE leak_key AS
     SELECT e.${rowNumber} AS evaluation_row, min(t.${rowNumber}) AS train_row
     FROM leak_evaluation e JOIN leak_train t ON e.${sql} = t.${sql} GROUP BY 1`,
  );
}

async function countMissing(engine: SqlEngine, { sql }: LeakColumn): Promise<number> {
  const [row] = await engine.rows(
    `SELECT (SELECT count(*) FROM leak_train WHERE ${sql} IS NULL)
       + (SELECT count(*) FROM leak_evaluation WHERE ${sql} IS NULL) AS n`,
  );
  return Number(row?.n ?? 0);
}

async function compareTimes(
  engine: SqlEngine,
  { name, sql, numeric }: LeakColumn,
): Promise<{ rows: number; newest: string | null; oldest: string | null }> {
  // text with or without a zone, dates and timestamps become one instant in UTC; numbers stay numbers
  const moment = `TRY_CAST(${sql} AS ${numeric ? 'DOUBLE' : 'TIMESTAMPTZ'})`;
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
      message: `${plural(Number(row?.unreadable), 'row')} ${Number(row?.unreadable) === 1 ? 'has' : 'have'} no readable time in column ${JSON.stringify(name)}.`,
      where: '--time',
      fix: 'Name a column of times (ISO 8601 text, dates, timestamps or numbers) without missing values.',
    });
  }
  const text = (value: unknown) => (value === null || value === undefined ? null : String(value));
  return { rows: Number(row?.rows ?? 0), newest: text(row?.newest), oldest: text(row?.oldest) };
}

async function examples(engine: SqlEngine, key: LeakColumn | null): Promise<LeakageExample[]> {
  const kinds = key === null ? (['exact', 'near'] as const) : (['exact', 'near', 'key'] as const);
  const found: LeakageExample[] = [];
  for (const kind of kinds) {
    const told = key === null ? 'NULL' : `left(CAST(e.${key.sql} AS VARCHAR), 100)`;
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
