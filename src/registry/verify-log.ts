import { type Digest, sha256 } from '../json.ts';
import { keys } from '../store/keys.ts';
import type { Storage } from '../store/storage.ts';
import { checkpointEvery, type Hint, readCheckpoint, stateDigest } from './caches.ts';
import { decodeEntry, entryLimit, type Placed } from './chain.ts';
import type { LogEntry } from './entries.ts';
import type { Findings } from './findings.ts';
import { fold } from './fold.ts';
import { reasonOf } from './inventory.ts';
import { emptyState, type ModelState } from './state.ts';

export interface LogReport {
  /** The newest entry's number; 0 for an empty log. */
  last: number;
  bytes: number;
  /** sha256 of each entry's bytes as they are, by number. */
  hashes: Map<number, Digest>;
  /** Digests of manifests that sound entries name. */
  roots: Digest[];
  /** The hint names an entry beyond the log's end: entries that were there are gone. */
  truncated: boolean;
  /** The hint says another hash of the newest entry, which no later `prev` covers yet. */
  contested: boolean;
}

/**
 * Reads a whole log and checks every entry's form, the chain, the rules of the fold, and its caches. `seqs`
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
    roots: [],
    truncated: false,
    contested: false,
  };
  let state: ModelState | null = emptyState(model);
  for (const [index, seq] of ordered.entries()) {
    const before = ordered[index - 1] ?? 0;
    reportGap(model, before + 1, seq - 1, findings);
    const key = keys.log(model, seq);
    const bytes = await readBytes(storage, key, findings);
    const placed = bytes === null ? null : decode(bytes, key, findings);
    if (bytes !== null) {
      report.bytes += bytes.length;
      report.hashes.set(seq, sha256(bytes));
    }
    if (placed === null || before !== seq - 1) state = null;
    if (placed === null) continue;
    report.roots.push(...manifestsOf(placed.entry));
    checkPlace(placed.entry, seq, report.hashes, key, findings);
    state = advance(state, placed, key, findings);
    if (state !== null && seq % checkpointEvery === 0) await checkCheckpoint(storage, state, findings);
  }
  report.truncated = hint !== null && hint.seq > last;
  report.contested = hint !== null && hint.seq === last && report.hashes.get(last) !== hint.head;
  return report;
}

function checkPlace(
  entry: LogEntry,
  seq: number,
  hashes: ReadonlyMap<number, Digest>,
  key: string,
  findings: Findings,
): void {
  if (entry.seq !== seq) findings.bad(key, `its number is ${entry.seq}, not ${seq}`);
  const before = seq === 1 ? null : hashes.get(seq - 1);
  if (before === undefined || entry.prev === before) return;
  findings.bad(key, 'its prev is not the hash of the entry before it: one of the two was changed');
}

/** A file with an enormous number must not keep us busy: a long gap is told by its beginning. */
function reportGap(model: string, first: number, last: number, findings: Findings): void {
  for (let seq = first; seq <= Math.min(last, first + 999); seq += 1) findings.missing(keys.log(model, seq));
}

/** A checkpoint saves reads for whoever trusts it, so a wrong one is damage; an unreadable one is ignored. */
async function checkCheckpoint(storage: Storage, state: ModelState, findings: Findings): Promise<void> {
  const checkpoint = await readCheckpoint(storage, state.model, state.seq);
  if (checkpoint === null || stateDigest(checkpoint) === stateDigest(state)) return;
  findings.bad(keys.checkpoint(state.model, state.seq), 'it is not the fold of the log');
}

function advance(
  state: ModelState | null,
  placed: Placed,
  key: string,
  findings: Findings,
): ModelState | null {
  if (state === null) return null;
  try {
    return fold(state, [placed]);
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

async function readBytes(storage: Storage, key: string, findings: Findings): Promise<Buffer | null> {
  try {
    const bytes = await storage.read(key, entryLimit);
    if (bytes === null) findings.missing(key);
    return bytes;
  } catch (error) {
    findings.bad(key, reasonOf(error));
    return null;
  }
}

function manifestsOf(entry: LogEntry): Digest[] {
  switch (entry.type) {
    case 'register':
      return [entry.manifest, entry.gate];
    case 'evaluate':
      return [entry.manifest, entry.evaluation];
    case 'promote':
    case 'rollback':
    case 'request':
    case 'approve':
      return [entry.manifest];
    default:
      return [];
  }
}
