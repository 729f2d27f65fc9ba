/**
 * Writes src/native-lock.json from package-lock.json: which packages each library with compiled code is made of, by
 * platform, with the integrity that npm recorded. With --check it only says whether the file is up to date.
 */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { NativeLock, NativePackage } from '../src/native-install.ts';

const root = path.join(import.meta.dirname, '..');
const file = path.join(root, 'src/native-lock.json');

interface Locked {
  version: string;
  integrity: string;
}

export async function nativeLock(): Promise<NativeLock> {
  const { packages } = JSON.parse(await readFile(path.join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>;
  };
  const locked = (name: string, keep?: readonly string[]): NativePackage => {
    const found = packages[`node_modules/${name}`];
    if (found === undefined) throw new Error(`${name} is not in package-lock.json`);
    const { version, integrity } = found;
    return { name, version, integrity, ...(keep === undefined ? {} : { keep: [...keep] }) };
  };
  const duckdb = (platform: string) => [
    locked('@duckdb/node-bindings'),
    locked('detect-libc'),
    locked(`@duckdb/node-bindings-${platform}`),
  ];
  // One package holds every platform's binaries: those of other platforms are not kept.
  const onnxruntime = (platform: string) => [
    locked('onnxruntime-node', ['package.json', 'dist', `bin/napi-v6/${platform.replace('-', '/')}`]),
    locked('onnxruntime-common'),
  ];
  const linux = ['linux-x64', 'linux-arm64'];
  const others = ['darwin-arm64', 'win32-x64', 'win32-arm64'];
  const musl = linux.map((platform) => `${platform}-musl`);
  const by = (platforms: readonly string[], of: (platform: string) => NativePackage[]) =>
    Object.fromEntries(platforms.map((platform) => [platform, of(platform)]));
  return {
    '@duckdb/node-bindings': by([...linux, ...musl, 'darwin-x64', ...others], duckdb),
    'onnxruntime-node': by([...linux, ...others], onnxruntime),
  };
}

if (import.meta.main) {
  const wanted = await nativeLock();
  if (!process.argv.includes('--check')) await writeFile(file, `${JSON.stringify(wanted, null, 2)}\n`);
  else if (!isDeepStrictEqual(JSON.parse(await readFile(file, 'utf8')), wanted)) {
    console.error('src/native-lock.json is out of date: run npm run docs');
    process.exitCode = 1;
  }
}
