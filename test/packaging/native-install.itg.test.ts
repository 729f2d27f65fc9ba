import { execFile, fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nativeLock } from '../../scripts/native-lock.ts';
import { type Installation, installNative, type NativePackage } from '../../src/native-install.ts';
import committed from '../../src/native-lock.json' with { type: 'json' };

const platform = 'linux-x64';
let folder: string;
let server: Server;
let archive: Buffer;
/** Paths that were asked for. */
let asked: string[];

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'native-install-'));
  archive = await packed({
    'package.json': '{"name":"@acme/native"}',
    'bin/ours.node': 'A',
    'bin/other.node': 'B',
  });
  asked = [];
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(request.url?.includes('/native-') ? 200 : 404).end(archive);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

async function packed(files: Record<string, string>): Promise<Buffer> {
  const root = path.join(folder, 'sources/package');
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), text);
  }
  const file = path.join(folder, 'package.tgz');
  await promisify(execFile)('tar', ['-czf', file, '-C', path.dirname(root), 'package']);
  return readFile(file);
}

function installation(part: Partial<NativePackage> = {}, change: Partial<Installation> = {}): Installation {
  const integrity = `sha512-${createHash('sha512').update(archive).digest('base64')}`;
  const one = {
    name: '@acme/native',
    version: '1.2.3',
    integrity,
    keep: ['package.json', 'bin/ours.node'],
    ...part,
  };
  return {
    lock: { '@acme/native': { [platform]: [one] } },
    library: '@acme/native',
    platform,
    cache: path.join(folder, 'cache'),
    registry: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...change,
  };
}

const kept = async () =>
  (await readdir(path.join(folder, 'cache'), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(path.join(folder, 'cache'), path.join(entry.parentPath, entry.name)))
    .sort();

describe('a native library for a bundled action', () => {
  it('is what package-lock.json pins, for each platform', async () => {
    expect(committed).toEqual(await nativeLock());
    for (const platforms of Object.values(committed))
      for (const packages of Object.values(platforms))
        for (const { integrity } of packages) expect(integrity).toMatch(/^sha512-.{88}$/);
  });

  it('is installed by version and platform, with the files of this platform alone, and found again offline', async () => {
    const found = await installNative(installation());
    expect(asked).toEqual(['/@acme/native/-/native-1.2.3.tgz']);
    expect(path.relative(folder, found)).toBe('cache/acme-native/1.2.3/linux-x64');
    const place = 'acme-native/1.2.3/linux-x64/node_modules/@acme/native';
    expect(await kept()).toEqual([`${place}/bin/ours.node`, `${place}/package.json`]);
    expect(await installNative(installation({}, { registry: 'http://127.0.0.1:9' }))).toBe(found);
    expect(asked).toHaveLength(1);
  });

  it('is refused when its bytes are not the pinned ones, and nothing of it is left', async () => {
    const pinned = installation();
    archive = Buffer.concat([archive, Buffer.from('x')]);
    await expect(installNative(pinned)).rejects.toMatchObject({ code: 'native_damaged' });
    expect(await kept()).toEqual([]);
  });

  it('that cannot be downloaded or unpacked is told with what to do, and leaves nothing', async () => {
    const offline = installNative(installation({}, { registry: 'http://127.0.0.1:9' }));
    await expect(offline).rejects.toMatchObject({
      code: 'native_missing',
      fix: expect.stringContaining('MODELGATE_NATIVE_REGISTRY'),
    });
    const absent = installNative(installation({ name: '@acme/none' }));
    await expect(absent).rejects.toThrow(/answers 404/);
    const broken = installNative(installation({ keep: ['package.json', 'lib/not-there'] }));
    await expect(broken).rejects.toMatchObject({ code: 'native_missing' });
    expect(await kept()).toEqual([]);
  });

  it('of an unsupported platform names the supported ones', async () => {
    await expect(installNative(installation({}, { platform: 'freebsd-x64' }))).rejects.toMatchObject({
      code: 'native_unsupported',
      where: 'freebsd-x64',
      fix: expect.stringContaining('linux-x64'),
    });
  });

  it('is whole when several processes install it at the same time', async () => {
    const file = path.join(folder, 'installation.json');
    await writeFile(file, JSON.stringify(installation()));
    const module = path.join(import.meta.dirname, 'install-process.ts');
    const codes = await Promise.all(
      Array.from({ length: 4 }, () => {
        const child = fork(module, [file]);
        return new Promise((resolve) => child.once('close', resolve));
      }),
    );
    expect(codes).toEqual([0, 0, 0, 0]);
    expect(await kept()).toHaveLength(2);
    expect(existsSync(path.join(folder, 'cache/acme-native/1.2.3/linux-x64'))).toBe(true);
  });
});
