import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { download, downloadPatience, downloadProblem, shownUrl } from './download.ts';
import { UserError } from './errors.ts';
import { makeStaging } from './staging.ts';

/** One npm package as it is pinned. */
export interface NativePackage {
  name: string;
  version: string;
  /** `sha512-` and base64 of the archive's hash, as npm records it. */
  integrity: string;
  /** Files and folders to keep, from the package's root; left out: all. */
  keep?: string[];
}

/** By library, then by platform: what must be installed together. The first package is the library itself. */
export type NativeLock = Record<string, Record<string, NativePackage[]>>;

export interface Installation {
  lock: NativeLock;
  library: string;
  platform: string;
  /** Where installed libraries are kept: one folder a library, version and platform. */
  cache: string;
  /** Where npm packages are downloaded from. */
  registry: string;
}

/** The largest archive that is taken, in bytes: ONNX Runtime's holds every platform. */
const archiveLimit = 600_000_000;

/** The folder in which a pinned library lies or will lie; null where the lock has none of it for this platform. */
export function installedFolder({
  lock,
  library,
  platform,
  cache,
}: Omit<Installation, 'registry'>): string | null {
  const first = lock[library]?.[platform]?.[0];
  if (first === undefined) return null;
  return path.join(cache, library.replace(/^@/, '').replaceAll('/', '-'), first.version, platform);
}

/**
 * The folder that holds a library under `node_modules`: found in the cache, without any network, else downloaded,
 * verified and put there in one step, so that a process that is killed or a second one at the same time leaves
 * nothing half-written. Throws `native_unsupported`, `native_damaged` and `native_missing`.
 */
export async function installNative(installation: Installation): Promise<string> {
  const { lock, library, platform, cache } = installation;
  const folder = installedFolder(installation);
  const packages = lock[library]?.[platform];
  if (folder === null || packages === undefined) throw unsupported(installation);
  if (existsSync(folder)) return folder;
  const staging = await makeStaging(cache);
  try {
    for (const one of packages) await unpack(one, { staging, registry: installation.registry });
    await mkdir(path.dirname(folder), { recursive: true });
    await rename(path.join(staging, 'whole'), folder);
  } catch (error) {
    // another process was first: its folder is whole, since it came by a rename as well
    if (!existsSync(folder)) throw error;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return folder;
}

/** Downloads one package, and unpacks what is kept of it when its hash is the pinned one. */
async function unpack(
  one: NativePackage,
  { staging, registry }: { staging: string; registry: string },
): Promise<void> {
  const { name, version, integrity, keep } = one;
  const target = path.join(staging, 'whole', 'node_modules', name);
  await mkdir(target, { recursive: true });
  const archive = path.join(staging, `${randomUUID()}.tgz`);
  const url = `${registry.replace(/\/+$/, '')}/${name}/-/${name.split('/').at(-1)}-${version}.tgz`;
  const found = await fetchArchive(url, archive);
  if (found !== integrity) {
    throw new UserError({
      code: 'native_damaged',
      message: `The archive of ${name} ${version} is not the pinned one: its hash is ${found}.`,
      where: shownUrl(url),
      fix: 'Run it again; when it stays so, the registry in MODELGATE_NATIVE_REGISTRY does not give what npm published.',
    });
  }
  const members = (keep ?? []).map((member) => `package/${member}`);
  await extract(archive, target, members);
  await rm(archive);
}

/** Downloads an archive; gives its hash in npm's form. */
async function fetchArchive(url: string, file: string): Promise<string> {
  try {
    const hash = await download(url, file, { algorithm: 'sha512', limit: archiveLimit });
    return `sha512-${hash.toString('base64')}`;
  } catch (cause) {
    throw new UserError({
      code: 'native_missing',
      message: `The archive could not be downloaded: ${downloadProblem(cause)}.`,
      where: shownUrl(url),
      fix: 'Let the runner reach the registry, name another one in MODELGATE_NATIVE_REGISTRY, or name a folder with the library in its node_modules in MODELGATE_NATIVE.',
      cause,
    });
  }
}

/** Unpacks an archive whose bytes are known; `tar` is there on every runner, on Windows too. */
function extract(archive: string, folder: string, members: readonly string[]): Promise<void> {
  const args = ['-xzf', archive, '-C', folder, '--strip-components=1', ...members];
  return new Promise((resolve, reject) => {
    execFile('tar', args, { timeout: downloadPatience }, (error, _, stderr) => {
      if (error === null) return resolve();
      reject(
        new UserError({
          code: 'native_missing',
          message: `The archive could not be unpacked: ${(stderr || error.message).slice(0, 300)}.`,
          where: archive,
          fix: 'Install tar on the runner and see that its tool cache has room.',
          cause: error,
        }),
      );
    });
  });
}

function unsupported({ lock, library, platform }: Installation): UserError {
  const known = Object.keys(lock[library] ?? {});
  return new UserError({
    code: 'native_unsupported',
    message: `The library ${library} is not published for ${platform}.`,
    where: platform,
    fix: `Run this on one of ${known.join(', ')}.`,
  });
}
