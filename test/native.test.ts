import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { importNative, type NativeName, nativeCache, nativeFolder, nativeRegistry } from '../src/native.ts';

// A name that is installed nowhere stands for a native library of another machine.
const absent = 'modelgate-native-of-this-test' as NativeName;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'native-'));
  vi.stubEnv('RUNNER_TOOL_CACHE', '');
  vi.stubEnv('MODELGATE_NATIVE', '');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

async function install(source: string): Promise<void> {
  const at = path.join(folder, 'node_modules', absent);
  await mkdir(at, { recursive: true });
  await writeFile(
    path.join(at, 'package.json'),
    JSON.stringify({ name: absent, type: 'module', exports: './index.js' }),
  );
  await writeFile(path.join(at, 'index.js'), source);
}

describe('native libraries', () => {
  it('are found beside the program', async () => {
    expect(await importNative('onnxruntime-node')).toHaveProperty('InferenceSession');
  });

  it('are found in the folder of MODELGATE_NATIVE', async () => {
    await install('export const answer = 42;');
    vi.stubEnv('MODELGATE_NATIVE', folder);
    expect(await importNative(absent)).toMatchObject({ answer: 42 });
  });

  it('lie for another process beside the program, or where this one looks', async () => {
    expect(await nativeFolder('onnxruntime-node')).toBeNull();
    vi.stubEnv('MODELGATE_NATIVE', folder);
    expect(await nativeFolder(absent)).toBe(folder);
    vi.stubEnv('MODELGATE_NATIVE', '');
    await expect(nativeFolder(absent)).rejects.toMatchObject({ code: 'native_missing' });
  });

  it('that are missing are named with what to do', async () => {
    vi.stubEnv('MODELGATE_NATIVE', folder);
    await expect(importNative(absent)).rejects.toMatchObject({
      code: 'native_missing',
      fix: expect.stringContaining('MODELGATE_NATIVE'),
    });
  });

  it('that are there but broken are told apart from missing ones', async () => {
    await install("throw new Error('wrong ELF class');");
    vi.stubEnv('MODELGATE_NATIVE', folder);
    await expect(importNative(absent)).rejects.toMatchObject({
      code: 'native_missing',
      where: expect.stringContaining('wrong ELF class'),
    });
  });

  it('that no lock knows are not looked for in the tool cache', async () => {
    vi.stubEnv('RUNNER_TOOL_CACHE', folder);
    await expect(importNative(absent)).rejects.toMatchObject({ code: 'native_missing' });
  });

  it('of the runner lie in its tool cache, elsewhere in ModelGate’s own', () => {
    expect(nativeCache({ RUNNER_TOOL_CACHE: '/t' })).toBe('/t/modelgate');
    vi.stubEnv('MODELGATE_CACHE', '/c');
    expect(nativeCache({})).toBe('/c/native');
  });

  it('come from the registry that is named, then npm’s, then the public one', () => {
    const npm = { npm_config_registry: 'https://npm.example' };
    expect(nativeRegistry({ ...npm, MODELGATE_NATIVE_REGISTRY: 'https://own.example' })).toBe(
      'https://own.example',
    );
    expect(nativeRegistry(npm)).toBe('https://npm.example');
    expect(nativeRegistry({})).toBe('https://registry.npmjs.org');
  });
});
