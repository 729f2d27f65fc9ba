import { stat } from 'node:fs/promises';
import { UserError } from '../errors.ts';
import type { Digest } from '../json.ts';
import type { Manifest } from '../store/manifest.ts';
import type { Store } from '../store/store.ts';

/**
 * Reads every file of a model package and compares it with its digest, so that no move commits to what
 * cannot be served. Throws `object_missing`, `object_damaged`.
 */
export async function verifyPackage(store: Store, digest: Digest): Promise<Manifest> {
  const manifest = await store.readManifest(digest, 'model');
  for (const file of manifest.files) {
    const { size } = await stat(await store.localFile(file.sha256));
    if (size === file.size) continue;
    throw new UserError({
      code: 'object_damaged',
      message: `${file.name} has ${size} bytes; its manifest says ${file.size}.`,
      where: digest,
      fix: 'Train and register the model again: this package was made wrong.',
    });
  }
  return manifest;
}
