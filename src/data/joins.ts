import { UserError } from '../errors.ts';
import { identifier, type SqlEngine, type Value } from './engine.ts';
import { rawView } from './features.ts';

export interface JoinReport {
  from: string;
  to: string;
  rows: number;
  matched: number;
  /** Rows without a partner, those with a null among them. */
  lost: number;
  /** Values of `to` that stand in more than one row: a join multiplies rows there. */
  ambiguous: number;
  /** The most frequent values without a partner, with their rows. */
  examples: [Value, number][];
}

export interface JoinRequest {
  engine: SqlEngine;
  joins: readonly { from: string; to: string }[];
  /** Names of the sources that `computeFeatures` declared in this session. */
  sources: readonly string[];
}

/** What each declared join loses, over all rows of its sources. Throws `config_invalid`. */
export async function reportJoins({ engine, joins, sources }: JoinRequest): Promise<JoinReport[]> {
  const reports: JoinReport[] = [];
  for (const join of joins) {
    const from = await side(engine, join.from, sources);
    const to = await side(engine, join.to, sources);
    const partner = `EXISTS (SELECT 1 FROM ${to.view} t WHERE t.${to.column} = f.${from.column})`;
    const [count] = await engine.rows(
      `SELECT count(*) AS rows, count(*) FILTER (${partner}) AS matched FROM ${from.view} f`,
    );
    const [twice] = await engine.rows(
      `SELECT count(*) AS n FROM (SELECT ${to.column} FROM ${to.view} WHERE ${to.column} IS NOT NULL GROUP BY 1 HAVING count(*) > 1)`,
    );
    const examples = await engine.rows(
      `SELECT f.${from.column} AS value, count(*) AS n FROM ${from.view} f WHERE NOT ${partner}
       GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 5`,
    );
    const [rows, matched] = [Number(count?.rows), Number(count?.matched)];
    reports.push({
      ...join,
      rows,
      matched,
      lost: rows - matched,
      ambiguous: Number(twice?.n),
      examples: examples.map((row) => [row.value ?? null, Number(row.n)]),
    });
  }
  return reports;
}

async function side(engine: SqlEngine, text: string, sources: readonly string[]) {
  const [source = '', column = ''] = text.split('.');
  const view = identifier(rawView(source));
  const names = sources.includes(source)
    ? (await engine.describe(`SELECT * FROM ${view}`)).map(({ name }) => name)
    : [];
  if (names.includes(column)) return { view, column: identifier(column) };
  throw new UserError({
    code: 'config_invalid',
    message: `The join names ${text}, which is not there: ${sources.includes(source) ? `${source} has ${names.slice(0, 30).join(', ')}` : `the sources are ${sources.join(', ')}`}.`,
    where: { key: 'features.joins' },
    fix: 'Write source.column as in `data.sources`.',
  });
}
