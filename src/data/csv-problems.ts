import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream';
import { createGunzip, type Gunzip } from 'node:zlib';
import { hasCode } from '../errors.ts';

export interface CsvFile {
  file: string;
  gzip: boolean;
}

/** What is wrong with a CSV file, and what to do; both for people. */
export interface CsvProblem {
  message: string;
  fix: string;
}

const headBytes = 65_536;
/** A record that is longer than this is not looked into. */
const longestRecord = 1_048_576;

const [quote, comma, lineFeed, carriageReturn] = [0x22, 0x2c, 0x0a, 0x0d];
const separatorNames = { ';': 'semicolons', '\t': 'tabs', '|': 'vertical bars' };

/**
 * What the first bytes already show: another encoding, another separator, one name twice. A reader would take
 * such a file for a table of one column, or quietly rename. Null when nothing is seen.
 */
export async function headProblem(file: CsvFile): Promise<CsvProblem | null> {
  if (file.gzip && !(await unpacks(file))) {
    return { message: 'The gzip file is cut off or damaged.', fix: 'Fetch or write the file again.' };
  }
  const head = await readHead(file);
  if (head[0] === 0x1f && head[1] === 0x8b) {
    return { message: 'The file is packed by gzip.', fix: 'Name it .csv.gz, or unpack it.' };
  }
  const encoding = otherEncoding(head);
  if (encoding !== null) {
    return {
      message: `The file is ${encoding}, not UTF-8.`,
      fix: 'Write it as UTF-8 and try again.',
    };
  }
  const end = recordEnd(head);
  // a header longer than this is left to the reader
  if (end === null && head.length === headBytes) return null;
  const header = head.subarray(0, end ?? head.length);
  const separator = otherSeparator(header);
  if (separator !== null) {
    return {
      message: `The columns seem to be separated by ${separator}, and a comma was expected: the first line holds no comma.`,
      fix: 'Write the file with commas between the columns, and a point in decimal numbers.',
    };
  }
  if (!isUtf8(header)) return notUtf8({ row: null, line: 1 });
  const twice = doubledName(header);
  return twice === null
    ? null
    : {
        message: `The header names two columns ${JSON.stringify(twice.name.slice(0, 100))}: columns ${twice.first} and ${twice.second}.`,
        fix: 'Give each column a name of its own; letter case does not tell names apart.',
      };
}

/** Why a reader stumbled: bytes that are no UTF-8, a row with more or fewer values than the header, an open quote. */
export async function wholeProblem(file: CsvFile): Promise<CsvProblem | null> {
  let width = 0;
  for await (const { bytes, row, line, open } of records(file)) {
    if (!isUtf8(bytes)) return notUtf8({ row: row === 0 ? null : row, line });
    if (open) {
      return {
        message: `A quoted value that begins in row ${row} (line ${line}) is not closed.`,
        fix: 'Close it, or write a quote inside of a value twice.',
      };
    }
    const count = fieldsOf(bytes).length;
    if (row === 0) width = count;
    else if (count !== width && !(count === 1 && bytes.length === 0)) {
      return {
        message: `Row ${row} (line ${line}) has ${count} ${count === 1 ? 'value' : 'values'}, and the header names ${width} ${width === 1 ? 'column' : 'columns'}.`,
        fix: 'Write every row with as many values as the header; a value with a comma in it needs quotes.',
      };
    }
  }
  return null;
}

function notUtf8({ row, line }: { row: number | null; line: number }): CsvProblem {
  return {
    message: `The file is not UTF-8: ${row === null ? 'the header' : `row ${row}`} (line ${line}) holds other bytes, as Latin-1 or Windows-1252 writes them.`,
    fix: 'Write it as UTF-8 and try again.',
  };
}

/** UTF-16 and UTF-32 by their marks, or by the zeros that they put beside each letter of a header. */
function otherEncoding(head: Buffer): string | null {
  const starts = (...bytes: number[]) => bytes.every((byte, at) => head[at] === byte);
  if (starts(0xff, 0xfe, 0, 0) || starts(0, 0, 0xfe, 0xff)) return 'UTF-32';
  if (starts(0xff, 0xfe) || starts(0xfe, 0xff)) return 'UTF-16';
  const zero = (at: number) => at < head.length && head[at] === 0;
  if (zero(1) && zero(2) && zero(3)) return 'UTF-32';
  return (zero(1) && zero(3)) || (zero(0) && zero(2)) ? 'UTF-16' : null;
}

