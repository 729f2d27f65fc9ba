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

  it.each([
    ['no version', 'numpy', 'not pinned'],
    ['a range', `numpy>=1 ${hash}`, 'not pinned'],
    ['any patch', `numpy==1.* ${hash}`, 'not pinned'],
    ['no hash', 'numpy==1.0', 'no hash'],
    ['a weak hash', `numpy==1.0 --hash=md5:${'a'.repeat(32)}`, 'not a sha256'],
    ['an address', `numpy @ https://example.org/x.whl ${hash}`, 'not pinned'],
    ['a folder', '-e .', 'not allowed'],
    ['another file', '-r more.txt', 'not allowed'],
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
