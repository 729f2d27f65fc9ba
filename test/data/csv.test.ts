import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestContext, testContext } from './context.ts';

let test: TestContext;
beforeAll(async () => {
  test = await testContext();
});
afterAll(() => test.close());

const rows = Array.from({ length: 60 }, (_, i) => `${i % 2},0.${i % 10},name ${i}`);
const lines = ['label,score,name', ...rows];
const text = (all: readonly string[], separator = ',') => `${all.join('\n')}\n`.replaceAll(',', separator);
const replaced = (row: number, line: string) => text(lines.with(row, line));

async function read(content: string | Uint8Array, name = 'table.csv') {
  const file = path.join(test.folder, name);
  await writeFile(file, content);
  const engine = await test.engine();
  await engine.addFile('t', file);
  return engine.rows('SELECT * FROM t');
}

describe('a CSV file', () => {
  it.each([
    ['semicolons', text(lines, ';'), /separated by semicolons, and a comma was expected/],
    ['semicolons and decimal commas', 'label;score\n1;0,5\n0;0,25\n', /separated by semicolons/],
    ['tabs', text(lines, '\t'), /separated by tabs/],
    ['UTF-16 with a mark', Buffer.from(`\ufeff${text(lines)}`, 'utf16le'), /is UTF-16, not UTF-8/],
    ['UTF-16 without a mark', Buffer.from(text(lines), 'utf16le'), /is UTF-16, not UTF-8/],
    [
      'Latin-1 in a row',
      Buffer.from(replaced(31, '1,0.5,Zürich'), 'latin1'),
      /not UTF-8: row 31 \(line 32\)/,
    ],
    [
      'Latin-1 in the header',
      Buffer.from(replaced(0, 'a,b,Größe'), 'latin1'),
      /not UTF-8: the header \(line 1\)/,
    ],
    [
      'too few values',
      replaced(20, '1,0.5'),
      /^Row 20 \(line 21\) has 2 values, and the header names 3 columns/,
    ],
    ['too many values', replaced(20, '1,0.5,a,b'), /^Row 20 \(line 21\) has 4 values/],
    [
      'a header that is too short',
      replaced(0, 'label'),
      /^Row 1 \(line 2\) has 3 values, .* names 1 column\./,
    ],
    ['a value over two lines before', text(['a,b', '1,"x\ny"', '2']), /^Row 2 \(line 4\) has 1 value,/],
    ['an open quote', replaced(20, '"1,0.5,a'), /begins in row 20 \(line 21\) is not closed/],
    ['a name twice', replaced(0, 'label,score,Label'), /two columns "Label": columns 1 and 3/],
    ['gzip under another name', gzipSync(text(lines)), /packed by gzip/],
  ])('is refused for %s, with what was seen and what to do', async (_, content, message) => {
    const error = await read(content).then(
      () => null,
      (thrown: unknown) => thrown as { code: string; message: string; fix: string },
    );
    expect(error).toMatchObject({ code: 'data_unreadable', message: expect.stringMatching(message) });
    expect(error?.fix).toMatch(/UTF-8|comma|values|twice|name|unpack/);
  });

  it('is refused where its gzip file is cut: what is left is not all', async () => {
    const packed = gzipSync(text(lines));
    expect(await read(packed, 'whole.csv.gz')).toHaveLength(60);
    await expect(read(packed.subarray(0, packed.length - 30), 'cut.csv.gz')).rejects.toMatchObject({
      code: 'data_unreadable',
      message: 'The gzip file is cut off or damaged.',
    });
  });

  it('loses no row that begins with #, and takes a byte order mark, CRLF and empty names', async () => {
    expect(await read(replaced(20, '#1,0.5,x'))).toHaveLength(60);
    expect(await read(text(['#label,score', '1,0.5', '#0,0.2']))).toEqual([
      { '#label': '1', score: 0.5 },
      { '#label': '#0', score: 0.2 },
    ]);
    expect(await read(`\ufeff${text(lines).replaceAll('\n', '\r\n')}`)).toHaveLength(60);
    expect(await read(text(['label,,', '1,0.5,2']))).toHaveLength(1);
    expect(await read('word\na;b\n')).toEqual([{ word: 'a;b' }]);
  });
});
