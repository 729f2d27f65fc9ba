import { createHash } from 'node:crypto';
import { type Digest, Digest as DigestSchema, sha256 } from '../json.ts';
import { keys } from '../store/keys.ts';
import type { Manifest } from '../store/manifest.ts';
import type { Storage } from '../store/storage.ts';
import { parseManifest } from '../store/store.ts';
import type { Findings } from './findings.ts';
import { forEachAtOnce, listPlain } from './verify-read.ts';

const manifestLimit = 8_000_000;
const wrongBytes = 'its bytes do not have its digest';

/** Immutable content that the store holds, by digest; sizes in bytes. */
export interface Inventory {
  objects: Map<Digest, number>;
  manifests: Map<Digest, number>;
}

/** Lists all immutable content. Names that are no digests, or lie in the wrong folder, go to `findings`. */
export async function takeInventory(storage: Storage, findings: Findings): Promise<Inventory> {
  const inventory: Inventory = { objects: new Map(), manifests: new Map() };
  for (const kind of ['objects', 'manifests'] as const) {
    for await (const { key, size } of listPlain(storage, `${kind}/`, findings)) {
      const digest = DigestSchema.safeParse(key.split('/').at(-1));
      const place = kind === 'objects' ? keys.object : keys.manifest;
      if (digest.success && place(digest.data) === key) inventory[kind].set(digest.data, size);
      else findings.bad(key, 'not a name that the store makes');
    }
  }
  return inventory;
}

/**
 * Walks from the log's digests over manifests to files: each must exist with its size, each manifest must
 * have its digest. Gives the digests of everything that was reached.
 */
export async function checkReachable(
  storage: Storage,
  roots: Iterable<Digest>,
  inventory: Inventory,
  findings: Findings,
): Promise<Set<Digest>> {
  const reached = new Set<Digest>();
  const visited = new Set<Digest>();
  let layer = new Set(roots);
  while (layer.size > 0) {
    const next = new Set<Digest>();
    for (const digest of layer) visited.add(digest);
    await forEachAtOnce(layer, async (digest) => {
      if (!inventory.manifests.has(digest)) {
        // An input may be a plain object, such as an evaluation set's file. What an entry names is stored before
        // the entry, and logs are listed before the inventory: what is not in it is not there.
        if (!inventory.objects.has(digest)) findings.missing(keys.manifest(digest));
        return;
      }
      const manifest = await readManifest(storage, digest, findings);
      if (manifest === null) return;
      for (const file of manifest.files) {
        reached.add(file.sha256);
        const size = inventory.objects.get(file.sha256);
        if (size === undefined) findings.missing(keys.object(file.sha256));
        else if (size !== file.size)
          findings.bad(keys.object(file.sha256), `${size} bytes, not ${file.size}`);
      }
      for (const input of Object.values(manifest.inputs)) if (!visited.has(input)) next.add(input);
    });
    layer = next;
  }
  for (const digest of visited) reached.add(digest);
  return reached;
}

/**
 * Reads objects and manifests and compares their bytes with their digests, the unreferenced ones too: they may
 * be used again. Gives what was read.
 */
export async function checkBytes(
  storage: Storage,
  inventory: Inventory,
  chosen: (digest: Digest) => boolean,
  findings: Findings,
): Promise<{ objects: number; bytes: number }> {
  const read = { objects: 0, bytes: 0 };
  for (const [place, digests] of [
    [keys.object, inventory.objects],
    [keys.manifest, inventory.manifests],
  ] as const) {
    await forEachAtOnce(digests.keys(), async (digest) => {
      if (!chosen(digest)) return;
      if (digests === inventory.manifests && (digests.get(digest) ?? 0) > manifestLimit) {
        findings.bad(place(digest), 'longer than a manifest can be');
        return;
      }
      read.objects += 1;
      read.bytes += await checkDigest(storage, place(digest), digest, findings);
    });
  }
  return read;
}

/** Bytes that were read. */
async function checkDigest(
  storage: Storage,
  key: string,
  digest: Digest,
  findings: Findings,
): Promise<number> {
  let bytes = 0;
  try {
    const hash = createHash('sha256');
    const stream = await storage.stream(key);
    if (stream === null) {
      findings.missing(key);
      return 0;
    }
    for await (const chunk of stream) {
      hash.update(chunk as Buffer);
      bytes += (chunk as Buffer).length;
    }
    if (hash.digest('hex') !== digest) findings.bad(key, wrongBytes);
  } catch (error) {
    findings.failed(key, error);
  }
  return bytes;
}

async function readManifest(storage: Storage, digest: Digest, findings: Findings): Promise<Manifest | null> {
  const key = keys.manifest(digest);
  try {
    const bytes = await storage.read(key, manifestLimit);
    if (bytes === null) {
      findings.missing(key);
      return null;
    }
    if (sha256(bytes) !== digest) {
      findings.bad(key, wrongBytes);
      return null;
    }
    const manifest = parseManifest(bytes);
    if (manifest === null) findings.bad(key, 'no manifest that this version can read');
    return manifest;
  } catch (error) {
    findings.failed(key, error);
    return null;
  }
}
