import { stat } from 'node:fs/promises';
import path from 'node:path';
import { cacheDirectory } from '../cache-directory.ts';
import { asStorageError, hasCode, UserError } from '../errors.ts';
import type { Storage } from './storage.ts';

/** What openStorage takes of what a user named: a URL as it is, a folder's path from `folder`. */
export function storeUrl(named: string, folder = process.cwd()): string {
  return named === '' || schemeOf(named) !== undefined ? named : path.resolve(folder, named);
}

function schemeOf(url: string): string | undefined {
  return /^([a-z][a-z0-9+.-]+):\/\//i.exec(url)?.[1]?.toLowerCase();
}

/**
 * The storage that a URL names: a folder's path, which is made at the first write, or `s3://bucket/prefix`. Throws
 * `usage` for a URL of another kind, `storage_unsuitable` for what cannot be a store and `storage_unavailable` for
 * what cannot be reached; `option` is what the user gave it with.
 */
export async function openStorage(url: string, option = '--store'): Promise<Storage> {
  const scheme = schemeOf(url);
  if (scheme === 's3') {
    const { S3Storage } = await import('./s3.ts');
    return S3Storage.open(url, { cacheFolder: path.join(cacheDirectory(), 's3') });
  }
  if (scheme !== undefined) throw unknownKind(url, scheme, option);
  if (url === '' || url.includes('\0')) {
    throw new UserError({
      code: 'usage',
      message: 'The store has no name.',
      where: option,
      fix: `Give a folder, e.g. \`${option} .modelgate/store\`.`,
    });
  }
  try {
    if (!(await stat(url)).isDirectory()) {
      throw new UserError({
        code: 'storage_unsuitable',
        message: 'The store is a file, not a folder.',
        where: url,
        fix: `Give a folder with ${option}.`,
      });
    }
  } catch (error) {
    if (hasCode(error, 'ENOTDIR')) {
      throw new UserError({
        code: 'storage_unsuitable',
        message: "A part of the store's path is a file, not a folder.",
        where: url,
        fix: `Give a folder with ${option}.`,
      });
    }
    if (!hasCode(error, 'ENOENT')) throw asStorageError(error, url);
  }
  const { FileSystemStorage } = await import('./file-system.ts');
  return new FileSystemStorage(url);
}

function unknownKind(url: string, scheme: string, option: string): UserError {
  return new UserError({
    code: 'usage',
    message: `Stores of the kind ${scheme}:// are not known.`,
    // it may hold a password
    where: url.includes('@') ? option : url,
    fix: `Give a folder or s3://bucket/prefix with ${option}, e.g. \`${option} .modelgate/store\`.`,
  });
}
