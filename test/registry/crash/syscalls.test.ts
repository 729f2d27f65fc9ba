import { describe, expect, it } from 'vitest';
import { numbered } from './call-numbers.ts';
import { parseTrace } from './syscalls.ts';

const hex = (text: string) =>
  [...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');

describe('the trace of strace', () => {
  it('gives names, arguments, strings and results', () => {
    const [open, write, failed] = parseTrace(
      [
        `12 openat(AT_FDCWD, "${hex('/a/b')}", O_WRONLY|O_CREAT|O_EXCL|O_CLOEXEC, 0444) = 20`,
        `12 write(20, "${hex('x"(")\n')}", 5) = 5`,
        `12 fsync(20)   = -1 EIO (Input/output error) (INJECTED)`,
        '12 +++ exited with 0 +++',
        '',
      ].join('\n'),
    );
    expect(open).toMatchObject({ thread: 12, name: 'openat', result: 20, injected: false });
    expect(open?.strings.map(String)).toEqual(['/a/b']);
    expect(write?.strings.map(String)).toEqual(['x"(")\n']);
    expect(failed).toMatchObject({ name: 'fsync', args: '20', strings: [], result: -1, injected: true });
  });

  it('puts a call where it ended, and one that never ended at the end', () => {
    const calls = parseTrace(
      [
        '12 fsync(20 <unfinished ...>',
        `13 unlink("${hex('/a')}") = 0`,
        '12 <... fsync resumed>) = 0',
        '13 fsync(21 <unfinished ...>',
        '12 close(20) = 0',
        '13 <... fsync resumed>) = ?',
        `12 link("${hex('/a')}", "${hex('/b')}" <unfinished ...>`,
        '12 +++ killed by SIGKILL +++',
      ].join('\n'),
    );
    expect(calls.map(({ name, result }) => [name, result])).toEqual([
      ['unlink', 0],
      ['fsync', 0],
      ['close', 0],
      ['fsync', null],
      ['link', null],
    ]);
    expect(calls.at(-1)?.strings.map(String)).toEqual(['/a', '/b']);
  });

  it('refuses a line that it does not understand, and a string that was cut', () => {
    expect(() => parseTrace('12 what is this')).toThrow('not a line of strace');
    expect(() => parseTrace(`12 write(1, "${hex('ab')}"..., 900) = 900`)).toThrow('cut a string');
  });
});

describe('the numbers of calls', () => {
  it('count by thread and name, and tell which calls touch the store', () => {
    const calls = parseTrace(
      [
        `12 write(19, "${hex('wake')}", 4) = 4`,
        `13 write(19, "${hex('wake')}", 4) = 4`,
        `13 openat(AT_FDCWD, "${hex('/store/a')}", O_WRONLY|O_CREAT) = 20`,
        `13 write(20, "${hex('one')}", 3) = 3`,
        `13 write(19, "${hex('wake')}", 4) = 4`,
        `13 write(20, "${hex('two')}", 3) = -1 EIO (Input/output error) (INJECTED)`,
        '13 close(20) = 0',
        `12 link("${hex('/other/a')}", "${hex('/other/b')}") = 0`,
        `13 link("${hex('/store/a')}", "${hex('/store/b')}") = 0`,
        '',
      ].join('\n'),
    );
    expect(numbered(calls, '/store', ['write', 'link'])).toEqual([
      { name: 'write', ordinal: 1, when: 2, injected: false },
      { name: 'write', ordinal: 2, when: 4, injected: true },
      { name: 'link', ordinal: 1, when: 1, injected: false },
    ]);
  });
});
