import { type Digest, sha256 } from '../json.ts';
import { keys, storeLog } from '../store/keys.ts';
import type { Storage } from '../store/storage.ts';
import {
  checkpointKey,
  checkpointStands,
  type Hint,
  readCheckpoint,
  stateDigest,
  stateSize,
} from './caches.ts';
import { decodeEntry, entryLimit, type Placed } from './chain.ts';
import { type LogEntry, manifestsOf } from './entries.ts';
import { type Findings, reasonOf } from './findings.ts';
import { Folding } from './fold.ts';
import { emptyState, type ModelState } from './state.ts';
import { brokenRule } from './verify-moves.ts';
import { OperationIds } from './verify-operations.ts';
import { readAhead } from './verify-read.ts';
import { StoreLogFolding } from './verify-store-log.ts';

export interface LogReport {
  /** The newest entry's number; 0 for an empty log. */
  last: number;
  bytes: number;
  /** sha256 of each entry's bytes as they are, by number. */
  hashes: Map<number, Digest>;
  /** Digests of manifests that sound entries name. */
  roots: Set<Digest>;
  /** The hint names an entry beyond the log's end: entries that were there are gone. */
  truncated: boolean;
  /** The hint says another hash of the newest entry, which no later `prev` covers yet. */
  contested: boolean;
}

/**
 * Reads a whole log and checks every entry's form, the chain, the rules of the fold and of moves, and its caches. `seqs`
 * are the numbers that a listing showed; `hint` was read before it.
 */
export async function verifyLog(
  storage: Storage,
  model: string,
  seqs: readonly number[],
  hint: Hint | null,
  findings: Findings,
): Promise<LogReport> {
  const ordered = seqs.toSorted((a, b) => a - b);
  const last = ordered.at(-1) ?? 0;
  const report: LogReport = {
    last,
    bytes: 0,
    hashes: new Map(),
    roots: new Set(),
    truncated: false,
    contested: false,
  };
  const ofStore = model === storeLog;
  let folding: Folding | StoreLogFolding | null = ofStore
    ? await StoreLogFolding.open(storage, last, findings)
    : new Folding(emptyState(model));
  const operations = new OperationIds();
  const contents = readAhead(storage, keysOf(model, ordered), entryLimit, findings);
  let index = 0;
  for await (const bytes of contents) {
    const seq = ordered[index]!;
    const before = ordered[index - 1] ?? 0;
    index += 1;
    reportGap(model, before + 1, seq - 1, findings);
    const key = keys.log(model, seq);
    const placed = bytes === null ? null : decode(bytes, key, findings);
    if (bytes !== null) {
      report.bytes += bytes.length;
      report.hashes.set(seq, sha256(bytes));
    }
    if (placed === null || before !== seq - 1) folding = null;
    if (placed === null) continue;
    for (const digest of manifestsOf(placed.entry)) report.roots.add(digest);
    checkPlace(model, placed.entry, seq, report.hashes, findings);
    operations.add(placed.entry.op_id, seq);
    const broken = folding instanceof Folding ? brokenRule(folding.current, placed.entry) : null;
    if (broken !== null) findings.bad(key, broken);
    folding = advance(folding, placed, key, findings);
    if (folding instanceof Folding && checkpointStands(seq, last)) {
      await checkCheckpoint(storage, folding.state(), findings);
    }
  }
  if (!ofStore) await operations.check(storage, model, { hashes: report.hashes, findings });
  await checkNext(storage, model, last, findings);
  report.truncated = hint !== null && hint.seq > last;
  report.contested = hint !== null && hint.seq === last && report.hashes.get(last) !== hint.head;
  return report;
}

function checkPlace(
  model: string,
  entry: LogEntry,
  seq: number,
  hashes: ReadonlyMap<number, Digest>,
  findings: Findings,
): void {
  const key = keys.log(model, seq);
  if (entry.seq !== seq) findings.bad(key, `its number is ${entry.seq}, not ${seq}`);
  const before = seq === 1 ? null : hashes.get(seq - 1);
  if (before === undefined || entry.prev === before) return;
  findings.bad(key, 'its prev is not the hash of the entry before it: one of the two was changed');
  if (seq === 1) return;
  findings.bad(
    keys.log(model, seq - 1),
    'its hash is not the prev of the entry after it: one of the two was changed',
  );
}

function* keysOf(model: string, seqs: readonly number[]): Generator<string> {
  for (const seq of seqs) yield keys.log(model, seq);
}

/**
 * A listing shows files alone; where the next entry will be created nothing may stand in the way, and an entry
 * that was committed since the listing is none of our business.
 */
async function checkNext(storage: Storage, model: string, last: number, findings: Findings): Promise<void> {
  if (last >= 999_999_999_999) return;
  const key = keys.log(model, last + 1);
  try {
    await storage.size(key);
  } catch (error) {
    findings.failed(key, error);
  }
}

/** A file with an enormous number must not keep us busy: a long gap is told by its beginning. */
function reportGap(model: string, first: number, last: number, findings: Findings): void {
  for (let seq = first; seq <= Math.min(last, first + 999); seq += 1) findings.missing(keys.log(model, seq));
}

/** A checkpoint saves reads for whoever trusts it, so a wrong one is damage; an unreadable one is ignored. */
async function checkCheckpoint(storage: Storage, state: ModelState, findings: Findings): Promise<void> {
  const key = checkpointKey(state.model, state.seq);
  const size = await storage.size(key).catch(() => null);
  // Read whole and parsed, a stranger's file of a hundred megabytes would fill the memory.
  if (size !== null && size > 4 * stateSize(state) + 100_000) {
    findings.bad(key, `${size} bytes: more than the fold of the log can have`);
    return;
  }
  const checkpoint = await readCheckpoint(storage, state.model, state.seq);
  if (checkpoint === null || stateDigest(checkpoint) === stateDigest(state)) return;
  findings.bad(key, 'it is not the fold of the log');
}

function advance<F extends Folding | StoreLogFolding>(
  folding: F | null,
  placed: Placed,
  key: string,
  findings: Findings,
): F | null {
  if (folding === null) return null;
  try {
    folding.add(placed);
    return folding;
  } catch (error) {
    findings.bad(key, reasonOf(error));
    return null;
  }
}

function decode(bytes: Buffer, key: string, findings: Findings): Placed | null {
  try {
    return decodeEntry(bytes, key);
  } catch {
    findings.bad(key, 'not a log entry that this version can read');
    return null;
  }
}
