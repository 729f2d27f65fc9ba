import { UserError } from '../errors.ts';
import { canonicalJson, type Digest, parseJson, sha256 } from '../json.ts';
import { LogEntry } from './entries.ts';

/** An entry may be this long, in bytes (a mark of garbage collection names up to 100,000 objects). */
export const entryLimit = 8_000_000;

/** An entry in its place: `head` is the sha256 of its bytes, the next entry's `prev`. */
export interface Placed {
  entry: LogEntry;
  head: Digest;
}

export function encodeEntry(entry: LogEntry): { bytes: Buffer; head: Digest } {
  const bytes = Buffer.from(canonicalJson(LogEntry.parse(entry)));
  return { bytes, head: sha256(bytes) };
}

/**
 * Parses an entry's bytes. Only canonical JSON with known members is an entry, so no two byte strings mean
 * the same and nothing in it goes unseen. Throws `log_damaged`.
 */
export function decodeEntry(bytes: Buffer, where: string): Placed {
  let entry: LogEntry;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    entry = LogEntry.parse(parseJson(text, entryLimit));
    if (canonicalJson(entry) !== text) throw new SyntaxError('not in canonical form');
  } catch (error) {
    throw logDamaged('A log entry is not one that this version can read.', where, error);
  }
  return { entry, head: sha256(bytes) };
}

/** Whether `next` follows directly on an entry number `seq` with this hash. */
export function follows(previous: { seq: number; head: Digest | null }, next: Placed): boolean {
  return next.entry.seq === previous.seq + 1 && next.entry.prev === previous.head;
}

export function logDamaged(message: string, where: string, cause?: unknown): UserError {
  return new UserError({
    code: 'log_damaged',
    message,
    where,
    fix: 'Run `modelgate registry verify`; restore the entry from a copy of the store, never edit it.',
    cause,
  });
}
