import { canonicalJson, type Json } from '../json.ts';
import type { ManifestFile, Producer } from '../store/manifest.ts';
import type { Store } from '../store/store.ts';

/**
 * The producer of snapshots, datasets and code: they are named by their content alone, so that the same rows have
 * the same digest whichever run read them. Which run used them stands in the manifests made from them.
 */
export const contentProducer: Producer = {
  commit: null,
  run: 'content',
  attempt: 1,
  trigger: 'content',
  modelgate: 'content',
};

/** Stores files and gives their entries for a manifest, in the order given. */
export async function putFiles(store: Store, files: Record<string, string>): Promise<ManifestFile[]> {
  const stored: ManifestFile[] = [];
  for (const [name, file] of Object.entries(files)) stored.push({ name, ...(await store.putFile(file)) });
  return stored;
}

/** Stores a JSON value as a file of a manifest. */
export async function putJson(store: Store, name: string, value: unknown): Promise<ManifestFile> {
  const bytes = Buffer.from(JSON.stringify(value));
  return { name, size: bytes.length, sha256: await store.putBytes(bytes) };
}

/** A value that is JSON by construction, as a fact of a manifest: `undefined` members are left out. */
export function asJson(value: unknown): Json {
  return JSON.parse(canonicalJson(value)) as Json;
}
