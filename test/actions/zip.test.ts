import { existsSync, statSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { unpackZip } from '../../actions/zip.ts';
import { UserError } from '../../src/errors.ts';
import { type Member, zip } from './zip-writer.ts';

const limits = { entries: 100, bytes: 1_000_000 };
let home: string;
let folder: string;
beforeEach(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'zip-'));
  folder = path.join(home, 'out');
});
afterEach(() => rm(home, { recursive: true, force: true }));

async function unpack(bytes: Buffer): Promise<void> {
  const file = path.join(home, 'a.zip');
  await writeFile(file, bytes);
  await unpackZip(file, folder, limits);
}

async function bytesIn(at: string): Promise<number> {
  if (!existsSync(at)) return 0;
  const entries = await readdir(at, { recursive: true, withFileTypes: true });
  const sizes = entries.map((entry) =>
    entry.isFile() ? statSync(path.join(entry.parentPath, entry.name)).size : 0,
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

describe('the archive of another job', () => {
  it('of many files leaves nothing that listens', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockReturnValue();
    await unpack(zip(Array.from({ length: 20 }, (_, n) => ({ name: `${n}.txt`, content: String(n) }))));
    expect(warned.mock.calls).toEqual([]);
    warned.mockRestore();
    expect(await readdir(folder)).toHaveLength(20);
  });

  it('is unpacked: files in folders, empty ones too', async () => {
    await unpack(
      zip([
        { name: 'outcome.json', content: '{}' },
        { name: 'handoff/', content: '', mode: 0o040755 },
        { name: 'handoff/objects/ab12', content: 'x'.repeat(10_000) },
        { name: 'handoff/empty', content: '' },
      ]),
    );
    expect(await readFile(path.join(folder, 'handoff/objects/ab12'), 'utf8')).toBe('x'.repeat(10_000));
    expect(await readFile(path.join(folder, 'handoff/empty'), 'utf8')).toBe('');
  });

  it.each<[string, Member[]]>([
    ['leaves its folder', [{ name: '../evil', content: 'x' }]],
    ['leaves it deeper down', [{ name: 'handoff/../../evil', content: 'x' }]],
    ['has an absolute name', [{ name: '/tmp/evil', content: 'x' }]],
    ['has a Windows name', [{ name: 'C:\\evil', content: 'x' }]],
    ['has a hidden name', [{ name: '.ssh/authorized_keys', content: 'x' }]],
    ['has a name with NUL', [{ name: 'a\0b', content: 'x' }]],
    ['has an empty name', [{ name: '', content: 'x' }]],
    ['is too deep', [{ name: 'a/b/c/d/e/f/g', content: 'x' }]],
    ['is a link', [{ name: 'link', content: '/etc/passwd', mode: 0o120777 }]],
    ['is a device', [{ name: 'device', content: 'x', mode: 0o020644 }]],
    [
      'comes twice',
      [
        { name: 'a', content: 'x' },
        { name: 'a', content: 'y' },
      ],
    ],
    [
      'comes twice but for its case',
      [
        { name: 'a', content: 'x' },
        { name: 'A', content: 'y' },
      ],
    ],
    ['is encrypted', [{ name: 'a', content: 'x', flags: 1 }]],
    ['says more bytes than allowed', [{ name: 'a', content: 'x', claims: 2_000_000 }]],
    ['holds more than it says (a bomb)', [{ name: 'a', content: '0'.repeat(50_000_000), claims: 1000 }]],
    ['holds less than it says', [{ name: 'a', content: 'x', claims: 1000 }]],
    ['has too many members', Array.from({ length: 101 }, (_, n) => ({ name: `f${n}`, content: '' }))],
  ])('is refused when a member %s', async (_, members) => {
    await expect(unpack(zip(members))).rejects.toMatchObject({ code: 'handoff_refused' });
    expect((await readdir(home)).sort().filter((name) => name !== 'out')).toEqual(['a.zip']);
    expect(await bytesIn(folder)).toBeLessThanOrEqual(limits.bytes);
  });

  it('is refused when cut off anywhere', async () => {
    const sound = zip([
      { name: 'a', content: 'x'.repeat(300) },
      { name: 'b', content: 'y' },
    ]);
    for (let length = 0; length < sound.length; length++) {
      await expect(unpack(sound.subarray(0, length)), String(length)).rejects.toMatchObject({
        code: 'handoff_refused',
      });
    }
  });

  it('never writes outside of its folder nor fails in another way, whatever byte is changed', async () => {
    const sound = zip([
      { name: 'a', content: 'x'.repeat(300) },
      { name: 'b/c', content: 'y' },
    ]);
    await fc.assert(
      fc.asyncProperty(fc.nat(sound.length - 1), fc.nat(255), async (at, byte) => {
        await rm(folder, { recursive: true, force: true });
        const changed = Buffer.from(sound);
        changed[at] = byte;
        try {
          await unpack(changed);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
        expect((await readdir(home)).filter((name) => name !== 'a.zip' && name !== 'out')).toEqual([]);
      }),
      { numRuns: 300, seed: 5 },
    );
  });
});
