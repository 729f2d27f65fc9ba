import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as DuckDbBindings from '@duckdb/node-bindings';
import type * as OnnxRuntime from 'onnxruntime-node';
import { assetPath } from './assets.ts';
import { cacheDirectory } from './cache-directory.ts';
import { hasCode, UserError } from './errors.ts';
import type { NativeLock } from './native-install.ts';
import { platformName } from './platform-name.ts';

/** Libraries with compiled code: no bundle can hold them, so they are looked up when they are needed. */
interface NativeModules {
  '@duckdb/node-bindings': typeof DuckDbBindings;
  'onnxruntime-node': typeof OnnxRuntime;
}
export type NativeName = keyof NativeModules;

/** Where a library's compiled part lies in its package for one platform. Its own loader tries several ways to tell the
 * C library first, which takes longer than all of the loading. */
const compiledParts: Partial<Record<NativeName, string>> = { '@duckdb/node-bindings': 'duckdb.node' };

/**
 * Loads a native library: from the node_modules beside the running file (a clone, an npm installation), else from
 * the folder `MODELGATE_NATIVE`, which holds a node_modules, else from the runner's tool cache, where the version
 * that src/native-lock.json pins is installed when it is not there yet. Throws `native_missing`,
 * `native_unsupported` and `native_damaged`.
 */
export async function importNative<Name extends NativeName>(name: Name): Promise<NativeModules[Name]> {
  try {
    return (await import(name)) as NativeModules[Name];
  } catch (error) {
    if (!isMissing(error, name)) throw unloadable(name, error);
  }
  return importFrom(await folderOf(name), name);
}

/**
 * For a process that gets no more of the environment than this folder, as its `MODELGATE_NATIVE`: what importNative
 * would load the library from, installed where it has to be; null where it lies beside the program. Throws as that does.
 */
export async function nativeFolder(name: NativeName): Promise<string | null> {
  try {
    createRequire(assetPath(import.meta.url, 'native-lock.json')).resolve(name);
    return null;
  } catch (error) {
    if (!isMissing(error, name)) throw unloadable(name, error);
    return folderOf(name);
  }
}

/** Of a library that does not lie beside the program: the one that is named, else in the tool cache. */
async function folderOf(name: NativeName): Promise<string> {
  const given = process.env.MODELGATE_NATIVE;
  if (given) return path.resolve(given);
  const { installNative } = await import('./native-install.ts');
  const lock = JSON.parse(
    await readFile(assetPath(import.meta.url, 'native-lock.json'), 'utf8'),
  ) as NativeLock;
  if (lock[name] === undefined) throw missing(name, 'node_modules');
  return installNative({
    ...{ lock, library: name, platform: platformName() },
    ...{ cache: nativeCache(process.env), registry: nativeRegistry(process.env) },
  });
}

/** Where installed libraries are kept: in the runner's tool cache, elsewhere in ModelGate's own. */
export function nativeCache({ RUNNER_TOOL_CACHE }: NodeJS.ProcessEnv): string {
  return RUNNER_TOOL_CACHE
    ? path.join(RUNNER_TOOL_CACHE, 'modelgate')
    : path.join(cacheDirectory(), 'native');
}

/** The registry of npm packages: named, or that of npm's own settings, or the public one. */
export function nativeRegistry(env: NodeJS.ProcessEnv): string {
  return env.MODELGATE_NATIVE_REGISTRY || env.npm_config_registry || 'https://registry.npmjs.org';
}

async function importFrom<Name extends NativeName>(folder: string, name: Name): Promise<NativeModules[Name]> {
  const require = createRequire(path.join(folder, 'index.js'));
  let file: string;
  try {
    file = require.resolve(name);
  } catch (error) {
    throw isMissing(error, name) ? missing(name, folder) : unloadable(name, error);
  }
  const compiled = compiledParts[name];
  if (compiled !== undefined) {
    try {
      return createRequire(file)(`${name}-${platformName()}/${compiled}`) as NativeModules[Name];
    } catch {
      // a platform that only its own loader knows, or a fault that it names
    }
  }
  try {
    return (await import(pathToFileURL(file).href)) as NativeModules[Name];
  } catch (error) {
    throw unloadable(name, error);
  }
}

/** Whether the library itself is not there, as against one of its own parts. */
function isMissing(error: unknown, name: string): boolean {
  if (!hasCode(error, 'ERR_MODULE_NOT_FOUND') && !hasCode(error, 'MODULE_NOT_FOUND')) return false;
  return error instanceof Error && error.message.includes(`'${name}'`);
}

function missing(name: string, where: string): UserError {
  return new UserError({
    code: 'native_missing',
    message: `The library ${name} is not installed for ${process.platform}-${process.arch}.`,
    where,
    fix: `Run \`npm install --ignore-scripts ${name}\` in a folder and name that folder in MODELGATE_NATIVE.`,
  });
}

function unloadable(name: string, cause: unknown): UserError {
  return new UserError({
    code: 'native_missing',
    message: `The library ${name} is there but can't be loaded on ${process.platform}-${process.arch}.`,
    where: cause instanceof Error ? cause.message.slice(0, 300) : name,
    fix: 'Install it on this machine: a node_modules folder copied from another platform does not work.',
    cause,
  });
}
