import { stat } from 'node:fs/promises';
import { asStorageError, hasCode, UserError } from '../errors.ts';
import type { Storage } from './storage.ts';

/**
 * The storage that a URL names: a folder's path, which is made at the first write. Throws
 * `storage_unsuitable` for what cannot be a store and `storage_unavailable` for what cannot be reached.
 */
export async function openStorage(url: string): Promise<Storage> {
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(url)?.[1]?.toLowerCase();
  if (scheme !== undefined) throw notYet(url, scheme);
  if (url === '' || url.includes('\0')) {
    throw new UserError({
      code: 'usage',
      message: 'The store has no name.',
      where: '--store',
      fix: 'Give a folder, e.g. `--store .modelgate/store`.',
    });
  }
  try {
    if (!(await stat(url)).isDirectory()) {
      throw new UserError({
        code: 'storage_unsuitable',
        message: 'The store is a file, not a folder.',
        where: url,
        fix: 'Give a folder with --store.',
      });
    }
  } catch (error) {
    if (hasCode(error, 'ENOTDIR')) {
      throw new UserError({
        code: 'storage_unsuitable',
        message: "A part of the store's path is a file, not a folder.",
        where: url,
        fix: 'Give a folder with --store.',
      });
    }
    if (!hasCode(error, 'ENOENT')) throw asStorageError(error, url);
  }
  const { FileSystemStorage } = await import('./file-system.ts');
  return new FileSystemStorage(url);
}

function notYet(url: string, scheme: string): UserError {
  return new UserError({
    code: 'storage_unsuitable',
    message:
      scheme === 's3' ? 'S3 stores are not supported yet.' : `Stores of the kind ${scheme}:// are not known.`,
    where: url,
    fix: 'Give a folder with --store, e.g. `--store .modelgate/store`.',
  });
}
