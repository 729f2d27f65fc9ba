/**
 * Opening a log of 10, 9,999 and 999,999 entries: one short of a checkpoint, so that as much as can be is read
 * after the last one. Each figure is of a fresh process on a warm disk cache. Options: the lengths instead.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { PartOptions } from '../../../scripts/parts.ts';
import { writeCheckpoint, writeHint } from '../../../src/registry/caches.ts';
import { lock } from '../../../src/registry/locks.ts';
import {
  encodeOperation,
  encodePage,
  mergeRecords,
  pageNames,
} from '../../../src/registry/operation-pages.ts';
import { FileSystemStorage } from '../../../src/store/file-system.ts';
import { keys } from '../../../src/store/keys.ts';
import { GeneratedLog } from '../log-generator.ts';
import { inProcess, type Measured, measure, openRegistry, printTable } from '../measure.ts';

const model = 'bench';
const lengths = [10, 9_999, 999_999];

export async function run({ args }: PartOptions): Promise<boolean> {
  const rows: Record<string, unknown>[] = [];
  const opens: Measured[] = [];
  for (const entries of args.length === 0 ? lengths : args.map(Number)) {
    const folder = mkdtempSync(path.join(tmpdir(), 'modelgate-bench-'));
    try {
      await writeLog(folder, entries);
      const of = (what: string) => inProcess(import.meta.filename, [what, folder]);
      const add = (what: string, figures: Measured) => rows.push({ entries, what, ...figures });
      opens.push(of('open'));
      add('open', opens.at(-1)!);
      rmSync(path.join(folder, 'heads'), { recursive: true });
      add('open without hint', of('open'));
      add(entries % 1000 === 999 ? 'commit, renews checkpoint and index' : 'commit', of('commit'));
      add('commit', of('commit'));
      if (entries >= 2000 && entries < 100_000) {
        rmSync(path.join(folder, 'operations'), { recursive: true });
        add('commit, makes the lost index', of('commit'));
      }
      add('status --at, in the middle', inProcess(import.meta.filename, ['past', folder, middle(entries)]));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  printTable(rows);
  // hint, checkpoint with its entry, at most 99 entries after it, the end: nothing that grows
  const flat = opens.every(({ reads, probes }) => reads <= 110 && probes <= 4);
  console.log(`opening: at most 110 reads and 4 probes at any length: ${flat ? 'yes' : 'NO'}`);
  return flat;
}

const start = Date.UTC(2020, 0, 1);
const middle = (entries: number) => new Date(start + Math.floor(entries / 2) * 60_000).toISOString();

/** Entries as plain bytes, and the caches that their writers would have left. */
async function writeLog(folder: string, entries: number): Promise<void> {
  const began = performance.now();
  const storage = new FileSystemStorage(folder);
  const log = new GeneratedLog({ model, entries, versions: Math.min(1000, Math.floor(entries / 5)), start });
  mkdirSync(path.join(folder, 'log', model), { recursive: true });
  const records = new Map<string, Buffer[]>(pageNames.map((name) => [name, []]));
  let indexed: { last: number; head: string } | null = null;
  for (const { entry, head, bytes } of log.entries()) {
    writeFileSync(path.join(folder, keys.log(model, entry.seq)), bytes);
    if (entry.seq <= entries - (entries % 1000)) {
      const { page, record } = encodeOperation(entry.op_id, entry.seq);
      records.get(page)?.push(record);
      indexed = { last: entry.seq, head };
    }
    const kept = entry.seq % 10_000 === 0 || entry.seq > entries - 1000;
    if (entry.seq % 100 === 0 && kept) await writeCheckpoint(storage, log.state());
  }
  for (const [name, each] of indexed === null ? [] : records) {
    const page = encodePage({ ...indexed!, records: mergeRecords(Buffer.alloc(0), each) });
    await storage.replace(keys.operations(model, name), page);
  }
  const { seq, head } = log.state();
  if (head !== null) await writeHint(storage, model, { seq, head });
  console.log(`${entries} entries written in ${((performance.now() - began) / 1000).toFixed(1)} s`);
}

if (import.meta.main) {
  const [what, folder = '', time = ''] = process.argv.slice(2);
  const { registry, storage } = openRegistry(folder);
  await measure(storage, async () => {
    if (what === 'open') return { seq: (await registry.state(model)).seq };
    if (what === 'past') return { seq: (await registry.stateAt(model, new Date(time))).seq };
    const actor = { name: 'bench', via: 'service' } as const;
    const at = { environment: 'production', environments: ['staging', 'production'] };
    const { entry } = await lock(registry, { model, ...at, actor, op_id: null, reason: null, ttl: null });
    return { seq: entry?.seq ?? 0 };
  });
}
