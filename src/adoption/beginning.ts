import { createReadStream } from 'node:fs';
import { stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createGunzip } from 'node:zlib';

/** Larger data files are looked at in part: their whole would be read for minutes before the first answer. */
export const wholeBytes = 256 * 1024 * 1024;
export const beginningBytes = 16 * 1024 * 1024;
/** Rows of a large Parquet file that are looked at. */
export const beginningRows = 200_000;

export interface Looked {
  file: string;
  sampled: boolean;
}

/**
 * A file that can be read whole at once: the file itself, or a copy of the first complete lines of a large CSV file.
 * A large Parquet file is given as it is, to be read by `beginningRows`.
 */
export async function beginningOf(
  file: string,
  { folder, limit = wholeBytes, take = beginningBytes }: { folder: string; limit?: number; take?: number },
): Promise<Looked> {
  const { size } = await stat(file);
  const gzip = /\.gz$/i.test(file);
  // a packed text of this size is several times as long
  if (size <= (gzip ? limit / 8 : limit)) return { file, sampled: false };
  if (!/\.csv(\.gz)?$/i.test(file)) return { file, sampled: true };
  const target = path.join(folder, 'beginning.csv');
  const packed = createReadStream(file);
  const text = gzip ? packed.pipe(createGunzip()) : packed;
  packed.on('error', (error) => text.destroy(error));
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of text as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= take) break;
  }
  packed.destroy();
  const beginning = Buffer.concat(chunks).subarray(0, take);
  await writeFile(target, beginning.subarray(0, lastLine(beginning)));
  return { file: target, sampled: true };
}

/** The end of the last line that ends outside of quotes. */
function lastLine(bytes: Buffer): number {
  let quoted = false;
  let end = 0;
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] === 0x22) quoted = !quoted;
    else if (bytes[at] === 0x0a && !quoted) end = at + 1;
  }
  return end;
}
