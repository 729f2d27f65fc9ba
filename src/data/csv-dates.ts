import type { CsvProblem } from './csv-problems.ts';
import { identifier, literal, type Row } from './engine.ts';

export interface CsvColumn {
  name: string;
  type: string;
}

/** Formats that were found for the dates and the times of a file; null or empty where the reader's own are meant. */
export type DateFormats = Record<'DATE' | 'TIMESTAMP', Row[string] | undefined>;

/**
 * 04/01/2024 is in April or in January. The reader takes what all values of a file allow, and where both do, a guess:
 * of two files that are compared, one would silently have its months for days. Null where a date settles it.
 *
 * @param texts SQL that reads the file with all columns as texts
 */
export async function ambiguousDates(
  { columns, formats, texts }: { columns: readonly CsvColumn[]; formats: DateFormats; texts: string },
  rows: (sql: string) => Promise<Row[]>,
): Promise<CsvProblem | null> {
  let problem: CsvProblem | null = null;
  for (const { name, type } of columns) {
    const format = type === 'DATE' || type === 'TIMESTAMP' ? formats[type] : null;
    const swapped = swappedFormat(format);
    if (swapped === null) continue;
    const as = (one: string) => `try_strptime(${identifier(name)}, ${literal(one)})`;
    const [counted] = await rows(
      `SELECT CAST(count(*) FILTER (${as(swapped)} IS NULL) AS DOUBLE) AS settled,
         any_value(${identifier(name)}) FILTER (${as(swapped)} <> ${as(String(format))}) AS example
       FROM ${texts} WHERE ${as(String(format))} IS NOT NULL`,
      // what cannot be read is told by who reads it
    ).catch(() => []);
    if (counted?.settled !== 0) return null;
    if (typeof counted.example === 'string') problem ??= problemOf(name, counted.example);
  }
  return problem;
}

/** The format with day and month changed; null where nobody takes one for the other (2024-01-31, 31.01.2024). */
function swappedFormat(format: Row[string] | undefined): string | null {
  if (typeof format !== 'string' || !/^%[dm][/-]%[dm][/-]%y/i.test(format)) return null;
  return format.replace(/%[dm]/g, (part) => (part === '%d' ? '%m' : '%d'));
}

const problemOf = (name: string, example: string): CsvProblem => ({
  message: `The dates of ${JSON.stringify(name.slice(0, 100))} can be read with the day first or with the month first, for example ${example.slice(0, 100)}.`,
  fix: 'Write dates with the year first, as 2024-01-31, or the file as Parquet.',
});
