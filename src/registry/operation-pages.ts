import { createHash } from 'node:crypto';
import type { Digest } from '../json.ts';
import { keys } from '../store/keys.ts';
import type { Storage } from '../store/storage.ts';

/** Names of an index's pages: an operation is on the one with the first hexadecimal digit of its id's sha256. */
export const pageNames = [...'0123456789abcdef'];

/** Of a record: 16 bytes of the id's sha256, then the entry's number in 6 bytes. Sorted by the former. */
const hashBytes = 16;
export const recordBytes = hashBytes + 6;
/** Of a page: its sha256, its kind, the last entry's number, the last entry's sha256; then the records. */
const magic = Buffer.from('mg-ops/1');
const headerBytes = 32 + magic.length + 6 + 32;
const pageLimit = 256_000_000;

export interface Page {
  /** Holds the page's operations of all entries up to this one. */
  last: number;
  /** sha256 of that entry's bytes. */
  head: Digest;
  records: Buffer;
}

/** A record, before it has its place in a page. */
export function encodeOperation(op_id: string, seq: number): { page: string; record: Buffer } {
  const record = Buffer.alloc(recordBytes);
  const hash = createHash('sha256').update(op_id).digest();
  hash.copy(record, 0, 0, hashBytes);
  record.writeUIntBE(seq, hashBytes, 6);
  return { page: pageNames[(hash[0] ?? 0) >> 4]!, record };
}

export const seqOf = (record: Buffer): number => record.readUIntBE(hashBytes, 6);
export const sameOperation = (a: Buffer, b: Buffer): boolean =>
  a.compare(b, 0, hashBytes, 0, hashBytes) === 0;

/** A stored page, or null when there is none or it is damaged. */
export async function readPage(storage: Storage, model: string, name: string): Promise<Page | null> {
  const bytes = await storage.read(keys.operations(model, name), pageLimit).catch(() => null);
  if (bytes === null || bytes.length < headerBytes || (bytes.length - headerBytes) % recordBytes !== 0) {
    return null;
  }
  const sealed = bytes.subarray(32);
  if (!bytes.subarray(0, 32).equals(createHash('sha256').update(sealed).digest())) return null;
  if (!sealed.subarray(0, magic.length).equals(magic)) return null;
  const last = sealed.readUIntBE(magic.length, 6);
  const head = sealed.subarray(magic.length + 6, magic.length + 38).toString('hex');
  return last < 1 ? null : { last, head, records: bytes.subarray(headerBytes) };
}

export function encodePage({ last, head, records }: Page): Buffer {
  const number = Buffer.alloc(6);
  number.writeUIntBE(last, 0, 6);
  const sealed = Buffer.concat([magic, number, Buffer.from(head, 'hex'), records]);
  return Buffer.concat([createHash('sha256').update(sealed).digest(), sealed]);
}

/** The page's records with others added, which may be in any order. */
export function mergeRecords(records: Buffer, added: readonly Buffer[]): Buffer {
  const fresh = added.toSorted((a, b) => a.compare(b));
  const parts: Buffer[] = [];
  let from = 0;
  for (const record of fresh) {
    const until = place(records, record);
    parts.push(records.subarray(from, until), record);
    from = until;
  }
  return Buffer.concat([...parts, records.subarray(from)]);
}

/** The number of the entry that an operation made, or null. */
export function searchRecords(records: Buffer, operation: Buffer): number | null {
  const at = place(records, operation);
  const found = records.subarray(at, at + recordBytes);
  return found.length > 0 && sameOperation(found, operation) ? seqOf(found) : null;
}

/** Offset of the first record that is not before this one's hash. */
function place(records: Buffer, operation: Buffer): number {
  let low = 0;
  let high = records.length / recordBytes;
  while (low < high) {
    const middle = (low + high) >> 1;
    const at = middle * recordBytes;
    if (operation.compare(records, at, at + hashBytes, 0, hashBytes) > 0) low = middle + 1;
    else high = middle;
  }
  return low * recordBytes;
}
