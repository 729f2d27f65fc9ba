import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { scoreFile } from '../../src/serving/score.ts';
import { engineIn, FakePredictor, temporaryFolder } from './helpers.ts';

async function score(
  change: { sql?: string; output?: string; keep?: string[]; predictor?: FakePredictor; input?: string } = {},
) {
  const temporary = await temporaryFolder();
  const { folder } = temporary;
  const make = await engineIn(folder)();
  const input = path.join(folder, change.input ?? 'input.parquet');
  await make.writeParquet(
    change.sql ??
      "SELECT '00' || i AS key, CAST(i AS FLOAT) AS distance, CAST(i % 24 AS INTEGER) AS hour, CASE WHEN i % 3 = 0 THEN NULL ELSE 'UA, \"x\"' END AS carrier, i % 2 = 0 AS holiday FROM range(1000) AS t(i)",
    input,
  );
  await make.close();
  const engine = await engineIn(folder)();
  const output = path.join(folder, change.output ?? 'out.parquet');
  const run = () =>
    scoreFile({
      engine,
      predictor: change.predictor ?? new FakePredictor(1),
      input,
      output,
      keep: change.keep ?? ['key'],
      chunkRows: 64,
      workDirectory: path.join(folder, 'work'),
      signal: new AbortController().signal,
    });
  return {
    run,
    engine,
    output,
    folder,
    async [Symbol.asyncDispose]() {
      await engine.close();
      await temporary[Symbol.asyncDispose]();
    },
  };
}

describe('scoreFile', () => {
  it('predicts every row in the order of the file, with the kept columns', async () => {
    await using here = await score();
    expect(await here.run()).toEqual({ rows: 1000 });
    await here.engine.addFile('out', here.output);
    const rows = await here.engine.rows('SELECT * FROM out');
    expect(rows).toHaveLength(1000);
    expect(rows[0]).toEqual({ row: 0, key: '000', prediction: 1 });
    expect(rows[999]).toEqual({ row: 999, key: '00999', prediction: 1.999 });
    expect(rows.every(({ row, prediction }, index) => row === index && prediction === 1 + index / 1000)).toBe(
      true,
    );
  });

  it('writes CSV that keeps texts as they are', async () => {
    await using here = await score({ output: 'out.csv', keep: ['key', 'carrier'] });
    await here.run();
    const lines = (await readFile(here.output, 'utf8')).split('\n');
    expect(lines.slice(0, 3)).toEqual(['row,key,carrier,prediction', '0,000,,1', '1,001,"UA, ""x""",1.001']);
    expect(lines).toHaveLength(1002);
  });

  it.each([
    [
      'a column that is missing',
      { sql: 'SELECT 1.0 AS distance, 1 AS hour, true AS holiday' },
      'model_signature',
      /carrier is missing/,
    ],
    [
      'a column of another type',
      { sql: "SELECT '1' AS distance, 1 AS hour, 'UA' AS carrier, true AS holiday" },
      'model_signature',
      /distance is VARCHAR/,
    ],
    [
      'an empty file',
      { sql: "SELECT 1.0 AS distance, 1 AS hour, 'UA' AS carrier, true AS holiday WHERE false" },
      'data_empty',
      /no rows/,
    ],
    ['a kept column that is not there', { keep: ['nobody'] }, 'usage', /nobody/],
    ['an output of another format', { output: 'out.txt' }, 'usage', /neither/],
    ['a folder that is not there', { output: 'nowhere/out.csv' }, 'usage', /cannot be written/],
  ])('refuses %s, and leaves nothing behind', async (_, change, code, message) => {
    await using here = await score({ keep: [], ...change });
    await expect(here.run()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect((await readdir(here.folder)).filter((name) => name.startsWith('out'))).toEqual([]);
  });

  it('refuses predictions that are no numbers, with the row', async () => {
    const predictor = new FakePredictor(1);
    const predict = predictor.predict.bind(predictor);
    predictor.predict = async (features, rows) => {
      const values = await predict(features, rows);
      return values.map((value) => (value > 1.5 ? Number.NaN : value));
    };
    await using here = await score({ predictor });
    await writeFile(here.output, 'before');
    await expect(here.run()).rejects.toMatchObject({
      code: 'prediction_invalid',
      message: expect.stringMatching(/row 502/),
    });
    expect(await readFile(here.output, 'utf8')).toBe('before');
  });
});
