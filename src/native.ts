import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as DuckDb from '@duckdb/node-api';
import type * as OnnxRuntime from 'onnxruntime-node';
import { hasCode, UserError } from './errors.ts';

/** Libraries with compiled code: no bundle can hold them, so they are looked up when they are needed. */
interface NativeModules {
  '@duckdb/node-api': typeof DuckDb;
  'onnxruntime-node': typeof OnnxRuntime;
}
export type NativeName = keyof NativeModules;

/**
 * Loads a native library: from the node_modules beside the running file (a clone, an npm installation, a
 * release that carries them), else from the folder `MODELGATE_NATIVE`, else from the runner's tool cache
 * (`RUNNER_TOOL_CACHE/modelgate/<platform>-<arch>`), each holding a `node_modules`. Throws `native_missing`.
 */
export async function importNative<Name extends NativeName>(name: Name): Promise<NativeModules[Name]> {
  try {
    return (await import(name)) as NativeModules[Name];
  } catch (error) {
    if (!isMissing(error, name)) throw unloadable(name, error);
  }
  for (const folder of nativeFolders(process.env)) {
    let file: string;
    try {
      file = createRequire(path.join(folder, 'index.js')).resolve(name);
    } catch (error) {
      if (isMissing(error, name)) continue;
      throw unloadable(name, error);
    }
    try {
      return (await import(pathToFileURL(file).href)) as NativeModules[Name];
    } catch (error) {
      throw unloadable(name, error);
    }
  }
  throw new UserError({
    code: 'native_missing',
    message: `The library ${name} is not installed for ${process.platform}-${process.arch}.`,
    where: nativeFolders(process.env)[0] ?? 'node_modules',
    fix: `Run \`npm install --ignore-scripts ${name}\` in a folder and name that folder in MODELGATE_NATIVE.`,
  });
}

/** Folders that are looked through after normal resolution, the first found wins. */
export function nativeFolders(env: NodeJS.ProcessEnv): string[] {
  const { MODELGATE_NATIVE, RUNNER_TOOL_CACHE } = env;
  return [
    ...(MODELGATE_NATIVE ? [path.resolve(MODELGATE_NATIVE)] : []),
    ...(RUNNER_TOOL_CACHE
      ? [path.join(RUNNER_TOOL_CACHE, 'modelgate', `${process.platform}-${process.arch}`)]
      : []),
  ];
}

/** Whether the library itself is not there, as against one of its own parts. */
function isMissing(error: unknown, name: string): boolean {
  if (!hasCode(error, 'ERR_MODULE_NOT_FOUND') && !hasCode(error, 'MODULE_NOT_FOUND')) return false;
  return error instanceof Error && error.message.includes(`'${name}'`);
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
