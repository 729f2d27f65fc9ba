import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Split } from '../../src/config/schema.ts';
import { checkDisjoint, splitTable } from '../../src/data/split.ts';
import { hashFile } from '../../src/store/store.ts';
import { type TestContext, testContext } from './context.ts';

let test: TestContext;
let file: string;
beforeAll(async () => {
  test = await testContext();
  file = await test.parquet(
    'features.parquet',
    `SELECT concat('k', range) AS key, TIMESTAMP '2013-01-01' + to_minutes(range * 20) AS at, range % 2 AS label,
            concat('g', range % 97) AS customer, range AS x FROM range(2000)`,
  );
});
afterAll(() => test.close());

const columns = [
  { name: 'key', type: 'string', role: 'key' },
  { name: 'at', type: 'timestamp', role: 'time' },
  { name: 'label', type: 'integer', role: 'label' },
  { name: 'customer', type: 'string', role: 'keep' },
  { name: 'x', type: 'integer', role: 'feature' },
] as const;

let runs = 0;
async function split(how: Split, from = file) {
  const engine = await test.engine();
  const folder = path.join(test.folder, `split-${runs++}`);
  await mkdir(folder);
  return {
    engine,
    parts: await splitTable({ engine, file: from, columns: [...columns], split: how, folder }),
  };
}

describe('split', () => {
  it('[VAL-7] by time: the newest whole days validate, and nothing before them', async () => {
    const { parts } = await split({ by: 'time', validation: 0.2 });
    const [train, validation] = parts;
    expect(train!.rows + validation!.rows).toBe(2000);
    expect(validation!.from).toBe('2013-01-23T00:00:00.000Z');
    expect(train!.until! < validation!.from!).toBe(true);
  });

  it('[VAL-7] by hash: the same parts in every run, and a row stays when others come and go', async () => {
    const how = { by: 'hash', validation: 0.2, test: 0.1 } as const;
    const [one, two] = [await split(how), await split(how)];
    for (const [index, part] of one.parts.entries()) {
      expect((await hashFile(part.file)).sha256).toBe((await hashFile(two.parts[index]!.file)).sha256);
    }
    expect(one.parts.map((part) => part.name)).toEqual(['train', 'validation', 'test']);
    expect(one.parts[1]!.rows / 2000).toBeCloseTo(0.2, 1);
    const fewer = await test.parquet(
      'fewer.parquet',
      `SELECT * FROM (SELECT concat('k', range) AS key, TIMESTAMP '2013-01-01' AS at, 0 AS label, 'g' AS customer, 1 AS x FROM range(0, 2000, 3))`,
    );
    const kept = await split(how, fewer);
    await one.engine.addFile('before', one.parts[1]!.file);
    await one.engine.addFile('after', kept.parts[1]!.file);
    const [row] = await one.engine.rows(
      'SELECT count(*) AS n FROM after WHERE key NOT IN (SELECT key FROM before)',
    );
    expect(row).toEqual({ n: 0 });
  });

  it('[VAL-7] keeps a group together', async () => {
    const { engine, parts } = await split({ by: 'hash', group: 'customer', validation: 0.3, test: 0 });
    for (const part of parts) await engine.addFile(part.name, part.file);
    expect(
      await engine.rows(
        'SELECT count(*) AS n FROM train WHERE customer IN (SELECT customer FROM validation)',
      ),
    ).toEqual([{ n: 0 }]);
  });

  it('[VAL-7] sees a key that stands in two parts', async () => {
    const { engine, parts } = await split({ by: 'hash', validation: 0.3, test: 0 });
    await expect(
      checkDisjoint(engine, [parts[0]!, { name: 'test', file: parts[0]!.file }], 'key'),
    ).rejects.toMatchObject({
      code: 'split_overlap',
    });
  });

  it('refuses an empty part and a group that is not there', async () => {
    const day = await test.parquet(
      'day.parquet',
      `SELECT 'a' AS key, TIMESTAMP '2013-01-01' AS at, 0 AS label, 'g' AS customer, 1 AS x`,
    );
    await expect(split({ by: 'time', validation: 0.2 }, day)).rejects.toMatchObject({ code: 'data_empty' });
    await expect(split({ by: 'hash', group: 'city', validation: 0.2, test: 0 })).rejects.toMatchObject({
      code: 'config_invalid',
    });
  });
});
