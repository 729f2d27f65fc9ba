import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson, type Digest, sha256 } from '../../src/json.ts';
import type { Manifest } from '../../src/store/manifest.ts';
import type { Store } from '../../src/store/store.ts';

/** The files of the package that the vectors in `vectors/` are about. It never changes: they are signed. */
const files: Record<string, Buffer> = {
  'model.onnx': Buffer.from('a model'),
  'signature.json': Buffer.from('{"inputs":[]}'),
  'features.sql': Buffer.from('SELECT 1'),
};

const manifest: Manifest = {
  schema: 'modelgate.manifest/1',
  kind: 'model',
  files: Object.entries(files).map(([name, bytes]) => ({ name, size: bytes.length, sha256: sha256(bytes) })),
  inputs: { split: 'a'.repeat(64), code: 'b'.repeat(64) },
  producer: { commit: 'c0ffee', run: '1', attempt: 1, trigger: 'push', modelgate: '0.1.0' },
  facts: { metrics: { auc: 0.7 } },
};

export const packageDigest: Digest = sha256(canonicalJson(manifest));

export async function storePackage(store: Store): Promise<Digest> {
  for (const bytes of Object.values(files)) await store.putBytes(bytes);
  const { schema: _, ...rest } = manifest;
  return store.putManifest(rest);
}

/** Writes the package as a folder: what other tools sign and verify. */
export async function writePackage(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
  await writeFile(join(folder, 'manifest.json'), canonicalJson(manifest));
}
