import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { digestOf } from '../../src/json.ts';
import { type Keepable, kept, readKept } from '../../src/monitoring/kept.ts';
import { FileSystemStorage } from '../../src/store/file-system.ts';
import { Store } from '../../src/store/store.ts';

let folder: string;
let store: Store;
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'modelgate-kept-'));
  store = new Store(new FileSystemStorage(folder));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const keepable = (key: string): Keepable<number[]> => ({
  key,
  pack: (value, counts) => ({ name: 'ä"\u2028', counts: counts.write(value) }),
  read: (value, counts) => {
    const found = counts.read((value as { counts?: unknown } | null)?.counts);
    return found === null ? null : Array.from(found);
  },
});

it('what is kept is made once', async () => {
  let made = 0;
  const wanted = { ...keepable('once'), make: async () => [++made, 4, 9, 1] };
  for (let i = 0; i < 2; i++) expect(await kept(store, wanted)).toEqual([1, 4, 9, 1]);
  expect(await kept(store, { ...wanted, key: 'another' })).toEqual([2, 4, 9, 1]);
});

const words = (...of: number[]) => Buffer.from(Uint32Array.from(of).buffer);
const text = (json: string) => Buffer.concat([words(json.length / 4), Buffer.from(json)]);

it.each<[string, Buffer]>([
  ['nothing', Buffer.alloc(0)],
  ['JSON of an earlier version', Buffer.from('{"schema":"modelgate.served-day/1"}')],
  ['half a word', Buffer.from('ab')],
  ['a text that ends too early', Buffer.concat([words(9), Buffer.from('{"counts":0}')])],
  ['words in the other order of bytes', Buffer.concat([words(1), Buffer.from('null')]).swap32()],
  ['a text that is no JSON', text('{"a"')],
  ['a value that is none', text('null')],
  ['counts that are not there', text('{"counts":6}')],
])('%s under a key is made anew', async (name, bytes) => {
  const object = await store.putBytes(bytes);
  await store.writeCache('monitor-blocks', digestOf({ key: name, generation: 2 }), { object });
  const wanted = keepable(name);
  expect(await readKept(store, wanted)).toBeNull();
  expect(await kept(store, { ...wanted, make: async () => [7, 7] })).toEqual([7, 7]);
});
