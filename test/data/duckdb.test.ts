import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { identifier, literal } from '../../src/data/engine.ts';
import { computeBlocks } from '../../src/data/profile.ts';
import { flightsData, type TestContext, testContext } from './context.ts';

let test: TestContext;
beforeAll(async () => {
  test = await testContext();
});
afterAll(() => test.close());

describe('DuckDB engine', () => {
  it('gives values in the words of the port', async () => {
    const engine = await test.engine();
    const [row] = await engine.rows(
      `SELECT 1::HUGEINT AS a, 1.25::DECIMAL(5, 2) AS b, TIMESTAMP '2013-01-01 10:00:00' AS c, NULL AS d,
              9007199254740993::BIGINT AS e, 'x' AS f, true AS g, DATE '2013-01-02' AS h, [1, 2] AS i`,
    );
    expect(row).toEqual({
      a: 1,
      b: 1.25,
      c: '2013-01-01T10:00:00.000Z',
      d: null,
      e: '9007199254740993',
      f: 'x',
      g: true,
      h: '2013-01-02T00:00:00.000Z',
      i: '[1,2]',
    });
    const vectors = await engine.columns("SELECT * FROM (VALUES (1.5, 'a'), (NULL, NULL)) t(x, y)");
    expect([...vectors[0]!.values]).toEqual([1.5, Number.NaN]);
    expect([...vectors[0]!.nulls!]).toEqual([0, 1]);
    expect(vectors[1]!.values).toEqual(['a', null]);
  });

  it('gives large results by batches, nulls and small integers included', async () => {
    const engine = await test.engine();
    const sql = `SELECT CAST(i AS SMALLINT) AS i, CASE WHEN i % 3 = 0 THEN NULL ELSE i / 2.0 END AS x, i / 2.0 AS y
                 FROM range(5000) AS t(i)`;
    const seen = new Map<number, [number, number]>();
    let batches = 0;
    for await (const [i, x, y] of engine.batches(sql)) {
      batches++;
      i!.values.forEach((value, row) => {
        expect(x!.nulls![row]).toBe(Number(value) % 3 === 0 ? 1 : 0);
        seen.set(Number(value), [Number(x!.values[row]), Number(y!.values[row])]);
      });
    }
    expect(batches).toBeGreaterThan(1);
    expect(seen.size).toBe(5000);
    for (const [i, [x, y]] of seen) expect([x, y]).toEqual([i % 3 === 0 ? Number.NaN : i / 2, i / 2]);
  });

  it('gives the rows of a file in its own order, filtered ones too, and holds few batches at a time', async () => {
    const engine = await test.engine();
    const file = path.join(test.folder, 'ordered.parquet');
    await engine.writeParquet('SELECT CAST(i AS DOUBLE) AS i FROM range(2000000) AS t(i)', file);
    await engine.addFile('ordered', file);
    const before = process.memoryUsage().arrayBuffers;
    let [row, most] = [0, 0];
    for await (const [i] of engine.batches('SELECT i FROM ordered WHERE i <> 0')) {
      for (const value of i!.values) if (value !== ++row) throw new Error(`${value} in row ${row}`);
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    expect(row).toBe(1_999_999);
    expect(most).toBeLessThan(2 ** 23);
  });

  it('gives the rows of files in sections, in their own order, and numbers into arrays', async () => {
    const engine = await test.engine();
    const x = 'CASE WHEN i % 5 = 0 THEN NULL ELSE i / 2.0 END AS x';
    const files = ['first', 'second'].map((name) => path.join(test.folder, `${name} in sections.parquet`));
    await engine.writeParquet(
      `SELECT CAST(i % 200 AS UTINYINT) AS k, ${x} FROM range(300000) t(i)`,
      files[0]!,
    );
    await engine.writeParquet(`SELECT CAST(i % 200 AS UTINYINT) AS k, ${x} FROM range(9) t(i)`, files[1]!);
    await engine.addFile('in "sections"', files);
    const relation = identifier('in "sections"');
    const sections = await engine.sections(relation, 130_000);
    // row groups have 122,880 rows
    expect(sections).toHaveLength(4);
    const [k, values] = [new Uint8Array(300_009), new Float64Array(300_009)];
    const rows: number[] = [];
    for (const section of sections!) {
      const from = rows.reduce((sum, n) => sum + n, 0);
      rows.push(await engine.numbers(`SELECT k, x FROM (${section})`, { arrays: [k, values], from }));
    }
    expect(rows).toEqual([122_880, 122_880, 54_240, 9]);
    k.forEach((found, row) => {
      const i = row % 300_000;
      if (found !== i % 200) throw new Error(`${found} in row ${row}`);
    });
    values.forEach((found, row) => {
      const i = row % 300_000;
      if (!Object.is(found, i % 5 === 0 ? Number.NaN : i / 2)) throw new Error(`${found} in row ${row}`);
    });

    // a column of that name hides the row's number
    const hiding = path.join(test.folder, 'hiding.parquet');
    await engine.writeParquet('SELECT 1 AS "File_Row_Number" FROM range(300000)', hiding);
    await engine.addFile('in "sections"', hiding);
    expect(await engine.sections(relation, 130_000)).toBe(null);
    expect(await engine.sections('nothing', 130_000)).toBe(null);
  });

  it('takes times as UTC and keeps the offset of text', async () => {
    const engine = await test.engine();
    const [row] = await engine.rows(
      "SELECT CAST('2013-01-01T05:00:00-05:00' AS TIMESTAMPTZ) AT TIME ZONE 'UTC' AS t, current_setting('TimeZone') AS z",
    );
    expect(row).toEqual({ t: '2013-01-01T10:00:00.000Z', z: 'UTC' });
  });

  it('reads no file but the declared ones, and its settings cannot be changed', async () => {
    const engine = await test.engine();
    const secret = path.join(test.folder, 'secret.csv');
    await writeFile(secret, 'a\n1\n');
    for (const sql of [
      `SELECT * FROM read_csv(${literal(secret)})`,
      `SELECT * FROM read_text(${literal(secret)})`,
      `SELECT * FROM glob('/etc/*')`,
      `COPY (SELECT 1) TO ${literal(path.join(test.folder, 'out.csv'))}`,
      `ATTACH ${literal(path.join(test.folder, 'x.db'))}`,
      'SET enable_external_access = true',
      'INSTALL httpfs',
    ]) {
      await expect(engine.rows(sql), sql).rejects.toThrow(/Permission|locked|disabled/i);
    }
    expect(await readdir(test.folder)).not.toContain('out.csv');
  });

  it('calls a corrupt, a cut and a missing file what they are', async () => {
    const engine = await test.engine();
    const whole = await readFile(path.join(flightsData, 'weather.parquet'));
    const cut = path.join(test.folder, 'cut.parquet');
    await writeFile(cut, whole.subarray(0, whole.length / 2));
    await expect(engine.addFile('t', cut)).rejects.toMatchObject({ code: 'data_unreadable' });
    const torn = Buffer.from(whole);
    torn.fill(0x5a, 1000, 150_000);
    const damaged = path.join(test.folder, 'torn.parquet');
    await writeFile(damaged, torn);
    await expect(
      engine
        .addFile('t', damaged)
        .then(() => engine.rows('SELECT sum(temp), max(time_hour), sum(visib) FROM t')),
    ).rejects.toMatchObject({ code: 'data_unreadable' });
    await expect(engine.addFile('t', path.join(test.folder, 'none.parquet'))).rejects.toMatchObject({
      code: 'data_unavailable',
    });
  });

  it('[ING-2] does not coerce files of one source that differ in type', async () => {
    const engine = await test.engine();
    const one = await test.parquet('one.parquet', 'SELECT 1 AS a, 2 AS b');
    const two = await test.parquet('two.parquet', "SELECT 1 AS a, '2' AS b");
    await expect(engine.addFile('t', [one, two])).rejects.toMatchObject({ code: 'data_unreadable' });
    await engine.addFile('t', [one, one]);
    expect(await engine.rows('SELECT count(*) AS n FROM t')).toEqual([{ n: 2 }]);
  });

  it('reads CSV: an empty field is null, a quoted one is text', async () => {
    const engine = await test.engine();
    const file = path.join(test.folder, 'a.csv');
    await writeFile(file, 'a,b\n1,""\n,"x,y"\n');
    await engine.addFile('t', file);
    expect(await engine.rows('SELECT * FROM t')).toEqual([
      { a: 1, b: '' },
      { a: null, b: 'x,y' },
    ]);
  });

  it('tells one SELECT from everything else', async () => {
    const engine = await test.engine();
    expect(await engine.checkSelect('WITH a AS (SELECT 1) SELECT * FROM a')).toBeNull();
    for (const sql of [
      'SELECT 1; SELECT 2',
      'DROP TABLE x',
      'SELECT 1) ; DROP TABLE x; (SELECT 2',
      '',
      'nonsense',
    ]) {
      expect(await engine.checkSelect(sql), sql).not.toBeNull();
    }
  });

  it('takes any name of a column without reading a file or changing the catalog', async () => {
    const engine = await test.engine();
    const hostile = fc.oneof(
      fc.constantFrom(
        'a"; DROP TABLE kept; --',
        "x'); SELECT * FROM read_text('/etc/passwd'); --",
        '"',
        '""',
        '*',
        'a.b',
        'SELECT',
        '/* x */',
        '$1',
      ),
      fc.string({ minLength: 1, maxLength: 40, unit: 'binary' }).filter((name) => !name.includes('\0')),
    );
    await engine.execute('CREATE TABLE kept AS SELECT 1 AS x');
    const tables = () => engine.rows('SELECT table_name FROM duckdb_tables() ORDER BY 1');
    await fc.assert(
      fc.asyncProperty(hostile, async (name) => {
        // a lone surrogate is not text in UTF-8
        fc.pre(name.isWellFormed());
        await engine.execute(
          `CREATE OR REPLACE TABLE hostile AS SELECT 1 AS ${identifier(name)}, ${literal(name)} AS "other col"`,
        );
        const before = await tables();
        const blocks = await computeBlocks({ engine, view: 'hostile', time: null });
        expect(blocks.columns.map((column) => column.name)).toEqual([name, 'other col']);
        const text = blocks.columns[1]!;
        expect(text.kind === 'category' && text.categories).toEqual([name]);
        expect(await tables()).toEqual(before);
      }),
      { numRuns: 60 },
    );
    expect(await tables()).toContainEqual({ table_name: 'kept' });
  });

  it('leaves nothing behind when it is closed', async () => {
    const engine = await test.engine();
    const folder = test.context.workDirectory;
    const before = (await readdir(folder)).length;
    await engine.close();
    expect((await readdir(folder)).length).toBe(before - 1);
  });

  it('stops a running statement when it is told to', async () => {
    const { openDuckDb } = await import('../../src/data/duckdb.ts');
    const controller = new AbortController();
    const engine = await openDuckDb({ workDirectory: test.context.workDirectory, signal: controller.signal });
    const running = engine.rows(
      'SELECT count(*) FROM range(100000) a, range(1000000) b WHERE hash(a.range, b.range) = 1',
    );
    setTimeout(() => controller.abort(), 50);
    await expect(running).rejects.toThrow(/abort/i);
    await engine.close();
  });

  it('closes only when what still runs has ended, and then runs no more', async () => {
    const engine = await test.engine();
    const slow = engine.rows(
      'SELECT count(*) FROM range(100000) a, range(1000000) b WHERE hash(a.range, b.range) = 1',
    );
    slow.catch(() => {});
    await engine.close();
    await expect(slow).rejects.toThrow(/interrupt/i);
    await expect(engine.rows('SELECT 1')).rejects.toThrow('closed');
  });
});
