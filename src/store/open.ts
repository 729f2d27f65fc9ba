import { stat } from 'node:fs/promises';
import path from 'node:path';
import { cacheDirectory } from '../cache-directory.ts';
import { asStorageError, hasCode, UserError } from '../errors.ts';
import type { Storage } from './storage.ts';

/**
 * The storage that a URL names: a folder's path, which is made at the first write, or `s3://bucket/prefix`. Throws
 * `storage_unsuitable` for what cannot be a store and `storage_unavailable` for what cannot be reached.
 */
export async function openStorage(url: string): Promise<Storage> {
  const scheme = /^([a-z][a-z0-9+.-]+):\/\//i.exec(url)?.[1]?.toLowerCase();
  if (scheme === 's3') {
    const { S3Storage } = await import('./s3.ts');
    return S3Storage.open(url, { cacheFolder: path.join(cacheDirectory(), 's3') });
  }
  if (scheme !== undefined) throw unknownKind(url, scheme);
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

function unknownKind(url: string, scheme: string): UserError {
  return new UserError({
    code: 'storage_unsuitable',
    message: `Stores of the kind ${scheme}:// are not known.`,
    // it may hold a password
    where: url.includes('@') ? '--store' : url,
    fix: 'Give a folder or s3://bucket/prefix with --store, e.g. `--store .modelgate/store`.',
  });
}
