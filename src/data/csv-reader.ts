import type { CsvFile, CsvProblem } from './csv-problems.ts';
import { identifier, literal, type Row } from './engine.ts';

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
  const file = literal(csv.file);
  const [found] = await rows(`SELECT * FROM sniff_csv(${file}, ${options}, ${wholeFile})`).catch(() => []);
  if (found === undefined) return { reader: `read_csv(${[file, options, wholeFile].join(', ')})` };
  const columns = JSON.parse(String(found.Columns)) as CsvColumn[];
  const texts = `read_csv(${file}, ${options}, all_varchar = true, auto_detect = false, columns = {${columnTypes(columns.map(({ name }) => ({ name, type: 'VARCHAR' })))}})`;
  for (const [type, format] of [
    ['DATE', found.DateFormat],
    ['TIMESTAMP', found.TimestampFormat],
  ] as const) {
    const swapped = swappedFormat(format);
    if (swapped === null) continue;
    const dates = columns.filter((column) => column.type === type);
    for (const { name } of dates) {
      const problem = await ambiguity({ name, texts, format: String(format), swapped }, rows);
      if (problem !== null) return { problem };
    }
  }
  const call = [file, options, ...foundOptions(found, columns)].join(', ');
  return { reader: `read_csv(${call})` };
}

interface CsvColumn {
  name: string;
  type: string;
}

/** The format with day and month changed; null where nobody could take one for the other (2024-01-31, 31.01.2024). */
function swappedFormat(format: Row[string] | undefined): string | null {
  if (typeof format !== 'string' || !/^%[dm][/-]%[dm][/-]%y/i.test(format)) return null;
  return format.replace(/%[dm]/g, (part) => (part === '%d' ? '%m' : '%d'));
}

/**
 * 04/01/2024 is in April or in January. The reader takes what all values of a file allow, and where both do, a guess:
 * of two files that are compared, one would silently have its months for days.
 */
async function ambiguity(
  { name, texts, format, swapped }: { name: string; texts: string; format: string; swapped: string },
  rows: (sql: string) => Promise<Row[]>,
): Promise<CsvProblem | null> {
  const value = identifier(name);
  const as = (one: string) => `try_strptime(${value}, ${literal(one)})`;
  const [counted] = await rows(
    `SELECT CAST(count(*) FILTER (${as(swapped)} IS NULL) AS DOUBLE) AS n,
       any_value(${value}) FILTER (${as(swapped)} <> ${as(format)}) AS example
     FROM ${texts} WHERE ${as(format)} IS NOT NULL`,
  );
  const example = counted?.example;
  if (counted?.n !== 0 || typeof example !== 'string') return null;
  return {
    message: `The dates of ${JSON.stringify(name.slice(0, 100))} can be read with the day first or with the month first, for example ${example}.`,
    fix: 'Write dates with the year first, as 2024-01-31, or the file as Parquet.',
  };
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
