import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../../src/logger.ts';
import { prepareEnvironment } from '../../src/training/environment.ts';
import { hasPython, trainFolder } from './world.ts';

/** The smallest package of the example's lock, alone. */
async function smallLock(): Promise<string> {
  const lock = await readFile(path.join(trainFolder, 'requirements.lock'), 'utf8');
  const found = /^threadpoolctl==[\s\S]*?(?=^\S)/m.exec(lock);
  if (found === null) throw new Error('the lock has no threadpoolctl');
  return found[0];
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'modelgate-environment-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

const prepare = async (lock: string, signal = new AbortController().signal) => {
  const lockFile = path.join(folder, `lock-${lock.length}.txt`);
  await writeFile(lockFile, lock);
  return prepareEnvironment({
    lockFile,
    cacheDirectory: path.join(folder, 'cache'),
    logger: silentLogger,
    signal,
  });
};

describe.skipIf(!(await hasPython()))('the Python environment of a lock', { timeout: 120_000 }, () => {
  it('[TRN-2] is installed once, records what it is, and is read back', async () => {
    const lock = await smallLock();
    const first = await prepare(lock);
    expect(first.cached).toBe(false);
    expect(first.record).toMatchObject({
      python: expect.stringMatching(/^3\.\d+\.\d+/),
      lock: expect.stringMatching(/^[0-9a-f]{64}$/),
      packages: { threadpoolctl: expect.any(String) },
    });
    expect(await prepare(lock)).toEqual({ ...first, cached: true });
    expect(await readdir(path.join(folder, 'cache/python'))).toHaveLength(1);
  });

  it('is made once by installers that run at the same time', async () => {
    const lock = await smallLock();
    const all = await Promise.all([prepare(lock), prepare(lock), prepare(lock)]);
    expect(new Set(all.map(({ python }) => python)).size).toBe(1);
    expect(await readdir(path.join(folder, 'cache/python'))).toHaveLength(1);
  });

  it('is made anew where a killed installation left a part', async () => {
    const lock = await smallLock();
    const { python } = await prepare(lock);
    const home = path.resolve(python, '../..');
    await rm(home, { recursive: true });
    await mkdir(path.join(home, 'bin'), { recursive: true });
    await writeFile(path.join(home, 'bin/python'), '');
    expect(await prepare(lock)).toMatchObject({ python, cached: false });
    expect(await prepare(lock)).toMatchObject({ python, cached: true });
    await rm(python); // as when the Python that it links to is removed
    expect(await prepare(lock)).toMatchObject({ python, cached: false });
  });

  it('leaves nothing behind when it is interrupted or fails', async () => {
    const controller = new AbortController();
    const stopped = prepare(await smallLock(), controller.signal);
    setTimeout(() => controller.abort(new Error('Ctrl-C')), 150);
    await expect(stopped).rejects.toThrow('Ctrl-C');
    const wrong = (await smallLock()).replace(/sha256:[0-9a-f]{64}/g, `sha256:${'0'.repeat(64)}`);
    await expect(prepare(wrong)).rejects.toMatchObject({
      code: 'environment_failed',
      fix: expect.stringContaining('does not have the bytes'),
    });
    expect(await readdir(path.join(folder, 'cache/python')).catch(() => [])).toEqual([]);
  });

  it('says when there is no suitable Python', async () => {
    vi.stubEnv('PYTHON', '/nowhere/python3');
    await expect(prepare(await smallLock())).rejects.toMatchObject({
      code: 'python_missing',
      message: expect.stringContaining('/nowhere/python3'),
    });
  });

  it('[TRN-2] refuses an unpinned requirement before anything is installed', async () => {
    await expect(prepare('threadpoolctl\n')).rejects.toMatchObject({ code: 'environment_unpinned' });
    expect(await readdir(folder)).not.toContain('cache');
  });
});
