import { cp, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it, vi } from 'vitest';
import { declareInputs, type ModelInput, readLabelled } from '../../src/monitoring/served.ts';
import { type ServedBlocksOptions, type ServedDay, servedDays } from '../../src/monitoring/served-blocks.ts';
import { bench } from './context.ts';
import { watch } from './watch.ts';
import { environment, model, type World, world } from './world.ts';

const timeout = 120_000;
const inputs: ModelInput[] = [
  { name: 'weight', type: 'float32' },
  { name: 'distance', type: 'float32' },
  { name: 'depot', type: 'string' },
];

function options(bed: World, since = '2013-02-01', until = '2013-03-01'): ServedBlocksOptions {
  const { store } = bed.context;
  const window = { since: new Date(since), until: new Date(until) };
  return { store, engine: bed.engine, model, environment, inputs, threshold: 0.5, ...window };
}

/** Counts are arrays where they were made, and typed arrays where they were read. */
const plain = (days: readonly (ServedDay | undefined)[]): unknown =>
  JSON.parse(
    JSON.stringify(days, (_, value) => (ArrayBuffer.isView(value) ? Array.from(value as Int32Array) : value)),
  );

/** How many objects are read meanwhile. */
async function objectsRead(bed: World, work: () => Promise<unknown>): Promise<number> {
  const read = vi.spyOn(bed.context.store.storage, 'read');
  await work();
  const found = read.mock.calls.filter(([key]) => key.startsWith('objects/')).length;
  read.mockRestore();
  return found;
}

/** Files of the prediction log, by day. */
async function segments(bed: World): Promise<Map<string, string>> {
  const folder = path.join(bed.folder, 'store', 'predictions', model, environment);
  const days = await readdir(folder);
  const entries = days.sort().map(async (day) => {
    const [name] = await readdir(path.join(folder, day));
    return [day, path.join(folder, day, name as string)] as const;
  });
  return new Map(await Promise.all(entries));
}

it('a day is read once, and kept with its week: then its rows may be gone', { timeout }, async () => {
  const bed = await world();
  const first = await servedDays(options(bed));
  expect(first).toHaveLength(28);
  for (const file of (await segments(bed)).values()) await writeFile(file, 'no Parquet');
  const again = async () => expect(plain(await servedDays(options(bed)))).toEqual(plain(first));
  // three days before Monday 4 February, three weeks, and four days
  expect(await objectsRead(bed, again)).toBe(3 + 3 + 4);
  // a window that cuts two of the weeks adds up their days
  const cut = async () =>
    expect(plain(await servedDays(options(bed, '2013-02-06', '2013-02-20')))).toEqual(
      plain(first.slice(5, 19)),
    );
  expect(await objectsRead(bed, cut)).toBe(5 + 1 + 2);
  // a window that cuts a day has to read that one
  await expect(servedDays(options(bed, '2013-02-01T12:00:00Z'))).rejects.toMatchObject({
    code: 'data_unreadable',
  });
});

it('predictions that come late make their day be read again, and no other', { timeout }, async () => {
  const bed = await world();
  const first = await servedDays(options(bed));
  const files = await segments(bed);
  const late = files.get('2013-02-14') as string;
  await cp(late, late.replace('-8000-', '-8001-'));
  for (const [day, file] of files) if (day !== '2013-02-14') await writeFile(file, 'no Parquet');
  const again = await servedDays(options(bed));
  again.forEach((day, i) => {
    if (day.day !== '2013-02-14') expect(plain([day])).toEqual(plain([first[i]]));
    else expect(day.versions[0]?.blocks.rows).toBe(2 * (first[i]?.versions[0]?.blocks.rows ?? 0));
  });
});

it('what is kept and damaged is made anew', { timeout }, async () => {
  const bed = await world({ days: 9 });
  const first = await servedDays(options(bed));
  const folder = path.join(bed.folder, 'store', 'cache', 'monitor-blocks');
  for (const name of await readdir(folder)) await writeFile(path.join(folder, name), '{"names":[');
  expect(plain(await servedDays(options(bed)))).toEqual(plain(first));
});

it('a window that cuts days holds the rows between its ends alone', { timeout }, async () => {
  const bed = await world({ days: 3 });
  const whole = await servedDays(options(bed));
  // all rows of a day are at its midnight: a window from noon has the later days alone
  const cut = await servedDays(options(bed, '2013-02-01T12:00:00Z'));
  expect(cut.map(({ day }) => day)).toEqual(['2013-02-02', '2013-02-03']);
  expect(plain(cut)).toEqual(plain(whole.slice(1)));
});

it('versions of one day are kept apart, and their inputs judged together', { timeout }, async () => {
  const bed = await world({ version: 'CASE WHEN i % 4 = 0 THEN 2 ELSE 1 END' });
  const days = await servedDays(options(bed));
  expect(days[0]?.versions.map(({ version, blocks }) => [version, blocks.rows])).toEqual([
    [1, 75],
    [2, 25],
  ]);
  const { outcome } = await watch(bed);
  expect(outcome.outputs?.rows).toBe(2800);
});

it('the same check twice says the same, the second from what is kept', { timeout }, async () => {
  const bed = await world({ weight: 'weight + 1' });
  const first = await watch(bed);
  const second = await watch(bed);
  expect(second.signals).toEqual(first.signals);
  expect(first.of('weight')?.verdict).toBe('alert');
});

it('a value that the deployed model cannot take is null, and stops no check', { timeout }, async () => {
  const { engine } = await bench();
  await engine.execute(
    `CREATE VIEW logged AS SELECT * FROM (VALUES
       (1e300, 1e300, 'yes please', 'abc'), (2.5, 7, 'true', '3.5')) t(single, whole, flag, text)`,
  );
  const inputs = [
    { name: 'single', type: 'float64' as const },
    { name: 'whole', type: 'int64' as const },
    { name: 'flag', type: 'bool' as const },
    { name: 'text', type: 'float32' as const },
  ];
  await declareInputs(engine, { view: 'seen', source: 'logged', inputs, time: null });
  expect(await engine.rows('SELECT single, whole, flag, text FROM seen')).toEqual([
    { single: null, whole: null, flag: null, text: null },
    { single: 2.5, whole: 7, flag: true, text: 3.5 },
  ]);
});

it.each([[`'late'`], [`DATE '2013-01-01'`]])(
  'labels that are no numbers are the user’s error: %s',
  async (label) => {
    const { engine } = await bench();
    await engine.execute(`CREATE VIEW labels AS SELECT 'a' AS k, ${label} AS y`);
    const source = { file: 'labels.csv', key: 'k', label: 'y' };
    await expect(
      readLabelled(engine, { predictions: 'none', labels: 'labels', source }),
    ).rejects.toMatchObject({ code: 'config_invalid', where: 'labels.csv' });
  },
);
