import { type Column, identifier, type SqlEngine } from '../data/engine.ts';
import { UserError } from '../errors.ts';
import { suggest } from '../suggest.ts';
import { comparablePair } from './comparable-columns.ts';

/** A column of leak_train and leak_evaluation: the same type in both, under a name of ours. */
export interface LeakColumn {
  /** As the data call it. */
  name: string;
  sql: string;
  /** Holds numbers, perhaps as text. */
  numeric: boolean;
  whole: boolean;
  text: boolean;
}

/** Numbers the rows of both tables from 1, in the order of the files. */
export const rowNumber = 'row_number';

/**
 * Declares leak_train and leak_evaluation: their rows numbered, and the columns that both have in comparable types.
 * Throws `usage` for tables that share no column, or lack the one that key or time name.
 */
export async function declareTables(
  engine: SqlEngine,
  question: { train: string; evaluation: string; key: string | null; time: string | null },
): Promise<{ columns: LeakColumn[]; incomparable: string[] }> {
  const train = await engine.describe(`SELECT * FROM ${identifier(question.train)}`);
  const evaluation = await engine.describe(`SELECT * FROM ${identifier(question.evaluation)}`);
  const shared = evaluation.flatMap((column) => {
    const other = train.find((one) => one.name === column.name);
    return other === undefined ? [] : [{ name: column.name, pair: comparablePair(other, column), column }];
  });
  if (shared.length === 0) throw nothingShared(train, evaluation);
  if (question.key !== null) requireColumn(question.key, { flag: 'key', train, evaluation });
  if (question.time !== null) requireColumn(question.time, { flag: 'time', train, evaluation });
  const columns: LeakColumn[] = [];
  const incomparable: string[] = [];
  const selected = { train: [] as string[], evaluation: [] as string[] };
  for (const { name, pair, column } of shared) {
    if (
      pair === null ||
      (pair.reads !== null && (await readsNothing(engine, { question, name, pair: pair.reads })))
    ) {
      incomparable.push(name);
      continue;
    }
    const sql = `c${columns.length}`;
    selected.train.push(`${pair.train} AS ${sql}`);
    selected.evaluation.push(`${pair.evaluation} AS ${sql}`);
    columns.push({ name, sql, numeric: pair.numeric, whole: pair.whole, text: column.type === 'string' });
  }
  for (const side of ['train', 'evaluation'] as const) {
    await engine.execute(
      `CREATE OR REPLACE TEMP TABLE leak_${side} AS
       SELECT ${['row_number() OVER () AS row_number', ...selected[side]].join(', ')} FROM ${identifier(question[side])}`,
    );
  }
  return { columns, incomparable };
}

/** Whether there is text, and none of it reads as the other table's type. */
async function readsNothing(
  engine: SqlEngine,
  input: {
    question: { train: string; evaluation: string };
    name: string;
    pair: { side: 'train' | 'evaluation'; sql: string };
  },
): Promise<boolean> {
  const { question, name, pair } = input;
  const [row] = await engine.rows(
    `SELECT count(${identifier(name)}) AS texts, count(*) FILTER (WHERE ${pair.sql}) AS read FROM ${identifier(question[pair.side])}`,
  );
  return Number(row?.texts ?? 0) > 0 && Number(row?.read ?? 0) === 0;
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
