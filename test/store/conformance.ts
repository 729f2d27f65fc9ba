import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256 } from '../../src/json.ts';
import type { Storage } from '../../src/store/storage.ts';

/** What any storage must do, whatever its technology. `open` gives an empty one at each call. */
export function storageConformance(name: string, open: () => Promise<Storage>): void {
  describe(`storage: ${name}`, () => {
    let storage: Storage;
    let folder: string;
    const text = (value: string) => Buffer.from(value);
    const listed = async (prefix: string) => {
      const found: [string, number][] = [];
      for await (const { key, size, modified } of storage.list(prefix)) {
        expect(modified).toBeInstanceOf(Date);
        found.push([key, size]);
      }
      return found.sort();
    };

    beforeAll(async () => {
      storage = await open();
      folder = mkdtempSync(join(tmpdir(), 'modelgate-conformance-'));
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it('gives null for what is not there', async () => {
      expect(await storage.read('none/a')).toBeNull();
      expect(await storage.size('none/a')).toBeNull();
      expect(await storage.stream('none/a')).toBeNull();
      expect(await storage.localFile('none/a')).toBeNull();
      await storage.remove('none/a');
    });

    it('can be prepared: an empty one then lists nothing, and one in use stays as it is', async () => {
      const empty = await open();
      for (let times = 0; times < 2; times++) await empty.prepare();
      for await (const { key } of empty.list('')) expect.fail(key);
      await empty.create('kept/a', text('kept'));
      await empty.prepare();
      expect((await empty.read('kept/a'))?.toString()).toBe('kept');
    });

    it('creates once: the first content stays', async () => {
      expect(await storage.create('once/a', text('first'))).toBe('created');
      expect(await storage.create('once/a', text('second'))).toBe('exists');
      expect((await storage.read('once/a'))?.toString()).toBe('first');
      expect(await storage.size('once/a')).toBe(5);
    });

    it('persists what is there; what is not there is no error', async () => {
      await storage.create('once/persisted', text('kept'));
      await storage.persist('once/persisted');
      await storage.persist('once/none');
      expect((await storage.read('once/persisted'))?.toString()).toBe('kept');
      expect(await storage.size('once/none')).toBeNull();
    });

    it('gives the same bytes by read, stream and localFile, empty content included', async () => {
      for (const [key, bytes] of [
        ['same/empty', text('')],
        ['same/binary', Buffer.from([0, 255, 10, 13, 0])],
      ] as const) {
        await storage.create(key, bytes);
        expect(await storage.read(key)).toEqual(bytes);
        const chunks: Buffer[] = [];
        for await (const chunk of (await storage.stream(key)) ?? []) chunks.push(chunk as Buffer);
        expect(Buffer.concat(chunks)).toEqual(bytes);
        expect(readFileSync((await storage.localFile(key)) ?? '')).toEqual(bytes);
      }
    });

    it('copies a file, and refuses one that is not what was promised', async () => {
      const file = join(folder, 'large');
      const bytes = Buffer.alloc(3_000_001, 'modelgate');
      writeFileSync(file, bytes);
      expect(await storage.create('copy/a', { file, sha256: sha256(bytes) })).toBe('created');
      const hash = createHash('sha256');
      for await (const chunk of (await storage.stream('copy/a')) ?? []) hash.update(chunk as Buffer);
      expect(hash.digest('hex')).toBe(sha256(bytes));
      const changed = storage.create('copy/b', { file, sha256: sha256('before') });
      await expect(changed).rejects.toMatchObject({ code: 'object_damaged' });
      expect(await storage.size('copy/b')).toBeNull();
      await expect(storage.create('copy/c', { file: join(folder, 'none') })).rejects.toThrow();
      expect(await storage.size('copy/c')).toBeNull();
    });

    it('has exactly one creator of 32 at once, and its content whole', async () => {
      for (const round of [1, 2, 3]) {
        const contents = Array.from({ length: 32 }, (_, index) => `${index} `.repeat(5000));
        const ends = await Promise.all(contents.map((each) => storage.create(`race/${round}`, text(each))));
        expect(ends.filter((end) => end === 'created')).toHaveLength(1);
        const winner = contents[ends.indexOf('created')];
        expect((await storage.read(`race/${round}`))?.toString()).toBe(winner);
      }
    });

    it('replaces whole', async () => {
      await storage.replace('hint/a', text('a longer first'));
      await storage.replace('hint/a', text('second'));
      expect((await storage.read('hint/a'))?.toString()).toBe('second');
      await Promise.all(['x', 'y', 'z'].map((each) => storage.replace('hint/b', text(each.repeat(9)))));
      expect((await storage.read('hint/b'))?.toString()).toMatch(/^(x{9}|y{9}|z{9})$/);
    });

    it('refuses to read more than the limit', async () => {
      await storage.create('limit/a', text('12345'));
      expect(await storage.read('limit/a', 5)).toEqual(text('12345'));
      await expect(storage.read('limit/a', 4)).rejects.toMatchObject({ code: 'object_damaged' });
    });

    it('lists by prefix, and nothing of its own', async () => {
      await storage.create('list/a/1', text('1'));
      await storage.create('list/a/22', text('22'));
      await storage.create('list/b/3', text('333'));
      await storage.create('listing', text('x'));
      expect(await listed('list/')).toEqual([
        ['list/a/1', 1],
        ['list/a/22', 2],
        ['list/b/3', 3],
      ]);
      expect(await listed('list/a/2')).toEqual([['list/a/22', 2]]);
      expect(await listed('none/')).toEqual([]);
      const known = /^(once|same|copy|race|hint|limit|list|listing|tree)(\/|$)/;
      for (const [key] of await listed('')) expect(key).toMatch(known);
    });

    it('names the folders under a prefix, and nothing beneath them', async () => {
      for (const key of ['tree/a/1', 'tree/a/deep/2', 'tree/b/3', 'tree/file']) {
        await storage.create(key, text(key));
      }
      const names = async (prefix: string) => {
        const found: string[] = [];
        for await (const name of storage.folders(prefix)) found.push(name);
        return found.sort();
      };
      expect(await names('tree/')).toEqual(['a', 'b']);
      expect(await names('tree/a/')).toEqual(['deep']);
      expect(await names('tree/b/')).toEqual([]);
      expect(await names('none/')).toEqual([]);
      expect(await names('')).toContain('tree');
    });

    it('removes, and creates again', async () => {
      await storage.create('remove/a', text('1'));
      await storage.remove('remove/a');
      expect(await storage.read('remove/a')).toBeNull();
      expect(await storage.create('remove/a', text('2'))).toBe('created');
    });

    it('refuses keys that are paths of another kind', async () => {
      for (const key of ['../a', 'a/../b', '/a', 'a//b', 'a/./b', 'a\\b', 'a\0b', '', 'a/']) {
        await expect(storage.read(key), key).rejects.toThrow(RangeError);
        await expect(storage.create(key, text('x')), key).rejects.toThrow(RangeError);
      }
    });
  });
}
