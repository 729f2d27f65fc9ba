import { ambiguousDates, type CsvColumn } from './csv-dates.ts';
import type { CsvFile, CsvProblem } from './csv-problems.ts';
import { literal, type Row } from './engine.ts';

/**
 * All of the dialect is given: left to guess, the reader takes lines that begin with # for comments and a short
 * header for a title, and drops them.
 */
function dialect({ gzip }: CsvFile): string {
  return `header = true, delim = ',', quote = '"', escape = '"', comment = '', skip = 0, compression = '${gzip ? 'gzip' : 'none'}', allow_quoted_nulls = false`;
}

/** The whole file is looked at for its types, so that they do not depend on the first rows. */
const wholeFile = 'sample_size = -1';

/** A call that reads a file, or why its values cannot be known. */
export type CsvReading = { reader: string } | { problem: CsvProblem };

/**
 * DuckDB's call that reads a CSV file, with the types that were found in it. They are looked for once, here: a view
 * over a reader that looks itself does so again in each statement. Where nothing can be found, the reader is left to
 * look and says what is wrong.
 */
export async function csvReader(csv: CsvFile, rows: (sql: string) => Promise<Row[]>): Promise<CsvReading> {
  const options = dialect(csv);
  const call = (more: readonly string[]) => `read_csv(${[literal(csv.file), options, ...more].join(', ')})`;
  const [found] = await rows(`SELECT * FROM sniff_csv(${literal(csv.file)}, ${options}, ${wholeFile})`).catch(
    () => [],
  );
  if (found === undefined) return { reader: call([wholeFile]) };
  const columns = JSON.parse(String(found.Columns)) as CsvColumn[];
  const texts = columns.map(({ name }) => ({ name, type: 'VARCHAR' }));
  const dates = { columns, formats: { DATE: found.DateFormat, TIMESTAMP: found.TimestampFormat } };
  const problem = await ambiguousDates({ ...dates, texts: call(foundOptions(found, texts)) }, rows);
  return problem === null ? { reader: call(foundOptions(found, columns)) } : { problem };
}

function columnTypes(columns: readonly CsvColumn[]): string {
  return columns.map(({ name, type }) => `${literal(name)}: ${literal(type)}`).join(', ');
}

function foundOptions(
  { NewLineDelimiter, DateFormat, TimestampFormat }: Row,
  columns: readonly CsvColumn[],
): string[] {
  const option = (name: string, value: Row[string] | undefined) =>
    typeof value === 'string' ? [`${name} = ${literal(value)}`] : [];
  return [
    'auto_detect = false',
    `columns = {${columnTypes(columns)}}`,
    ...(/^(\\r)?(\\n)?$/.test(String(NewLineDelimiter)) ? option('new_line', NewLineDelimiter) : []),
    ...option('dateformat', DateFormat),
    ...option('timestampformat', TimestampFormat),
  ];
}
