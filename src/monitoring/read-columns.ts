import type { SqlEngine } from '../data/engine.ts';
import { readCategorical } from './categorical-columns.ts';
import type { ColumnData } from './column-data.ts';
import { readNumeric } from './numeric-columns.ts';
import type { ColumnKind, TablePair } from './tables.ts';

/** Columns that are read in one statement. */
const columnsTogether = 8;

/**
 * Reads the columns of both tables, numbers first, a few at a time: more of them in one query where the tables are
 * small. Values come in batches; no row is an object. The arrays of a numeric column are used again for the next ones:
 * what is yielded holds until the next is asked for.
 */
export async function* readColumns(engine: SqlEngine, pair: TablePair): AsyncGenerator<ColumnData> {
  const named = (kind: ColumnKind) => pair.columns.filter((one) => one.kind === kind).map(({ name }) => name);
  yield* readNumeric(engine, pair, { names: named('numeric'), together: columnsTogether });
  const categories = named('categorical');
  for (let from = 0; from < categories.length; from += columnsTogether)
    yield* await readCategorical(engine, pair, categories.slice(from, from + columnsTogether));
}
