import { type Column, identifier, type SqlEngine } from '../data/engine.ts';
import { columnKind } from './chosen-columns.ts';

/** A quoted relation and its columns. */
interface Table {
  relation: string;
  columns: readonly Column[];
}

const sqlTypes: Partial<Record<Column['type'], string>> = {
  boolean: 'BOOLEAN',
  string: 'VARCHAR',
  integer: 'BIGINT',
  number: 'DOUBLE',
  timestamp: 'TIMESTAMP',
  date: 'DATE',
};

/**
 * A table whose columns without any value have the types that they have in the other one. A file tells no type where
 * it holds no value: a reader of CSV takes such a column for texts, pandas writes it as whole numbers.
 */
export async function typedLike(engine: SqlEngine, table: Table, other: readonly Column[]): Promise<Table> {
  const known = new Map(other.map((column) => [column.name, column]));
  const differing = table.columns.filter((column) => {
    const wanted = known.get(column.name);
    return wanted !== undefined && wanted.type in sqlTypes && columnKind(wanted) !== columnKind(column);
  });
  if (differing.length === 0) return table;
  const counts = differing.map(({ name }, i) => `CAST(count(${identifier(name)}) AS DOUBLE) AS c${i}`);
  const [values] = await engine.rows(`SELECT ${counts.join(', ')} FROM ${table.relation}`);
  const types = new Map(
    differing.filter((_, i) => values?.[`c${i}`] === 0).map(({ name }) => [name, known.get(name)?.type]),
  );
  if (types.size === 0) return table;
  const typed = Array.from(types, ([name, type]) => {
    return `CAST(NULL AS ${sqlTypes[type as Column['type']]}) AS ${identifier(name)}`;
  });
  return {
    relation: `(SELECT * REPLACE (${typed.join(', ')}) FROM ${table.relation})`,
    columns: table.columns.map((column) => {
      const type = types.get(column.name);
      return type === undefined ? column : { ...column, type };
    }),
  };
}
