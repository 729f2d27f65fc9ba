import { describe, expect, it } from 'vitest';
import { GeneratedLog } from '../../bench/registry/log-generator.ts';
import { stateDigest, writeCheckpoint, writeHint } from '../../src/registry/caches.ts';
import { encodeEntry } from '../../src/registry/chain.ts';
import { fold } from '../../src/registry/fold.ts';
import { lock } from '../../src/registry/locks.ts';
import {
  encodeOperation,
  encodePage,
  mergeRecords,
  pageNames,
  readPage,
} from '../../src/registry/operation-pages.ts';
import { indexOperations } from '../../src/registry/operations.ts';
import { emptyState, windowStart } from '../../src/registry/state.ts';
import { verify } from '../../src/registry/verify.ts';
import { keys } from '../../src/store/keys.ts';
import type { MemoryStorage } from '../store/memory-storage.ts';
import { CountingStorage, registryOver, writeLog } from './long-log.ts';
import { alice, environments } from './world.ts';

const model = 'long';
const held = { model, environment: 'production', environments, actor: alice, reason: null, ttl: null };
/** 'op-long-7' is entry 7 of the generated log. */
const opOf = (seq: number) => `op-${model}-${seq}`;

/** A generated log with its hint, and without any other cache. */
async function longLog(entries: number) {
  const storage = await CountingStorage.open();
  const state = (await writeLog(storage, { model, entries, versions: 20 })).state();
  await writeHint(storage, model, { seq: state.seq, head: state.head! });
  return storage;
}

/** Goes on with locks from a cold registry until the log has this many entries. */
async function grow(storage: MemoryStorage, until: number) {
  const registry = registryOver(storage);
  for (let { seq } = await registry.state(model); seq < until; seq += 1) {
    await lock(registry, { ...held, op_id: `grown-${seq + 1}` });
  }
  return registry;
}

