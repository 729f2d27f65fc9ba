import { identifier, literal, type SqlEngine } from '../data/engine.ts';
import { type FeatureType, featureSql } from './feature-columns.ts';
import type { ParityKind } from './parity.ts';

/** Column that numbers the parity rows from 0; no feature may have its name. */
export const parityRow = 'modelgate_parity_row';

/** A text that no data hold: what a category that training never saw looks like. */
const unseenCategory = 'modelgate: unseen category \u2603';

/**
 * Writes the rows on which the exported model is compared with the trained one: `rows` rows of the split,
 * drawn by a hash of key and seed (again and again from its beginning when there are fewer), then copies of a
 * tenth of them with unseen categories, then copies with nulls: in each single column by turns, and in all
 * at once. Columns: `modelgate_parity_row` and the features, as VARCHAR or DOUBLE.
 *
 * @param views views with key and features, e.g. train and validation
 * @returns how many rows of each kind were written, in their order
 */
export async function writeParityRows(request: {
  engine: SqlEngine;
  views: readonly string[];
  key: string;
  features: readonly FeatureType[];
  rows: number;
  seed: number;
  file: string;
}): Promise<{ kind: ParityKind; rows: number }[]> {
  const { engine, views, features, rows } = request;
  const key = `CAST(${identifier(request.key)} AS VARCHAR)`;
  const pool = views
    .map(
      (view) => `SELECT ${key} AS drawn_by, ${features.map(featureSql).join(', ')} FROM ${identifier(view)}`,
    )
    .join(' UNION ALL ');
  const names = features.map(({ name }) => identifier(name));
  const order = `md5(${literal(`${request.seed}:`)} || coalesce(drawn_by, '')), drawn_by, ${names.join(', ')}`;
  await engine.execute(
    `CREATE OR REPLACE TEMP TABLE modelgate_parity_pool AS
     SELECT row_number() OVER (ORDER BY ${order}) - 1 AS drawn, ${names.join(', ')} FROM (${pool})
     QUALIFY drawn < ${rows}`,
  );
  const strings = features.filter(({ type }) => type === 'string').map(({ name }) => name);
  const copies = Math.ceil(rows / 10);
  const kinds: { kind: ParityKind; rows: number }[] = [
    { kind: 'plain', rows },
    { kind: 'unseen', rows: strings.length === 0 ? 0 : copies },
    { kind: 'null', rows: copies },
  ];
  const all = features.map(({ name }) => name);
  const selects: string[] = [];
  let first = 0;
  for (const { kind, rows: count } of kinds) {
    const changed = kind === 'plain' ? [] : kind === 'unseen' ? strings : all;
    const columns = features.map(({ name }) => {
      const turn = changed.indexOf(name);
      if (turn < 0) return identifier(name);
      const turns = changed.length + 1; // the last turn changes all
      const replacement = kind === 'unseen' ? literal(unseenCategory) : 'NULL';
      return `CASE WHEN i % ${turns} IN (${turn}, ${changed.length}) THEN ${replacement} ELSE ${identifier(name)} END AS ${identifier(name)}`;
    });
    selects.push(
      `SELECT i + ${first} AS ${identifier(parityRow)}, ${columns.join(', ')} FROM range(${count}) AS copies(i)
       JOIN modelgate_parity_pool ON drawn = i % (SELECT count(*) FROM modelgate_parity_pool)`,
    );
    first += count;
  }
  await engine.writeParquet(`${selects.join(' UNION ALL ')} ORDER BY ${identifier(parityRow)}`, request.file);
  await engine.execute('DROP TABLE modelgate_parity_pool');
  return kinds;
}
