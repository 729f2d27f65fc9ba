import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { sha256 } from '../../src/json.ts';
import { silentLogger } from '../../src/logger.ts';
import { Registry } from '../../src/registry/registry.ts';
import { environmentOf } from '../../src/registry/state.ts';
import { verify } from '../../src/registry/verify.ts';
import { promote } from '../../src/rollout/move.ts';
import { runStage } from '../../src/stages/define.ts';
import { probe } from '../../src/stages/probe.ts';
import { FileSystemStorage } from '../../src/store/file-system.ts';
import { S3Storage } from '../../src/store/s3.ts';
import type { Storage } from '../../src/store/storage.ts';
import { Store } from '../../src/store/store.ts';
import { contextOf, model, promotion, registerVersions, temporaryFolder } from '../registry/world.ts';
import { type FaultProxy, type ProxyOptions, seeded, startFaultProxy } from './servers/fault-proxy.ts';
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

describe.skipIf(missing !== null)(`S3 on a bad day (${missing ?? 'a real server behind a proxy'})`, () => {
  beforeAll(async () => {
    server = await startS3();
    Object.assign(process.env, server.environment);
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(cache, { recursive: true, force: true });
  });

  it('creates exactly once under lost answers, echoes, refusals and delays: 0 double, 0 lost', {
    timeout: 240_000,
  }, async () => {
    const proxy = await proxied({ fault: seeded(5, 0.3) });
    const direct = await open(server.port, 'faults');
    const writers = await Promise.all([0, 1, 2].map(() => open(proxy.port, 'faults')));
    const names = Array.from({ length: 200 }, (_, index) => `race/${index}`);
    let doubled = 0;
    let lost = 0;
    for (let at = 0; at < names.length; at += 10) {
      await Promise.all(
        names.slice(at, at + 10).map(async (name) => {
          // two writers with bytes of their own, and a third with the bytes of the second
          const contents = [`${name} a`, `${name} b`, `${name} b`];
          const ends = await Promise.all(
            writers.map((writer, index) => writer.create(name, Buffer.from(contents[index] ?? ''))),
          );
          const winners = ends.flatMap((end, index) => (end === 'created' ? [contents[index]] : []));
          if (winners.length > 1) doubled += 1;
          if (winners[0] !== (await direct.read(name))?.toString()) lost += 1;
        }),
      );
    }
    const injected = [...proxy.counts].filter(([kind]) => kind !== 'none');
    const faultCount = injected.reduce((sum, [, count]) => sum + count, 0);
    console.log(`${names.length * 3} creates, ${faultCount} faults: ${doubled} double, ${lost} lost`);
    expect({ doubled, lost }).toEqual({ doubled: 0, lost: 0 });
    expect(faultCount).toBeGreaterThan(200);
    expect(injected.map(([, count]) => count).every((count) => count > 5)).toBe(true);
  });

  it('reads, replaces, removes and uploads in parts through the same faults', {
    timeout: 120_000,
  }, async () => {
    const proxy = await proxied({ fault: seeded(6, 0.25) });
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
      expect((await storage.read('hint/a'))?.toString()).toBe(`hint ${round}`);
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

  it('8 promoters at once through faults: exactly one winner a generation', {
    timeout: 240_000,
  }, async () => {
    const direct = await open(server.port, 'promoters');
    await registerVersions(registryOver(direct), 8);
    const proxy = await proxied({ fault: seeded(7, 0.2) });
    const promoters = await Promise.all(
      Array.from({ length: 8 }, async () => registryOver(await open(proxy.port, 'promoters'))),
    );
    const rounds = 5;
    const won: { generation: number; seq: number | null }[] = [];
    const codes = new Set<string>();
    for (let round = 0; round < rounds; round += 1) {
      await Promise.all(
        promoters.map(async (registry, id) => {
          try {
            const moved = await promote(registry, {
              ...promotion,
              version: 1 + ((id + round) % 8),
              expected_generation: round,
              op_id: `race-${id}-${round}`,
              actor: { name: `promoter-${id}`, via: 'service' },
            });
            if (moved.status === 'committed' || moved.status === 'replayed') won.push(moved);
          } catch (error) {
            if (!(error instanceof UserError)) throw error;
            codes.add(error.code);
          }
        }),
      );
    }
    console.log(
      `8 promoters, ${rounds} generations: ${won.length} winners, ${proxy.counts.get('none')} clean requests`,
    );
    expect(won.map(({ generation }) => generation)).toEqual([1, 2, 3, 4, 5]);
    expect([...codes]).toEqual(['generation_moved']);
    const { history } = environmentOf(await registryOver(direct).state(model), 'staging');
    expect(history.map(({ seq }) => seq)).toEqual(won.map(({ seq }) => seq));
    expect(await verify(direct, { anchor: null, read_data: true })).toMatchObject({
      answer: 'sound',
      missing: [],
      bad: [],
    });
  });

  it('registry probe passes a folder, and the server also through faults', { timeout: 120_000 }, async () => {
    const proxy = await proxied({ fault: seeded(8, 0.1) });
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