describe('operation ids of a long log', { timeout: 120_000 }, () => {
  it('an operation of long ago is replayed, not done again, from any kind of index', async () => {
    const storage = await longLog(3050);
    await grow(storage, 4010);
    const pages = await Promise.all(pageNames.map((name) => storage.read(keys.operations(model, name))));
    expect(pages.every((page) => page !== null)).toBe(true);
    const repeated = async () => {
      const registry = registryOver(storage);
      const first = (await registry.entries(model, { last: 20 })).find(({ entry }) => entry.type === 'lock');
      const { seq, op_id } = first!.entry;
      const again = { ...held, environment: 'staging', op_id };
      expect(await lock(registry, again)).toMatchObject({ status: 'replayed', entry: { seq } });
      const other = lock(registry, { ...held, op_id });
      await expect(other).rejects.toMatchObject({ code: 'op_id_reused' });
      expect((await registry.state(model)).seq).toBe(4010);
    };
    await repeated();
    const spoil: ((key: string, page: Buffer) => Promise<void>)[] = [
      (key) => storage.remove(key),
      (key) => storage.replace(key, Buffer.from('garbage')),
      (key, page) => storage.replace(key, page.subarray(0, page.length - 22)),
      (key, page) => {
        const flipped = Buffer.from(page);
        flipped[flipped.length - 1]! ^= 1;
        return storage.replace(key, flipped);
      },
    ];
    for (const each of spoil) {
      for (const [index, name] of pageNames.entries())
        await each(keys.operations(model, name), pages[index]!);
      await repeated();
    }
  });

  it.each([
    ['behind', model, 1000],
    ['of another history', 'other', 1000],
    ['of another history that went further', 'other', 3000],
  ])('a page that is %s is brought up to the log', async (_, name, entries) => {
    for (const boundary of [false, true]) {
      const storage = await longLog(boundary ? 3995 : 3050);
      // the same log to there, or well sealed and of a log that never was
      const log = new GeneratedLog({ model: name, entries: boundary ? 3995 : 3050, versions: 20 });
      const placed = [...log.entries()].slice(0, entries);
      for (const page of pageNames) {
        const own = placed.map(({ entry }) => encodeOperation(entry.op_id, entry.seq));
        const records = own.filter((one) => one.page === page).map(({ record }) => record);
        const sealed = {
          last: entries,
          head: placed.at(-1)!.head,
          records: mergeRecords(Buffer.alloc(0), records),
        };
        await storage.replace(keys.operations(model, page), encodePage(sealed));
      }
      const registry = boundary ? await grow(storage, 4005) : registryOver(storage);
      if (boundary) {
        const lasts = await Promise.all(pageNames.map((page) => readPage(storage, model, page)));
        expect(new Set(lasts.map((page) => page?.last))).toEqual(new Set([4000]));
      }
      const state = await registry.state(model);
      for (const seq of [1, 999, 1000, 1001, 1500, 1999, 2000, 2001, 3049]) {
        expect(await registry.operation(state, opOf(seq)), `${seq}`).toBe(seq);
      }
      expect(await registry.operation(state, 'op-other-7')).toBeNull();
    }
  });

  it('a commit reads one page, and opening none: neither grows with the log', async () => {
    const reads: number[] = [];
    for (const entries of [2090, 6090]) {
      const storage = await longLog(entries);
      await grow(storage, entries + 1020);
      storage.asked.length = 0;
      const registry = registryOver(storage);
      await registry.state(model);
      expect(storage.asked.some((key) => key.startsWith('operations/'))).toBe(false);
      await lock(registry, { ...held, op_id: 'new' });
      expect(storage.asked.filter((key) => key.startsWith('operations/'))).toHaveLength(1);
      reads.push(storage.asked.length);
    }
    expect(reads[1]).toBe(reads[0]);
    expect(reads[0]).toBeLessThan(40);
  });

  it('a state holds the operations of the newest 1,000 to 2,000 entries, however it was folded', () => {
    const log = new GeneratedLog({ model, entries: 4321, versions: 10 });
    const placed = [...log.entries()];
    for (const seq of [1, 999, 1000, 1999, 2000, 2001, 3000, 4321]) {
      const whole = fold(emptyState(model), placed.slice(0, seq));
      const steps = fold(fold(emptyState(model), placed.slice(0, seq >> 1)), placed.slice(seq >> 1, seq));
      expect(stateDigest(steps)).toBe(stateDigest(whole));
      expect(whole.op_ids.size).toBe(seq - windowStart(seq));
    }
    expect(stateDigest(log.state())).toBe(stateDigest(fold(emptyState(model), placed)));
  });

  it('verify sees an id that two entries far apart have, and a page that hides an operation', async () => {
    const storage = await CountingStorage.open();
    const placed = [...new GeneratedLog({ model, entries: 2500, versions: 20 }).entries()];
    let prev: string | null = null;
    for (const { entry } of placed) {
      const op_id = entry.seq === 2400 ? opOf(3) : entry.op_id;
      const { bytes, head } = encodeEntry({ ...entry, prev, op_id });
      await storage.create(keys.log(model, entry.seq), bytes);
      prev = head;
    }
    const registry = registryOver(storage);
    const state = await registry.state(model);
    const bad = async () => {
      const { bad } = await verify(storage, { anchor: null, read_data: false });
      return bad.map(({ key }) => key);
    };
    expect(await bad()).toEqual([keys.log(model, 2400)]);
    // complete up to an entry before the second one, and without the first one
    const early = fold(emptyState(model), await registry.entries(model, { last: 1000 }));
    const op_ids = new Map([...early.op_ids].filter(([op_id]) => op_id !== opOf(3)));
    await indexOperations(storage, { ...early, op_ids });
    expect(await registry.operation(state, opOf(4))).toBe(4);
    const page = keys.operations(model, encodeOperation(opOf(3), 3).page);
    expect((await bad()).sort()).toEqual([keys.log(model, 2400), page].sort());
  });

  it('keeps ten checkpoints and every ten thousandth, whatever the length', async () => {
    const storage = await CountingStorage.open();
    const log = new GeneratedLog({ model, entries: 12_350, versions: 20 });
    for (const { entry, bytes } of log.entries()) {
      await storage.create(keys.log(model, entry.seq), bytes);
      if (entry.seq % 100 === 0) await writeCheckpoint(storage, log.state());
    }
    const stored: string[] = [];
    for await (const { key } of storage.list('checkpoints/')) stored.push(key);
    expect(stored).toHaveLength(11);
    const state = await registryOver(storage).state(model);
    expect(stateDigest(state)).toBe(stateDigest(log.state()));
    // the past: from the kept checkpoint before it
    const at = (await registryOver(storage).entry(model, 10_500)).entry.at;
    await writeHint(storage, model, { seq: state.seq, head: state.head! });
    storage.asked.length = 0;
    const past = await registryOver(storage).stateAt(model, new Date(at));
    expect(past.seq).toBe(10_500);
    const entries = storage.asked
      .filter((key) => key.startsWith('log/'))
      .map((key) => Number(key.slice(-17, -5)));
    expect(entries.filter((seq) => seq < 10_000)).toEqual([]);
    const early = (await registryOver(storage).entry(model, 9500)).entry.at;
    expect((await registryOver(storage).stateAt(model, new Date(early))).seq).toBe(9500);
    for (const key of stored) await storage.remove(key);
    expect(stateDigest(await registryOver(storage).stateAt(model, new Date(at)))).toBe(stateDigest(past));
  });
});