function otherSeparator(header: Buffer): string | null {
  const bare = header.toString('latin1').replace(/"[^"]*"/g, '');
  if (bare.includes(',')) return null;
  return Object.entries(separatorNames).find(([separator]) => bare.includes(separator))?.[1] ?? null;
}

function doubledName(header: Buffer): { name: string; first: number; second: number } | null {
  const seen = new Map<string, number>();
  const mark = header.indexOf('\ufeff') === 0 ? 3 : 0;
  for (const [index, field] of fieldsOf(header.subarray(mark)).entries()) {
    const name = field
      .toString('utf8')
      .replace(/^"(.*)"$/s, '$1')
      .replaceAll('""', '"');
    const first = seen.get(name.toLowerCase());
    // columns without a name are numbered by the reader
    if (first !== undefined && name !== '') return { name, first, second: index + 1 };
    seen.set(name.toLowerCase(), index + 1);
  }
  return null;
}

/** The fields of one record, as they stand there. */
function fieldsOf(record: Buffer): Buffer[] {
  const fields: Buffer[] = [];
  let start = 0;
  let quoted = false;
  for (let at = 0; at < record.length; at++) {
    if (record[at] === quote) quoted = !quoted;
    else if (record[at] === comma && !quoted) {
      fields.push(record.subarray(start, at));
      start = at + 1;
    }
  }
  fields.push(record.subarray(start));
  return fields;
}

interface CsvRecord {
  bytes: Buffer;
  /** 0 is the header, 1 the first row of data. Empty lines are none. */
  row: number;
  /** The line it begins in, from 1. */
  line: number;
  /** Whether the file ends inside of a quoted value. */
  open: boolean;
}

/** The records of a file, with bounded memory; ends early at a record that is too long. */
async function* records(file: CsvFile): AsyncGenerator<CsvRecord> {
  let rest: Buffer = Buffer.alloc(0);
  let row = 0;
  let line = 1;
  for await (const chunk of bytesOf(file)) {
    let whole = Buffer.concat([rest, chunk]);
    for (let end = recordEnd(whole); end !== null; end = recordEnd(whole)) {
      const bytes = whole.subarray(0, end > 0 && whole[end - 1] === carriageReturn ? end - 1 : end);
      if (bytes.length > 0) yield { bytes, row: row++, line, open: false };
      line += linesIn(whole.subarray(0, end + 1));
      whole = whole.subarray(end + 1);
    }
    rest = whole;
    if (rest.length > longestRecord) break;
  }
  if (rest.length > 0) yield { bytes: rest, row, line, open: isOpen(rest) };
}

/** Where the first record ends: at a line feed outside of quotes. */
function recordEnd(bytes: Buffer): number | null {
  let quoted = false;
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] === quote) quoted = !quoted;
    else if (bytes[at] === lineFeed && !quoted) return at;
  }
  return null;
}

const linesIn = (bytes: Buffer): number => bytes.reduce((sum, byte) => sum + (byte === lineFeed ? 1 : 0), 0);
const isOpen = (bytes: Buffer): boolean =>
  bytes.reduce((sum, byte) => sum + (byte === quote ? 1 : 0), 0) % 2 === 1;

/** A reader takes what is left of a cut file for all of it. */
async function unpacks(file: CsvFile): Promise<boolean> {
  try {
    for await (const _ of bytesOf(file));
    return true;
  } catch (error) {
    if (hasCode(error, 'Z_BUF_ERROR') || hasCode(error, 'Z_DATA_ERROR')) return false;
    throw error;
  }
}

async function readHead(file: CsvFile): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of bytesOf(file)) {
    parts.push(chunk);
    size += chunk.length;
    if (size >= headBytes) break;
  }
  return Buffer.concat(parts).subarray(0, headBytes);
}

async function* bytesOf({ file, gzip }: CsvFile): AsyncGenerator<Buffer> {
  const source = createReadStream(file);
  if (!gzip) return yield* source;
  // errors of either end both, and so does leaving early
  const unpacked = pipeline(source, createGunzip(), () => {}) as Gunzip;
  yield* unpacked;
}
