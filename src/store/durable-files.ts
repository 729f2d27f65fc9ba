import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, link, mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { asStorageError, hasCode, UserError } from '../errors.ts';

/** Copies a file as a stream; when a digest was promised, other bytes than those are an error. */
export async function copyInto(
  target: FileHandle,
  content: { file: string; sha256?: string },
): Promise<void> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(content.file, { highWaterMark: 1 << 20 })) {
    const bytes = chunk as Buffer;
    hash.update(bytes);
    // writeFile writes all of it, from where the last one ended
    await target.writeFile(bytes);
  }
  if (content.sha256 === undefined || hash.digest('hex') === content.sha256) return;
  throw new UserError({
    code: 'object_damaged',
    message: 'The file changed while it was being stored.',
    where: content.file,
    fix: 'Run the same command again when nothing else writes to the file.',
  });
}

/** link(), told apart by what happened and not by what was answered: NFS can lose the answer. */
export async function linkOnce(temporary: string, path: string): Promise<'created' | 'exists'> {
  try {
    await link(temporary, path);
    return 'created';
  } catch (error) {
    if ((await stat(temporary).catch(() => null))?.nlink === 2) return 'created';
    if (hasCode(error, 'EEXIST')) return 'exists';
    if (['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV'].some((code) => hasCode(error, code))) {
      throw new UserError({
        code: 'storage_unsuitable',
        message: 'This file system has no hard links, which the store needs to create a file exactly once.',
        where: path,
        fix: 'Choose a folder on a local file system (ext4, xfs, apfs, ntfs) with --store.',
        cause: error,
      });
    }
    throw error;
  }
}

/** Whether anything is at a path. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw asStorageError(error, path);
  }
}

/**
 * Makes a folder and those above it. One by one: a recursive mkdir never ends where a file system, such as /proc,
 * answers that there is no parent though there is one.
 */
export async function makeFolders(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return;
    const parent = dirname(folder);
    const above = hasCode(error, 'ENOENT') && !(await isThere(parent));
    if (!above) throw asStorageError(noFolderHere(error, folder), folder);
    await makeFolders(parent);
    await mkdir(folder).catch((again: unknown) => {
      if (!hasCode(again, 'EEXIST')) throw again;
    });
  }
}

function noFolderHere(error: unknown, folder: string): unknown {
  const code = ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'ELOOP'].find((one) => hasCode(error, one));
  if (code === undefined) return error;
  return new UserError({
    code: 'storage_unavailable',
    message: `No folder can be made here (${code}).`,
    where: folder,
    fix: 'Choose another folder with --store.',
    cause: error,
  });
}

/** Makes the names in a folder durable, where the system can. */
export async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await open(folder, 'r');
  } catch (error) {
    // Windows opens no folders, and a parent of the store may be closed to us
    if (['EISDIR', 'EPERM', 'EACCES'].some((code) => hasCode(error, code))) return;
    throw error;
  }
  try {
    await handle.sync();
  } catch (error) {
    if (!hasCode(error, 'EINVAL') && !hasCode(error, 'EPERM')) throw error;
  } finally {
    await handle.close();
  }
}

/**
 * Makes a folder's own name durable, and those of the folders above it: a process that was killed may have made
 * several of them. Up to the mount point, whose name is not the file system's.
 */
export async function syncParents(folder: string): Promise<void> {
  const { dev } = await stat(folder);
  for (let parent = dirname(folder); (await stat(parent)).dev === dev; parent = dirname(parent)) {
    await syncFolder(parent);
    if (parent === dirname(parent)) return;
  }
}
