import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { inspect } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { errorRecord, UserError } from '../../src/errors.ts';
import { sha256 } from '../../src/json.ts';
import { installScanner, type PinnedScanner } from '../../src/scanning/install-osv-scanner.ts';
import committed from '../../src/scanning/osv-scanner-lock.json' with { type: 'json' };
import { temporaryFolder } from './world.ts';

const program = Buffer.from('#!/bin/sh\nexit 0\n');
const platform = 'linux-x64';
const { signal } = new AbortController();

/** A mirror of the releases with one program, and what was asked of it. */
async function openMirror(content = program) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(request.url?.endsWith('/ours') ? 200 : 404).end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const releases = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const pinned: PinnedScanner = {
    ...{ version: '1.2.3', releases },
    platforms: { [platform]: { asset: 'ours', sha256: sha256(program) } },
  };
  return { asked, pinned, cache: await temporaryFolder() };
}

const kept = async (folder: string) =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));

it('[GOV-8] the scanner is downloaded once, by version and platform, and found again offline', async () => {
  const { asked, pinned, cache } = await openMirror();
  const file = await installScanner(pinned, { platform, cache, signal });
  expect(asked).toEqual(['/v1.2.3/ours']);
  expect(await kept(cache)).toEqual(['osv-scanner/1.2.3/linux-x64/ours']);
  expect((await stat(file)).mode & 0o111).not.toBe(0);
  const offline = { ...pinned, releases: 'http://127.0.0.1:9' };
  expect(await installScanner(offline, { platform, cache, signal })).toBe(file);
});

it('[GOV-8] other bytes than the pinned ones are never started: neither downloaded nor kept ones', async () => {
  const other = await openMirror(Buffer.from('#!/bin/sh\nexit 1\n'));
  const { pinned, cache } = other;
  await expect(installScanner(pinned, { platform, cache, signal })).rejects.toMatchObject({
    code: 'scanner_damaged',
  });
  expect(await kept(cache)).toEqual([]);

  const mirror = await openMirror();
  const file = await installScanner(mirror.pinned, { platform, cache: mirror.cache, signal });
  await writeFile(file, 'somebody else was here');
  await installScanner(mirror.pinned, { platform, cache: mirror.cache, signal });
  expect(await readFile(file)).toEqual(program);
});

it('what cannot be had is told with what to do, and leaves nothing', async () => {
  const { pinned, cache } = await openMirror();
  const absent = { ...pinned, platforms: { [platform]: { asset: 'none', sha256: sha256(program) } } };
  await expect(installScanner(absent, { platform, cache, signal })).rejects.toThrow(/answers 404/);
  const offline = installScanner({ ...pinned, releases: 'http://127.0.0.1:9' }, { platform, cache, signal });
  await expect(offline).rejects.toMatchObject({
    ...{ code: 'scanner_missing', fix: expect.stringContaining('MODELGATE_SCANNER_RELEASES') },
    message: expect.stringMatching(/fetch failed: .+/),
  });
  const unknown = installScanner(pinned, { platform: 'aix-ppc64', cache, signal });
  await expect(unknown).rejects.toMatchObject({
    code: 'scanner_missing',
    message: expect.stringContaining('aix'),
  });
  expect(existsSync(path.join(cache, 'osv-scanner'))).toBe(false);
});

it('several processes may install it at the same time', async () => {
  const { pinned, cache } = await openMirror();
  const files = await Promise.all(
    Array.from({ length: 8 }, () => installScanner(pinned, { platform, cache, signal })),
  );
  expect(new Set(files).size).toBe(1);
  expect(await kept(cache)).toHaveLength(1);
});

it('one that lost its right to run in a copied cache gets it again', async () => {
  const { asked, pinned, cache } = await openMirror();
  const file = await installScanner(pinned, { platform, cache, signal });
  await chmod(file, 0o644);
  await installScanner(pinned, { platform, cache, signal });
  expect((await stat(file)).mode & 0o111).not.toBe(0);
  expect(asked).toHaveLength(1);
});

it('what stands in the way of the program is told, and nothing is left beside it', async () => {
  const { pinned, cache } = await openMirror();
  const place = path.join(cache, 'osv-scanner/1.2.3', platform, 'ours');
  await mkdir(path.join(place, 'something'), { recursive: true });
  const inTheWay = { code: 'scanner_missing', where: place, fix: expect.stringContaining('Remove') };
  await expect(installScanner(pinned, { platform, cache, signal })).rejects.toMatchObject(inTheWay);
  expect(await readdir(cache)).toEqual(['osv-scanner']);

  const noFolder = path.join(await temporaryFolder(), 'cache');
  await writeFile(noFolder, '');
  const told = { code: 'scanner_missing', message: expect.stringContaining('ENOTDIR') };
  await expect(installScanner(pinned, { platform, cache: noFolder, signal })).rejects.toMatchObject(told);
});

it('[GOV-8] no message says what a mirror is asked with', async () => {
  const { pinned, cache } = await openMirror(Buffer.from('other'));
  for (const releases of [
    pinned.releases.replace('//', '//me:hunter2@'),
    'http://me:hunter2@127.0.0.1:9',
    'http://127.0.0.1:9/?token=hunter2#hunter2',
    `${pinned.releases.replace(/\/$/, '')}?token=hunter2`,
    'me:hunter2@nowhere',
  ]) {
    const error: unknown = await installScanner({ ...pinned, releases }, { platform, cache, signal }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error, releases).toBeInstanceOf(UserError);
    expect(JSON.stringify(errorRecord(error))).not.toContain('hunter2');
    expect(inspect(error, { depth: 9 })).not.toContain('hunter2');
  }
});

it('a download ends with the run, and leaves nothing', async () => {
  const server = createServer((_, response) => void response.write('endless'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close().closeAllConnections());
  const { pinned, cache } = await openMirror();
  const releases = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const run = new AbortController();
  const installing = installScanner({ ...pinned, releases }, { platform, cache, signal: run.signal });
  server.once('request', () => setTimeout(() => run.abort(), 50));
  await expect(installing).rejects.toMatchObject({ name: 'AbortError' });
  expect(await readdir(cache)).toEqual([]);
});

it('what killed processes left in the cache goes after a day, and nothing else', async () => {
  const { pinned, cache } = await openMirror();
  const [old, new_, other] = ['.staging-old', '.staging-new', 'something'].map((name) =>
    path.join(cache, name),
  );
  for (const folder of [old!, new_!, other!]) await mkdir(folder, { recursive: true });
  const before = new Date(Date.now() - 25 * 3_600_000);
  for (const folder of [old!, other!]) await utimes(folder, before, before);
  await installScanner(pinned, { platform, cache, signal });
  expect((await readdir(cache)).sort()).toEqual(['.staging-new', 'osv-scanner', 'something']);
});

it('every pinned platform has a program of its own, by its sha256', () => {
  const all = Object.values((committed as PinnedScanner).platforms);
  for (const { sha256: digest } of all) expect(digest).toMatch(/^[0-9a-f]{64}$/);
  expect(new Set(all.flatMap(({ asset, sha256: digest }) => [asset, digest])).size).toBe(2 * all.length);
});
