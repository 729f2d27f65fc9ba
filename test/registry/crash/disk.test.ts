import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/stats/random.ts';
import { Disk } from './disk.ts';
import { statesAfterPowerCut } from './disk-states.ts';
import type { Syscall } from './syscalls.ts';

const top = '/top';

function call(name: string, args: string, strings: string[], result = 0): Syscall {
  return {
    thread: 1,
    name,
    args,
    strings: strings.map((text) => Buffer.from(text)),
    result,
    injected: false,
  };
}
const make = (file: string, descriptor: number) =>
  call('openat', 'AT_FDCWD, "", O_WRONLY|O_CREAT|O_EXCL, 0444', [top + file], descriptor);
const open = (file: string, descriptor: number) =>
  call('openat', 'AT_FDCWD, "", O_RDONLY', [top + file], descriptor);
const write = (descriptor: number, text: string) =>
  call('write', `${descriptor}, "", 9`, [text], text.length);
const sync = (descriptor: number) => call('fsync', `${descriptor}`, []);
const mkdir = (folder: string) => call('mkdir', '"", 0777', [top + folder]);
const link = (from: string, to: string) => call('link', '"", ""', [top + from, top + to]);
const rename = (from: string, to: string) => call('rename', '"", ""', [top + from, top + to]);
const unlink = (file: string) => call('unlink', '""', [top + file]);

/** All states after these calls, as text: `name=content` of each file, folders ending in a slash. */
function states(calls: readonly Syscall[]): string[] {
  const disk = new Disk(top);
  for (const each of calls) disk.apply(each);
  const found = [...statesAfterPowerCut(disk, seededRandom(1))].map(({ files, folders }) =>
    [...folders.map((folder) => `${folder}/`), ...[...files].map(([name, bytes]) => `${name}=${bytes}`)]
      .sort()
      .join(' '),
  );
  return [...new Set(found)].sort();
}

describe('the disk after a power cut', () => {
  it('may have lost what was not synced, bytes and name apart', () => {
    const before = [make('/a', 3), write(3, 'abcd')];
    expect(states(before)).toEqual(['', 'a=', 'a=\0\0\0\0', 'a=ab', 'a=abcd']);
    expect(states([...before, sync(3)])).toEqual(['', 'a=abcd']);
    expect(states([...before, open('', 4), sync(4)])).toEqual(['a=', 'a=\0\0\0\0', 'a=ab', 'a=abcd']);
    expect(states([...before, sync(3), open('', 4), sync(4)])).toEqual(['a=abcd']);
  });

  it('counts on no sync that failed', () => {
    const failed = { ...sync(3), result: -1, injected: true };
    expect(states([make('/a', 3), write(3, 'ab'), failed])).toContain('');
  });

  it('keeps a linked file when its second name is synced, and loses both names of none', () => {
    const linked = [mkdir('/t'), mkdir('/d'), open('', 9), sync(9), make('/t/x', 3), write(3, 'ab'), sync(3)];
    const all = [...linked, link('/t/x', '/d/y'), open('/d', 4), sync(4), unlink('/t/x')];
    expect(states(all)).toEqual(['d/ d/y=ab t/', 'd/ d/y=ab t/ t/x=ab']);
  });

  it('may show a renamed file empty when its bytes were not synced', () => {
    const old = [make('/h', 3), write(3, '1'), sync(3), open('', 4), sync(4)];
    const found = states([...old, make('/x', 5), write(5, '22'), rename('/x', '/h')]);
    expect(found).toEqual(expect.arrayContaining(['h=1', 'h=', 'h=22']));
  });

  it('has no file of a folder whose name was not synced', () => {
    const found = states([mkdir('/d'), make('/d/a', 3), write(3, 'ab'), sync(3), open('/d', 4), sync(4)]);
    expect(found).toEqual(['', 'd/ d/a=ab']);
  });

  it('tries random subsets where there are too many changes for all', () => {
    const many = Array.from({ length: 9 }, (_, index) => make(`/${index}`, index + 3));
    const found = states(many);
    expect(found.length).toBeGreaterThan(2 * 9 + 2);
    expect(found.length).toBeLessThan(2 ** 9);
  });

  it('refuses a call on the store that it does not know, and passes over others', () => {
    const disk = new Disk(top);
    expect(() => disk.apply(call('truncate', '"", 0', ['/top/a']))).toThrow('does not know truncate');
    expect(disk.apply(call('truncate', '"", 0', ['/elsewhere/a']))).toBe(false);
    expect(() => disk.apply(open('/never-made', 3))).toThrow('does not know');
  });
});
