import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { outputLimit, runProcess } from '../../src/training/process.ts';

const run = (script: string, more: Partial<Parameters<typeof runProcess>[0]> = {}) =>
  runProcess({
    command: 'sh',
    args: ['-c', script],
    cwd: '/',
    env: { PATH: process.env.PATH ?? '' },
    signal: new AbortController().signal,
    ...more,
  });

/** A zombie is dead: who reaps it, and when, is its new parent's affair. */
const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return !existsSync('/proc/self/stat') || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};

async function ends(pid: number): Promise<boolean> {
  for (let i = 0; i < 100 && alive(pid); i++) await sleep(20);
  return !alive(pid);
}

describe.skipIf(process.platform === 'win32')('a program in a process group', () => {
  it('gives lines, output and exit code', async () => {
    const lines: string[] = [];
    const result = await run('echo one; echo two >&2; printf "a\\rb"; exit 3', {
      onLine: (line) => lines.push(line),
    });
    expect(result).toMatchObject({ code: 3, killedBy: null, timedOut: false });
    expect(lines.toSorted()).toEqual(['a', 'b', 'one', 'two']);
    expect(result.output).toContain('one\n');
  });

  it('inherits nothing that is not given', async () => {
    process.env.MODELGATE_TEST_SECRET = 'token';
    const { output } = await run('env');
    delete process.env.MODELGATE_TEST_SECRET;
    expect(output).not.toContain('token');
  });

  it('keeps the beginning and the end of a long output', async () => {
    const { output } = await run('echo first; yes 0123456789 | head -c 5000000; echo last');
    expect(output.length).toBeLessThan(outputLimit + 100);
    expect(output.startsWith('first\n')).toBe(true);
    expect(output.endsWith('last\n')).toBe(true);
    expect(output).toContain('characters left out');
  });

  it('stops the whole group at its limit, also one that ignores SIGTERM', async () => {
    const lines: string[] = [];
    const script =
      'trap "" TERM; (trap "" TERM; while :; do sleep 1; done) & echo $!; wait; while :; do sleep 1; done';
    const result = await run(script, { timeout: 300, grace: 200, onLine: (line) => lines.push(line) });
    expect(result).toMatchObject({ timedOut: true, killedBy: 'SIGKILL' });
    expect(await ends(Number(lines[0]))).toBe(true);
  });

  it('stops at an abort and tells its reason', async () => {
    const controller = new AbortController();
    const lines: string[] = [];
    const running = run('echo $$; sleep 60', {
      signal: controller.signal,
      onLine: (line) => {
        lines.push(line);
        controller.abort(new Error('Ctrl-C'));
      },
    });
    await expect(running).rejects.toThrow('Ctrl-C');
    expect(await ends(Number(lines[0]))).toBe(true);
  });

  it('leaves nothing behind that the program started', async () => {
    const lines: string[] = [];
    await run('sleep 60 & echo $!', { onLine: (line) => lines.push(line) });
    expect(await ends(Number(lines[0]))).toBe(true);
  });

  it('says when a program is not there', async () => {
    await expect(run('', { command: '/nowhere/python' })).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
