import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { runStage } from '../../src/stages/define.ts';
import { site } from '../../src/stages/site.ts';
import { keys } from '../../src/store/keys.ts';
import { LogWriter } from '../registry/delivery-world.ts';
import { contextOf, temporaryFolder } from '../registry/world.ts';
import { MemoryStorage } from '../store/memory-storage.ts';
import { fullWorld, hostile, now, SiteWorld } from './world.ts';

const environments = ['staging', 'production'];

async function write(world: SiteWorld, output: string, people = false) {
  const context = { ...contextOf(world.registry), now: () => now };
  return runStage(site, { output, environments, people }, context);
}

/** A world's pages, in a folder of their own. */
async function pagesOf(world: SiteWorld, people = false) {
  const output = path.join(temporaryFolder(), 'site');
  const outcome = await write(world, output, people);
  expect(outcome.error).toBeUndefined();
  const read = (file: string) => readFile(path.join(output, file), 'utf8');
  return { output, outcome, read };
}

const emptyWorld = async () => new SiteWorld(await MemoryStorage.open());

describe('modelgate site', () => {
  it('[MET-1] [MET-2] [MET-3] writes a page a model, and all of them on the first', async () => {
    const { output, outcome, read } = await pagesOf(await fullWorld(await MemoryStorage.open()));
    expect(outcome).toMatchObject({
      verdict: 'pass',
      summary: 'Wrote 6 pages of 5 models. The log of 1 cannot be read.',
    });
    const files = outcome.outputs.files ?? [];
    expect(files).toEqual([...files].sort());
    expect((await readdir(path.join(output, 'models'))).map((name) => `models/${name}`).sort()).toEqual(
      files.filter((file) => file !== 'index.html'),
    );
    const bytes = (await Promise.all(files.map(read))).reduce(
      (sum, text) => sum + Buffer.byteLength(text),
      0,
    );
    expect(outcome.outputs.bytes).toBe(bytes);
    const busy = outcome.outputs.models?.find(({ model }) => model === 'flights-late');
    expect(busy?.delivery).toMatchObject({
      environment: 'production',
      whole: {
        deployments: 16,
        change_failure: { count: 2, of: 16 },
        lead_time: { count: 16, by_second_sign: 0 },
        time_to_restore: { median_seconds: 2.4 * 86_400 },
        override: { count: 2 },
      },
    });
    const page = await read('models/flights-late.html');
    for (const words of [
      'Change failure rate',
      '12.5 %',
      'target below 1',
      'Rollback drills',
      'did not return',
    ])
      expect(page).toContain(words);
  });

  it('escapes what strangers named, asks for nothing, and runs no script', async () => {
    const { outcome, read } = await pagesOf(await fullWorld(await MemoryStorage.open()), true);
    for (const file of outcome.outputs.files ?? []) {
      const text = await read(file);
      expect(text).toContain("default-src 'none'");
      expect(text).not.toMatch(/<script|<img|<link|@import|url\(|\u202e|NaN|Infinity|undefined|\[object/i);
      const links = [...text.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, target]) => target);
      for (const link of links) expect(link).toMatch(/^(\.\.\/index\.html|models\/[a-z0-9._-]+\.html)$/);
    }
  });

  it('names people and their reasons only when asked to', async () => {
    const world = await fullWorld(await MemoryStorage.open());
    const says = async (people: boolean) =>
      await (await pagesOf(world, people)).read('models/flights-late.html');
    expect(await says(true)).toContain('modelgate[bot]');
    const silent = await says(false);
    expect(silent).not.toContain('modelgate[bot]');
    expect(silent).not.toMatch(/<td[^>]*>[^<]*alert\(1\)/);
    expect(silent).toContain('by hand');
  });

  it('shows no earlier check as that of the version that serves, and nothing unknown as quiet', async () => {
    const world = await emptyWorld();
    const log = new LogWriter('2026-11-01T00:00:00Z');
    log.register('a', 'pass', 'block', await world.version('a', null));
    log.promote(1).register('b', 'pass', 'block', await world.version('b', null));
    const drift = (facts: { until: string; version: number; reason_code?: string }) =>
      world.drift({ model: 'm', ...facts });
    await world.keep('m', log);
    await drift({ version: 1, until: '2026-11-03T00:00:00.000Z' });
    const first = async () => (await pagesOf(world)).read('index.html');
    expect(await first()).toContain('Drift not known');
    await drift({ version: 1, until: '2026-11-04T00:00:00.000Z', reason_code: 'no_drift' });
    expect(await first()).toContain('No drift');
    await drift({ version: 2, until: '2026-11-05T00:00:00.000Z', reason_code: 'no_drift' });
    expect(await first()).toContain('Drift not checked');
  });

  it('says so where a gate’s result is not in the store any more', async () => {
    const world = await emptyWorld();
    const log = new LogWriter('2026-11-01T00:00:00Z');
    log.register('gone');
    await world.keep('m', log.promote(1));
    const { outcome, read } = await pagesOf(world);
    expect(outcome.verdict).toBe('pass');
    const page = await read('models/m.html');
    expect(page).toContain('result not in the store');
    expect(page).toContain('from registration');
  });

  it('takes an empty store for one without models', async () => {
    const { outcome, read } = await pagesOf(await emptyWorld());
    expect(outcome.outputs.files).toEqual(['index.html']);
    expect(await read('index.html')).toContain('no model yet');
  });
});

