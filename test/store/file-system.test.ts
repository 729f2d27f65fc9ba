import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { canonicalJson, sha256 } from '../../src/json.ts';
import { FileSystemStorage } from '../../src/store/file-system.ts';
import { keys } from '../../src/store/keys.ts';
import { openStorage, storeUrl } from '../../src/store/open.ts';
import { Store } from '../../src/store/store.ts';
import { temporaryFolder } from '../registry/world.ts';
import { storageConformance } from './conformance.ts';

const root = mkdtempSync(join(tmpdir(), 'modelgate-store-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let opened = 0;
storageConformance('file system', async () => new FileSystemStorage(join(root, `${opened++}`, 'not', 'yet')));

const text = (value: string) => Buffer.from(value);

describe('file system storage', () => {
  it.runIf(process.platform === 'linux')(
    'ends where no folder can be made though its parent is there',
    async () => {
      await expect(
        new FileSystemStorage('/proc/modelgate/store').create('a', text('x')),
      ).rejects.toMatchObject({
        code: 'storage_unavailable',
      });
    },
  );

  it('makes what it stores read-only and leaves no temporary file', async () => {
    const folder = temporaryFolder();
    const storage = new FileSystemStorage(folder);
    await storage.create('a/b', text('x'));
    await storage.create('a/b', text('y'));
    await storage.replace('a/c', text('z'));
    expect(statSync(join(folder, 'a/b')).mode & 0o222).toBe(0);
    expect(statSync(join(folder, 'a/b')).nlink).toBe(1);
    expect(readdirSync(join(folder, 'tmp'))).toEqual([]);
  });

  it('refuses links that lead out of the store, for reading and for writing', async () => {
    const outside = temporaryFolder();
    writeFileSync(join(outside, 'secret'), 'secret');
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'log'));
    symlinkSync(join(outside, 'secret'), join(folder, 'log/file'));
    symlinkSync(outside, join(folder, 'objects'));
    const storage = new FileSystemStorage(folder);
    for (const work of [
      () => storage.read('log/file'),
      () => storage.localFile('log/file'),
      () => storage.size('log/file'),
      () => storage.stream('objects/secret'),
      () => storage.create('objects/new', text('x')),
      () => storage.create('objects/sha256/new', text('x')),
      () => storage.replace('objects/hint', text('x')),
      () => storage.remove('objects/secret'),
    ]) {
      await expect(work()).rejects.toMatchObject({ code: 'storage_unsuitable' });
    }
    expect(readdirSync(outside)).toEqual(['secret']);
    const listed = [];
    for await (const { key } of storage.list('')) listed.push(key);
    expect(listed).toEqual([]);
  });

  it('sweeps temporary files that are older than a day, and no younger ones', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'tmp'));
    for (const name of ['old', 'young']) writeFileSync(join(folder, 'tmp', name), 'x');
    const yesterday = new Date(Date.now() - 86_400_001);
    utimesSync(join(folder, 'tmp/old'), yesterday, yesterday);
    await new FileSystemStorage(folder).create('a', text('x'));
    expect(readdirSync(join(folder, 'tmp'))).toEqual(['young']);
  });

  it('goes on when its folders are removed under it', async () => {
    const folder = temporaryFolder();
    const storage = new FileSystemStorage(join(folder, 'store'));
    await storage.create('a/b', text('x'));
    rmSync(join(folder, 'store'), { recursive: true });
    expect(await storage.create('a/b', text('x'))).toBe('created');
  });

  it('goes on beside others that fail for another reason', async () => {
    const folder = join(temporaryFolder(), 'store');
    const storage = new FileSystemStorage(folder);
    for (let i = 0; i < 5; i++) await storage.create(`a/b/${i}/x`, text('x'));
    for (const name of ['a', 'tmp']) rmSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, 'file'), '');
    const all = await Promise.all(
      Array.from({ length: 30 }, (_, i) =>
        i % 3 === 0
          ? storage.create(`file/x/${i}`, text('x')).catch(() => 'failed')
          : storage.create(`a/b/${i % 7}/${i}`, text('x')),
      ),
    );
    expect(new Set(all)).toEqual(new Set(['failed', 'created']));
  });

  it('tells a file in the way, a missing store and unknown kinds of stores', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), 'x');
    await expect(openStorage(join(folder, 'file'))).rejects.toMatchObject({ code: 'storage_unsuitable' });
    await expect(openStorage(join(folder, 'file', 'below'))).rejects.toMatchObject({
      code: 'storage_unsuitable',
    });
    await expect(openStorage('gs://bucket/prefix')).rejects.toMatchObject({ code: 'usage' });
    await expect(openStorage(storeUrl('http://somewhere/x'), '--output')).rejects.toMatchObject({
      code: 'usage',
      fix: expect.stringContaining('--output'),
    });
    await expect(openStorage('')).rejects.toMatchObject({ code: 'usage' });
    const storage = await openStorage(join(folder, 'none'));
    const walk = async () => {
      for await (const each of storage.list('log/')) expect(each).toBeUndefined();
    };
    await expect(walk()).rejects.toMatchObject({ code: 'storage_unavailable' });
    expect(existsSync(join(folder, 'none'))).toBe(false);
    writeFileSync(join(folder, 'log'), 'x');
    const blocked = new FileSystemStorage(folder);
    await expect(blocked.create('log/a', text('x'))).rejects.toMatchObject({ code: 'storage_unsuitable' });
  });
});

describe('store', () => {
  it('[TRN-10] stores the same bytes and files once', async () => {
    const folder = temporaryFolder();
    const store = new Store(new FileSystemStorage(join(folder, 'store')));
    const file = join(folder, 'file');
    writeFileSync(file, 'bytes');
    const digest = await store.putBytes(text('bytes'));
    expect(await store.putFile(file)).toEqual({ sha256: digest, size: 5 });
    expect(readFileSync(await store.localFile(digest), 'utf8')).toBe('bytes');
  });

  it('never gives out bytes that do not have their digest', async () => {
    const folder = temporaryFolder();
    const store = new Store(new FileSystemStorage(folder));
    const digest = await store.putBytes(text('bytes'));
    const path = join(folder, keys.object(digest));
    chmodSync(path, 0o644);
    writeFileSync(path, 'bytez');
    await expect(store.readBytes(digest)).rejects.toMatchObject({ code: 'object_damaged' });
    await expect(store.localFile(digest)).rejects.toMatchObject({ code: 'object_damaged' });
    await expect(store.readBytes(sha256('none'))).rejects.toMatchObject({ code: 'object_missing' });
  });

  it('refuses bytes under a manifest name that are no manifest', async () => {
    const storage = new FileSystemStorage(temporaryFolder());
    const bytes = text(canonicalJson({ kind: 'model' }));
    await storage.create(keys.manifest(sha256(bytes)), bytes);
    const read = new Store(storage).readManifest(sha256(bytes));
    await expect(read).rejects.toMatchObject({ code: 'object_damaged' });
  });
});
