import { createHash } from 'node:crypto';
import { type Digest, Digest as DigestSchema, sha256 } from '../json.ts';
import { keys } from '../store/keys.ts';
import type { Manifest } from '../store/manifest.ts';
import type { Storage } from '../store/storage.ts';
import { parseManifest } from '../store/store.ts';
import type { Findings } from './findings.ts';

const manifestLimit = 8_000_000;

/** Immutable content that the store holds, by digest; sizes in bytes. */
export interface Inventory {
  objects: Map<Digest, number>;
  manifests: Map<Digest, number>;
}

/** Lists all immutable content. Names that are no digests, or lie in the wrong folder, go to `findings`. */
export async function takeInventory(storage: Storage, findings: Findings): Promise<Inventory> {
  const inventory: Inventory = { objects: new Map(), manifests: new Map() };
  for (const kind of ['objects', 'manifests'] as const) {
    for await (const { key, size } of storage.list(`${kind}/`)) {
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
  const queue = [...roots];
  for (let digest = queue.pop(); digest !== undefined; digest = queue.pop()) {
    if (reached.has(digest)) continue;
    reached.add(digest);
    // an input may be a plain object, such as an evaluation set's file
    if (!inventory.manifests.has(digest) && inventory.objects.has(digest)) continue;
    const manifest = await readManifest(storage, digest, findings);
    if (manifest === null) continue;
    for (const file of manifest.files) {
      reached.add(file.sha256);
      const size = inventory.objects.get(file.sha256);
      if (size === undefined) findings.missing(keys.object(file.sha256));
      else if (size !== file.size) findings.bad(keys.object(file.sha256), `${size} bytes, not ${file.size}`);
    }
    queue.push(...Object.values(manifest.inputs));
  }
  return reached;
}

/** Reads all objects and compares them with their digests, the unreferenced ones too: they may be used again. */
export async function checkObjectBytes(
  storage: Storage,
  inventory: Inventory,
  findings: Findings,
): Promise<void> {
  for (const digest of inventory.objects.keys()) {
    const key = keys.object(digest);
    try {
      const hash = createHash('sha256');
      const stream = await storage.stream(key);
      if (stream === null) {
        findings.missing(key);
        continue;
      }
      for await (const chunk of stream) hash.update(chunk as Buffer);
      if (hash.digest('hex') !== digest) findings.bad(key, 'its bytes do not have its digest');
    } catch (error) {
      findings.bad(key, reasonOf(error));
    }
  }
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
      findings.bad(key, 'its bytes do not have its digest');
      return null;
    }
    const manifest = parseManifest(bytes);
    if (manifest === null) findings.bad(key, 'no manifest that this version can read');
    return manifest;
  } catch (error) {
    findings.bad(key, reasonOf(error));
    return null;
  }
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
