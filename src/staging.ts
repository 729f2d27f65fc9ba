import { randomUUID } from 'node:crypto';
import { lstat, mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';

const prefix = '.staging-';
/** Milliseconds after which nobody works in such a folder any more: downloads end long before. */
const abandoned = 24 * 3_600_000;

/**
 * A new folder in a cache, in which something is made ready for its place there; whoever asked for it removes it. Those
 * that killed processes left there go. Throws what the file system says where the cache cannot be written.
 */
export async function makeStaging(cache: string): Promise<string> {
  const folder = path.join(cache, `${prefix}${randomUUID()}`);
  await mkdir(folder, { recursive: true });
  await removeAbandoned(cache);
  return folder;
}

/** Never fails: what cannot be removed, or is another user's, stays. */
async function removeAbandoned(cache: string): Promise<void> {
  const names = await readdir(cache).catch(() => []);
  for (const name of names.filter((one) => one.startsWith(prefix))) {
    const folder = path.join(cache, name);
    const found = await lstat(folder).catch(() => null);
    if (found === null || Date.now() - found.mtimeMs < abandoned) continue;
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}
