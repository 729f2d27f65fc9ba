import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { DuckDBConnection } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CsvFile } from '../../src/data/csv-problems.ts';
import { csvReader } from '../../src/data/csv-reader.ts';
import { importDuckDb } from '../../src/data/duckdb-library.ts';
import { toRow } from '../../src/data/duckdb-values.ts';
import { literal } from '../../src/data/engine.ts';

let folder: string;
let connection: DuckDBConnection;
let close: () => void;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'csv-reader-'));
  const {
    library: { DuckDBInstance },
  } = await importDuckDb();
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' });
  connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  close = () => {
    connection.closeSync();
    instance.closeSync();
  };
});
afterAll(async () => {
  close();
  await rm(folder, { recursive: true, force: true });
});

const rows = async (sql: string) =>
  (await connection.runAndReadAll(sql)).getRowObjectsJS().map((row) => toRow(row));

/** Columns and rows that a reader gives, or what it says. */
async function read(reader: string): Promise<unknown> {
  try {
    return [await rows(`DESCRIBE SELECT * FROM ${reader}`), await rows(`SELECT * FROM ${reader}`)];
  } catch (error) {
    return String(error).split('\n')[0];
  }
}

async function readerOf(csv: CsvFile): Promise<string> {
  const reading = await csvReader(csv, rows);
  return 'reader' in reading ? reading.reader : reading.problem.message;
}

const readable: Record<string, string> = {
  'line feeds': 'a,b\n1,x\n2,y\n',
  'carriage returns': 'a,b\r1,x\r2,y\r',
  both: 'a,b\r\n1,x\r\n2,y\r\n',
  'no last line end': 'a,b\n1,x\n2,y',
  'a header alone': 'a,b\n',
  'one column with empty lines': 'a\n1\n\n2\n',
  'a byte order mark': '\ufeffa,b\n1,x\n',
  'ISO dates': 'd,t\n2020-01-02,2020-01-02T03:04:05Z\n2020-02-28,2020-01-02T03:04:05.123Z\n',
  'times with an offset': 't\n2020-01-01 00:00:00+00\n2020-06-01 00:00:00-05\n',
  'the day first': 'd,t\n31/12/2020,31/12/2020 10:00:00\n01/02/2020,01/02/2020 11:00:00\n',
  'the month first, twelve hours': 't\n12/31/2020 10:00:00 PM\n01/02/2020 11:00:00 AM\n',
  'dates that are none': 'd\n2020-01-02\n2020-02-30\n',
  'quoted empties': 'a,b\n"",1\nx,\n,3\n',
  'quotes, commas and lines in values': 'a,b\n"he said ""x"", twice",1\n"line\nbreak",2\n',
  'quoted names': '"a b","c""d","e\'f",\n1,2,3,4\n',
  'no value at all': 'a,b\n,1\n,2\n',
  'numbers beyond 64 bits': 'a,b\n9223372036854775808,9007199254740993\n1,1\n',
  'leading zeros, underscores, infinity': 'a,b,c\n007,1_000,inf\n008,2,nan\n',
  'truth in two ways': 'a,b\ntrue,t\nfalse,f\n',
  'another type in the last row': `a\n${'1\n'.repeat(30_000)}x\n`,
  'a hash before the header': '#a,b\n#1,2\n3,4\n',
  'names in other scripts': 'größe,名\n1,ä\n',
};

it.each(Object.entries(readable))('types are looked for once and found as ever: %s', async (_, text) => {
  for (const gzip of [false, true]) {
    const file = path.join(folder, gzip ? 'table.csv.gz' : 'table.csv');
    await writeFile(file, gzip ? gzipSync(text) : text);
    const reader = await readerOf({ file, gzip });
    expect(reader).toContain('auto_detect = false');
    const looking = `header = true, delim = ',', quote = '"', escape = '"', comment = '', skip = 0, allow_quoted_nulls = false, sample_size = -1, compression = '${gzip ? 'gzip' : 'none'}'`;
    expect(await read(reader)).toEqual(await read(`read_csv(${literal(file)}, ${looking})`));
  }
});

it('what cannot be looked into is left to the reader, which says what is wrong', async () => {
  const file = path.join(folder, 'ragged.csv');
  await writeFile(file, 'a,b\n1,2,3\n4,5\n');
  const reader = await readerOf({ file, gzip: false });
  expect(reader).toContain('sample_size = -1');
  expect(await read(reader)).toMatch(/sniffing/);
});

it.each([
  ['d\n04/01/2024\n05/01/2024\n12/12/2024\n', '05/01/2024|04/01/2024'],
  ['x,d\n1,04-01-2024\n2,\n', '04-01-2024'],
  ['d,x\r04/01/2024,1\r', '04/01/2024'],
  ['when it was\n04/01/2024 10:00:00\n04/04/2024 11:00:00\n', '04/01/2024 10:00:00'],
])('dates that could have the day or the month first are refused: %j', async (text, example) => {
  const file = path.join(folder, 'dates.csv');
  await writeFile(file, text);
  expect(await readerOf({ file, gzip: false })).toMatch(
    new RegExp(`day first or with the month first, for example (${example})\\.$`),
  );
});

it.each([
  'd\n04/13/2024\n05/01/2024\n', // the month first
  'd\n04.01.2024\n', // nobody writes the month first with points
  'd\n2024/04/01\n',
  'd\n04/04/2024\n', // the same either way
  'c,d\n04/21/2024,04/01/2024\n', // one column says it of the other
])('dates that can be read in one way are read: %j', async (text) => {
  const file = path.join(folder, 'dates.csv');
  await writeFile(file, text);
  expect(await readerOf({ file, gzip: false })).toContain('dateformat');
});