describe('the folder of the pages', () => {
  it('is replaced whole when an earlier run wrote it', async () => {
    const world = await emptyWorld();
    const parent = temporaryFolder();
    const output = path.join(parent, 'site');
    await mkdir(output);
    const log = new LogWriter('2026-11-01T00:00:00Z');
    log.register('a');
    await world.keep('old', log);
    expect((await write(world, output)).outputs.files).toEqual(['index.html', 'models/old.html']);
    await world.store.storage.remove(keys.log('old', 1));
    await world.keep('new', log);
    expect((await write(world, output)).outputs.files).toEqual(['index.html', 'models/new.html']);
    expect(await readdir(path.join(output, 'models'))).toEqual(['new.html']);
    expect(await readdir(parent)).toEqual(['site']);
  });

  it.each([
    ['a file', async (folder: string) => writeFile(folder, 'mine'), 'is no folder'],
    ['a link', async (folder: string) => symlink(path.dirname(folder), folder), 'is no folder'],
    [
      'files of others',
      async (folder: string) => {
        await mkdir(folder);
        await writeFile(path.join(folder, 'index.html'), 'mine');
      },
      'index.html',
    ],
    [
      'a file of others among the pages',
      async (folder: string) => {
        await write(await emptyWorld(), folder);
        await writeFile(path.join(folder, 'models', 'CNAME'), 'mine');
      },
      'models/CNAME',
    ],
  ] as const)('is refused, and left alone, where it is or holds %s', async (_, prepare, named) => {
    const parent = temporaryFolder();
    const output = path.join(parent, 'site');
    await prepare(output);
    const before = await readdir(parent, { recursive: true });
    const outcome = await write(await emptyWorld(), output);
    expect(outcome).toMatchObject({ verdict: 'error', error: { code: 'usage', where: output } });
    expect(outcome.error?.message).toContain(named);
    expect(await readdir(parent, { recursive: true })).toEqual(before);
  });

  it('leaves nothing half-written when it is interrupted', async () => {
    const world = await fullWorld(await MemoryStorage.open());
    const parent = temporaryFolder();
    const output = path.join(parent, 'site');
    const stop = new AbortController();
    const { storage } = world.store;
    const read = storage.read.bind(storage);
    storage.read = (key, limit) => {
      if (key.includes('never-passed')) stop.abort(new Error('interrupted'));
      return read(key, limit);
    };
    await world.keep('z-1', new LogWriter('2026-11-01T00:00:00Z'));
    const more = new LogWriter('2026-11-01T00:00:00Z');
    more.register('a');
    for (let index = 0; index < 8; index += 1) await world.keep(`z-${index}`, more);
    const context = { ...contextOf(world.registry), now: () => now, signal: stop.signal };
    const outcome = await runStage(site, { output, environments, people: false }, context);
    expect(outcome.reason_code).toBe('interrupted');
    expect(await readdir(parent)).toEqual([]);
  });
});

describe('many models and long logs', () => {
  it('200 models make small pages', async () => {
    const world = await emptyWorld();
    const made = await world.version('one', null, { trained_at: '2026-10-31T23:00:00Z' });
    for (let index = 0; index < 200; index += 1) {
      const log = new LogWriter('2026-11-01T00:00:00Z');
      log.register('one', 'pass', 'block', made);
      await world.keep(`model-${index}`, log.promote(1, 'staging').promote(1));
    }
    const { outcome, read } = await pagesOf(world);
    expect(outcome.outputs.files).toHaveLength(201);
    expect((await read('index.html')).length).toBeLessThan(150_000);
    expect((await read('models/model-7.html')).length).toBeLessThan(25_000);
  });

  it('a long log makes a page no longer, and says what is left out', async () => {
    const world = await emptyWorld();
    const log = new LogWriter('2021-01-01T00:00:00Z');
    for (let number = 1; number <= 600; number += 1) {
      const stored = number > 570 ? await world.version(`v ${number}`, { title: hostile }) : {};
      log.register(`v ${number}`, 'pass', 'block', stored);
      log.wait(86_400).promote(number, 'staging').promote(number);
      if (number > 1) log.rollback(number - 1).promote(number);
      if (number === 2)
        log.rollback(1, 'staging', 'drill-1-1-back').rollback(2, 'staging', 'drill-1-1-restore');
      log.wait(86_400 * 2.5);
    }
    for (let week = 0; week < 60; week += 1) {
      const until = new Date(now.getTime() - week * 604_800_000).toISOString();
      const drifted = Array.from({ length: 100 }, (_, index) => `column ${index} ${hostile}`);
      await world.drift({ model: 'm', version: 600, until, drifted, reason_code: 'drift_found' });
    }
    await world.keep('m', log);
    const { read } = await pagesOf(world);
    const page = await read('models/m.html');
    expect(page.length).toBeLessThan(300_000);
    for (const words of [
      '580 older versions',
      'oldest entries were not read',
      '30 checks',
      '38 more columns',
      '<h2>Rollback drills', // the last one, though its entries were not read
    ])
      expect(page).toContain(words);
  });
});
