import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sha256 } from '../../src/json.ts';
import { S3Storage } from '../../src/store/s3.ts';
import { storageConformance } from './conformance.ts';
import { bucket, noServer, type S3Server, startS3 } from './servers/s3-server.ts';

const missing = noServer();
let server: S3Server;
let opened = 0;
const cache = mkdtempSync(join(tmpdir(), 'modelgate-s3-cache-'));
const policy = { tries: 3, pause: 5 };

function open(place = `${bucket}/conformance/${opened++}`, environment: Record<string, string> = {}) {
  const options = { cacheFolder: join(cache, String(opened)), partSize: 5 * 2 ** 20, policy };
  return S3Storage.open(`s3://${place}`, {
    ...options,
    environment: { ...server.environment, ...environment },
  });
}

describe.skipIf(missing !== null)(`S3 (${missing ?? 'a real server'})`, () => {
  beforeAll(async () => {
    server = await startS3();
    Object.assign(process.env, server.environment);
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(cache, { recursive: true, force: true });
  });

  storageConformance('S3', () => open());

  it('uploads a large file in parts, once, with the whole verified', async () => {
    const storage = await open();
    const file = join(cache, 'large');
    const bytes = Buffer.alloc(11 * 2 ** 20 + 17, 'a large model ');
    writeFileSync(file, bytes);
    const content = { file, sha256: sha256(bytes) };
    const ends = await Promise.all([1, 2, 3].map(() => storage.create('large/a', content)));
    // moto completes two uploads at once
    if (server.kind === 'versitygw') expect(ends.sort()).toEqual(['created', 'exists', 'exists']);
    expect(await storage.size('large/a')).toBe(bytes.length);
    expect(sha256((await storage.read('large/a')) ?? '')).toBe(content.sha256);
    await expect(storage.create('large/b', { file, sha256: sha256('other') })).rejects.toMatchObject({
      code: 'object_damaged',
    });
    expect(await storage.size('large/b')).toBeNull();
    // a whole number of parts
    writeFileSync(file, bytes.subarray(0, 10 * 2 ** 20));
    expect(await storage.create('large/c', { file })).toBe('created');
    expect(await storage.size('large/c')).toBe(10 * 2 ** 20);
  });

  it('compares bytes where the object is not signed: equal ones count as ours', async () => {
    const storage = await open();
    await storage.replace('unsigned/a', Buffer.from('same'));
    expect(await storage.create('unsigned/a', Buffer.from('other'))).toBe('exists');
    expect(await storage.create('unsigned/a', Buffer.from('same'))).toBe('created');
  });

  it('lists page by page', { timeout: 120_000 }, async () => {
    const storage = await open();
    const wanted = Array.from({ length: 1_020 }, (_, index) => `many/${String(index).padStart(4, '0')}`);
    for (let at = 0; at < wanted.length; at += 60) {
      await Promise.all(wanted.slice(at, at + 60).map((key) => storage.replace(key, Buffer.from('x'))));
    }
    const listed: string[] = [];
    for await (const { key } of storage.list('many/')) listed.push(key);
    expect(listed.sort()).toEqual(wanted);
  });

  it('gives the newest content as local file, and fetches a damaged copy again', async () => {
    const storage = await open(`${bucket}/copies`);
    await storage.replace('file/a', Buffer.from('first'));
    const first = (await storage.localFile('file/a')) ?? '';
    await storage.replace('file/a', Buffer.from('second'));
    const second = (await storage.localFile('file/a')) ?? '';
    expect(second).not.toBe(first);
    rmSync(second, { force: true });
    writeFileSync(second, 'damage');
    const elsewhere = await S3Storage.open(`s3://${bucket}/copies`, {
      cacheFolder: join(second, '..', '..'),
      environment: server.environment,
    });
    const again = (await elsewhere.localFile('file/a')) ?? '';
    expect(sha256((await elsewhere.read('file/a')) ?? '')).toBe(sha256('second'));
    expect(again).toBe(second);
  });

  it('tells what is wrong: bucket, keys, endpoint', async () => {
    const nowhere = await open('no-such-bucket');
    for (const work of [() => nowhere.prepare(), () => nowhere.read('a/b'), () => nowhere.size('a/b')]) {
      await expect(work()).rejects.toMatchObject({
        code: 'storage_unavailable',
        message: 'There is no such bucket.',
      });
    }
    await expect(nowhere.create('a/b', Buffer.from('x'))).rejects.toMatchObject({
      message: 'There is no such bucket.',
    });
    const away = await open(`${bucket}/a`, { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' });
    await expect(away.read('a/b')).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: 'S3 cannot be reached (ECONNREFUSED).',
    });
    if (server.kind === 'moto') return; // it accepts any secret
    process.env.AWS_SECRET_ACCESS_KEY = 'wrong';
    const stranger = await open(`${bucket}/a`);
    for (const work of [() => stranger.read('a/b'), () => stranger.size('a/b')]) {
      await expect(work()).rejects.toMatchObject({
        code: 'storage_unavailable',
        message: 'S3 does not accept the credentials (SignatureDoesNotMatch).',
      });
    }
    Object.assign(process.env, server.environment);
  });

  it('says that there are no credentials', async () => {
    delete process.env.AWS_ACCESS_KEY_ID;
    try {
      const storage = await open();
      await expect(storage.read('a/b')).rejects.toMatchObject({
        code: 'storage_unavailable',
        message: 'There are no credentials for S3.',
      });
    } finally {
      Object.assign(process.env, server.environment);
    }
  });
});
