import type { Digest } from '../json.ts';
import { keys } from '../store/keys.ts';
import type { Storage } from '../store/storage.ts';
import { readEntries, readEntry } from './log.ts';
import {
  encodeOperation,
  encodePage,
  mergeRecords,
  type Page,
  pageNames,
  readPage,
  searchRecords,
  seqOf,
} from './operation-pages.ts';
import { type ModelState, windowStart } from './state.ts';

/*
 * Where the operation ids of older entries are found: in sixteen pages, so that a commit reads one of them
 * whatever the log's length, and no checkpoint holds them all. Pages are caches. Each says up to which entry it
 * is complete; one that is missing, behind, damaged or of another history is made again from the log.
 */

/** The entry that an operation made among those up to `windowStart(state.seq)`, or null. */
export async function findOperation(
  storage: Storage,
  state: ModelState,
  op_id: string,
): Promise<number | null> {
  const needed = windowStart(state.seq);
  if (needed === 0) return null;
  const { page: name, record } = encodeOperation(op_id, 0);
  const page = await readTrusted(storage, state.model, name);
  if (page !== null && page.last >= needed) return searchRecords(page.records, record);
  const [placed] = await readEntries(storage, state.model, needed, needed);
  const target = { model: state.model, last: needed, head: placed!.head, recent: null };
  const renewed = await renewPages(storage, target);
  return searchRecords(renewed.get(name)!, record);
}

/** Writes the operations up to the state's newest entry into the pages. Due where `indexDue(state.seq)`. */
export async function indexOperations(storage: Storage, state: ModelState): Promise<void> {
  const { model, seq: last, head } = state;
  if (head !== null) await renewPages(storage, { model, last, head, recent: state });
}

/** Brings all pages to `last`; gives their records. What neither they nor `recent` hold is read from the log. */
async function renewPages(
  storage: Storage,
  target: { model: string; last: number; head: Digest; recent: ModelState | null },
): Promise<Map<string, Buffer>> {
  const { model, last, head, recent } = target;
  const stored = new Map<string, Page | null>();
  for (const name of pageNames) stored.set(name, await readTrusted(storage, model, name));
  const complete = Math.min(...[...stored.values()].map((page) => page?.last ?? 0));
  const operations =
    recent !== null && complete >= windowStart(recent.seq)
      ? byPage(recent.op_ids)
      : await readOperations(storage, model, { first: complete + 1, last });
  const renewed = new Map<string, Buffer>();
  for (const [name, page] of stored) {
    const before = page ?? { last: 0, records: Buffer.alloc(0) };
    const added = (operations.get(name) ?? []).filter((record) => seqOf(record) > before.last);
    const records = mergeRecords(before.records, added);
    renewed.set(name, records);
    if (before.last >= last) continue;
    await storage.replace(keys.operations(model, name), encodePage({ last, head, records }));
  }
  return renewed;
}

async function readOperations(
  storage: Storage,
  model: string,
  { first, last }: { first: number; last: number },
): Promise<Map<string, Buffer[]>> {
  const operations = new Map<string, Buffer[]>();
  // in steps, so that a long log is never held in memory whole
  for (let start = first; start <= last; start += 1000) {
    const entries = await readEntries(storage, model, start, Math.min(last, start + 999));
    byPage(
      entries.map(({ entry }) => [entry.op_id, entry.seq]),
      operations,
    );
  }
  return operations;
}

function byPage(
  operations: Iterable<readonly [string, number]>,
  into: Map<string, Buffer[]> = new Map(),
): Map<string, Buffer[]> {
  for (const [op_id, seq] of operations) {
    const { page, record } = encodeOperation(op_id, seq);
    const records = into.get(page);
    if (records === undefined) into.set(page, [record]);
    else records.push(record);
  }
  return into;
}

/** A page whose last entry stands in the log as the page says; null for any other. */
async function readTrusted(storage: Storage, model: string, name: string): Promise<Page | null> {
  const page = await readPage(storage, model, name);
  if (page === null) return null;
  const placed = await readEntry(storage, model, page.last).catch(() => null);
  return placed?.head === page.head ? page : null;
}
