import type { CsvFile } from './csv-problems.ts';
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

/**
 * DuckDB's call that reads a CSV file, with the types that were found in it. They are looked for once, here: a view
 * over a reader that looks itself does so again in each statement. Where nothing can be found, the reader is left to
 * look and says what is wrong.
 */
export async function csvReader(csv: CsvFile, rows: (sql: string) => Promise<Row[]>): Promise<string> {
  const options = dialect(csv);
  const [found] = await rows(`SELECT * FROM sniff_csv(${literal(csv.file)}, ${options}, ${wholeFile})`).catch(
    () => [],
  );
  const known = found === undefined ? [wholeFile] : foundOptions(found);
  return `read_csv(${[literal(csv.file), options, ...known].join(', ')})`;
}

function foundOptions({ Columns, NewLineDelimiter, DateFormat, TimestampFormat }: Row): string[] {
  const columns = JSON.parse(String(Columns)) as { name: string; type: string }[];
  const option = (name: string, value: Row[string] | undefined) =>
    typeof value === 'string' ? [`${name} = ${literal(value)}`] : [];
  return [
    'auto_detect = false',
    `columns = {${columns.map(({ name, type }) => `${literal(name)}: ${literal(type)}`).join(', ')}}`,
    ...(/^(\\r)?(\\n)?$/.test(String(NewLineDelimiter)) ? option('new_line', NewLineDelimiter) : []),
    ...option('dateformat', DateFormat),
    ...option('timestampformat', TimestampFormat),
  ];
}
