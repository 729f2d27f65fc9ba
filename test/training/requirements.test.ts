import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseLock } from '../../src/training/requirements.ts';
import { trainFolder } from './world.ts';

const hash = `--hash=sha256:${'a'.repeat(64)}`;

describe('locked requirements', () => {
  it('reads the lock of the example', async () => {
    const lock = await readFile(path.join(trainFolder, 'requirements.lock'), 'utf8');
    const names = new Set(parseLock(lock, 'requirements.lock').map(({ name }) => name));
    for (const name of ['scikit-learn', 'skl2onnx', 'onnx', 'protobuf', 'numpy', 'pyarrow']) {
      expect(names).toContain(name);
    }
    expect(lock).not.toMatch(/https?:/);
  });

  it('reads markers, extras, comments and continuations as pip does', () => {
    const text = `# made by a tool\n--only-binary :all:\na==1.0 ; python_version < "3.11" \\\n    ${hash} \\\n    ${hash}\n    # via b\nb[x]==2.0+cpu ${hash}  # why\n`;
    expect(parseLock(text, 'r')).toEqual([
      { name: 'a', version: '1.0', conditional: true },
      { name: 'b', version: '2.0+cpu' },
    ]);
  });

  it.each(['unicode_escape', 'utf-7', 'utf-8-sig-7', 'raw_unicode_escape'])(
    '[TRN-2] refuses to be read in %s, in which a comment may hold lines',
    (encoding) => {
      for (const before of ['', '# made by a tool\n']) {
        const text = `${before}# -*- coding: ${encoding} -*-\n# x\\nb==1 ${hash}\na==1 ${hash}\n`;
        expect(() => parseLock(text, 'r')).toThrow(/encoding/);
      }
    },
  );

  it('takes options one a line, and a comment that says UTF-8', () => {
    const options = [
      '--index-url https://x.org/simple',
      '--find-links=wheels',
      '--no-binary :none:',
      '--prefer-binary',
    ];
    const text = `# -*- coding: utf-8 -*-\n${options.join('\n')} # why -r\na==1 ${hash}\n`;
    expect(parseLock(text, 'r')).toEqual([{ name: 'a', version: '1' }]);
  });

  it.each([
    ['no version', 'numpy', 'not pinned'],
    ['a range', `numpy>=1 ${hash}`, 'not pinned'],
    ['any patch', `numpy==1.* ${hash}`, 'not pinned'],
    ['no hash', 'numpy==1.0', 'no hash'],
    ['a weak hash', `numpy==1.0 --hash=md5:${'a'.repeat(32)}`, 'not a sha256'],
    ['an address', `numpy @ https://example.org/x.whl ${hash}`, 'not pinned'],
    ['a folder', '-e .', 'not allowed'],
    ['another file', '-r more.txt', 'not allowed'],
    ['another file behind an option', '--index-url https://x.org/simple -r more.txt', 'not allowed'],
    ['another file in the next line', '--prefer-binary \\\n-r more.txt', 'not allowed'],
    ['a folder behind an option', '--only-binary=:all: -e .', 'not allowed'],
    ['an option in the place of a value', '--find-links -r', 'not allowed'],
    ['a mark behind which no comment begins', '--find-links x\ufeff# -r more.txt', 'control character'],
    ['an option of another kind', '--trusted-host example.org', 'not allowed'],
  ])('[TRN-2] refuses %s, with the line', (_name, line, says) => {
    expect(() => parseLock(`a==1 ${hash}\n\n${line}\n`, 'requirements.lock')).toThrow(
      expect.objectContaining({
        code: 'environment_unpinned',
        where: { file: 'requirements.lock', line: 3 },
        message: expect.stringContaining(says),
      }),
    );
  });
});
