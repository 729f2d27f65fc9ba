import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLogger } from '../../src/logger.ts';
import { copyModel } from '../../src/registry/export.ts';
import { collect } from '../../src/registry/gc.ts';
import { register } from '../../src/registry/register.ts';
import { Registry } from '../../src/registry/registry.ts';
import { StoreLog } from '../../src/registry/store-log.ts';
import { verify } from '../../src/registry/verify.ts';
import { promote } from '../../src/rollout/move.ts';
import { S3Storage } from '../../src/store/s3.ts';
import { Store } from '../../src/store/store.ts';
import { bucket, noServer, type S3Server, startS3 } from '../store/servers/s3-server.ts';
import {
  alice,
  Clock,
  model,
  openRegistry,
  promotion,
  registerVersions,
  storeRun,
  temporaryFolder,
} from './world.ts';

const missing = noServer();
const cache = mkdtempSync(join(tmpdir(), 'modelgate-s3-cache-'));
const day = 86_400_000;
let server: S3Server;

async function openS3(prefix: string, now: () => Date = () => new Date()): Promise<Registry> {
  const { environment } = server;
  const storage = await S3Storage.open(`s3://${bucket}/${prefix}`, { cacheFolder: cache, environment });
  return new Registry({ store: new Store(storage), now, logger: silentLogger });
}

describe.skipIf(missing !== null)(`stores in a bucket (${missing ?? 'a real server'})`, () => {
  beforeAll(async () => {
    server = await startS3();
    Object.assign(process.env, server.environment);
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(cache, { recursive: true, force: true });
  });

  it('copies a model from a folder to a bucket and on to a folder, sound and with the same head', async () => {
    const from = openRegistry(temporaryFolder());
    await registerVersions(from, 2);
    await promote(from, { ...promotion, version: 1, actor: alice });
    const middle = await openS3('copy');
    const { sent, head } = await copyModel(from, middle, model);
    expect(await copyModel(from, await openS3('copy'), model)).toMatchObject({ sent: 0, entries_sent: 0 });
    const to = openRegistry(temporaryFolder());
    expect(await copyModel(await openS3('copy'), to, model)).toMatchObject({ sent, head });
    for (const { store } of [middle, to]) {
      const { answer, heads, orphans } = await verify(store.storage, { anchor: null, read_data: true });
      expect({ answer, head: heads[0]?.sha256, orphans }).toEqual({ answer: 'sound', head, orphans: 0 });
    }
  });

  it('collects garbage in a bucket, and what is named meanwhile stays', async () => {
    const clock = new Clock(new Date().toISOString());
    const registry = await openS3('gc', clock.now);
    const { store } = registry;
    const log = new StoreLog({ storage: store.storage, now: clock.now, logger: silentLogger });
    const run = () =>
      collect(registry, log, { actor: alice, grace: 7 * day, cacheRetention: day, dryRun: false });
    await registerVersions(registry, 1);
    const gate = await storeRun(store, { seed: 8 });
    await storeRun(store, { seed: 9, rows: 9 });
    clock.forward(8 * day);
    expect((await run()).marked).toBeGreaterThan(8);
    await register(registry, { model, gate, actor: alice });
    clock.forward(7 * day);
    expect((await run()).swept).toBeGreaterThan(5);
    const { answer, orphans } = await verify(store.storage, { anchor: null, read_data: true });
    expect({ answer, orphans }).toEqual({ answer: 'sound', orphans: 0 });
  });
});
