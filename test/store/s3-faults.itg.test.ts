import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { sha256 } from '../../src/json.ts';
import { silentLogger } from '../../src/logger.ts';
import { Registry } from '../../src/registry/registry.ts';
import { runStage } from '../../src/stages/define.ts';
import { probe } from '../../src/stages/probe.ts';
import { FileSystemStorage } from '../../src/store/file-system.ts';
import { S3Storage } from '../../src/store/s3.ts';
import type { Storage } from '../../src/store/storage.ts';
import { Store } from '../../src/store/store.ts';
import { contextOf, temporaryFolder } from '../registry/world.ts';
import {
  evenly,
  type FaultProxy,
  type ProxyOptions,
  seeded,
  startFaultProxy,
} from './servers/fault-proxy.ts';
import { bucket, environmentFor, noServer, type S3Server, startS3 } from './servers/s3-server.ts';

const missing = noServer();
const cache = mkdtempSync(join(tmpdir(), 'modelgate-s3-faults-'));
let server: S3Server;

async function proxied(options: Omit<ProxyOptions, 'upstream'>): Promise<FaultProxy> {
  const proxy = await startFaultProxy({ upstream: server.port, ...options });
  onTestFinished(() => proxy.stop());
  return proxy;
}

function open(port: number, prefix: string, tries = 16): Promise<S3Storage> {
  return S3Storage.open(`s3://${bucket}/${prefix}`, {
    cacheFolder: cache,
    environment: environmentFor(port),
    partSize: 5 * 2 ** 20,
    policy: { tries, pause: 2 },
    requestTimeout: 5_000,
  });
}

const registryOver = (storage: Storage) =>
  new Registry({ store: new Store(storage), now: () => new Date(), logger: silentLogger });

/** Creating exactly once, and promoters at once, through the same faults: test/registry/races. */
describe.skipIf(missing !== null)(`S3 on a bad day (${missing ?? 'a real server behind a proxy'})`, () => {
  beforeAll(async () => {
    server = await startS3();
    Object.assign(process.env, server.environment);
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(cache, { recursive: true, force: true });
  });

  it('reads, replaces, removes and uploads in parts through the same faults', {
    timeout: 120_000,
  }, async () => {
    const proxy = await proxied({ fault: seeded(6, evenly(0.25)) });
    const storage = await open(proxy.port, 'parts');
    const file = join(cache, 'large');
    const bytes = Buffer.alloc(6 * 2 ** 20, 'parts of a model ');
    writeFileSync(file, bytes);
    for (let round = 0; round < 6; round += 1) {
      const content = { file, sha256: sha256(bytes) };
      const ends = await Promise.all([1, 2].map(() => storage.create(`large/${round}`, content)));
      // moto completes two uploads at once
      if (server.kind === 'versitygw') expect(ends.sort()).toEqual(['created', 'exists']);
      const streamed: Buffer[] = [];
      for await (const chunk of (await storage.stream(`large/${round}`)) ?? [])
        streamed.push(chunk as Buffer);
      expect(sha256(Buffer.concat(streamed))).toBe(content.sha256);
      expect(sha256((await storage.read(`large/${round}`)) ?? '')).toBe(content.sha256);
      await storage.replace('hint/a', Buffer.from(`hint ${round}`));
      // a late request may bring an older hint back
      expect((await storage.read('hint/a'))?.toString()).toMatch(/^hint [0-5]$/);
      await storage.remove(`large/${round}`);
      expect(await storage.size(`large/${round}`)).toBeNull();
    }
  });

  it('gives up with words after answers that never come, and the same operation is found afterwards', async () => {
    const proxy = await proxied({ fault: (request) => (request.method === 'PUT' ? 'lost' : null) });
    const storage = await open(proxy.port, 'lost');
    expect(await storage.create('a/b', Buffer.from('x'))).toBe('created');
    expect(await storage.create('a/b', Buffer.from('x'))).toBe('exists');
    const dead = await proxied({ fault: () => 'refused' });
    await expect((await open(dead.port, 'lost', 4)).create('a/c', Buffer.from('x'))).rejects.toMatchObject({
      code: 'storage_unavailable',
    });
  });

  it('registry probe passes a folder, and the server also through faults', { timeout: 120_000 }, async () => {
    const proxy = await proxied({ fault: seeded(8, evenly(0.1)) });
    const stores = [
      new FileSystemStorage(temporaryFolder()),
      await open(server.port, 'probe'),
      await open(proxy.port, 'probe'),
    ];
    for (const storage of stores) {
      const outcome = await runStage(probe, {}, contextOf(registryOver(storage)));
      expect(outcome).toMatchObject({ verdict: 'pass', reason_code: 'done', outputs: { failed: [] } });
      for await (const { key } of storage.list('')) expect.fail(key);
    }
  });

  it('registry probe refuses a store that ignores If-None-Match, and names what failed', async () => {
    const drop = { headers: ['if-none-match'], secret: server.environment.AWS_SECRET_ACCESS_KEY ?? '' };
    const storage = await open((await proxied({ drop })).port, 'careless');
    const outcome = await runStage(probe, {}, contextOf(registryOver(storage)));
    expect(outcome).toMatchObject({
      verdict: 'fail',
      reason_code: 'storage_unsuitable',
      outputs: { failed: ['create_once', 'race'] },
    });
    expect(outcome.summary).toMatch(/race \((?:[2-9]|1\d) of 16 concurrent creators of one name won\)/);
    for await (const { key } of storage.list('')) expect.fail(key);
  });
});
