import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { UserError } from '../errors.ts';
import { canonicalJson, type Digest, parseJson, sha256 } from '../json.ts';
import { keys } from './keys.ts';
import { Manifest, type ManifestFile } from './manifest.ts';
import type { Storage } from './storage.ts';

const manifestLimit = 8_000_000;

/** sha256 and size of a file, read as a stream. */
export async function hashFile(file: string): Promise<{ sha256: Digest; size: number }> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return { sha256: hash.digest('hex'), size: (await stat(file)).size };
}

/** Immutable, content-addressed objects and manifests over any storage. Every read is verified. */
export class Store {
  readonly storage: Storage;
  private readonly verified = new Set<Digest>();

  constructor(storage: Storage) {
    this.storage = storage;
  }

  /** Stores bytes as an object; storing the same bytes again is free. */
  async putBytes(bytes: Uint8Array): Promise<Digest> {
    const digest = sha256(bytes);
    await this.storage.create(keys.object(digest), bytes);
    return digest;
  }

  /** Stores a file as an object. */
  async putFile(file: string): Promise<{ sha256: Digest; size: number }> {
    const hashed = await hashFile(file);
    await this.storage.create(keys.object(hashed.sha256), { file, sha256: hashed.sha256 });
    return hashed;
  }

  async has(digest: Digest): Promise<boolean> {
    return (await this.storage.size(keys.object(digest))) !== null;
  }

  /** The bytes of an object, verified. Throws `object_missing`, `object_damaged`. */
  async readBytes(digest: Digest, limit?: number): Promise<Buffer> {
    const bytes = await this.storage.read(keys.object(digest), limit);
    if (bytes === null) throw missing('object', digest, this.storage.url);
    if (sha256(bytes) !== digest) throw damaged('object', digest, this.storage.url);
    return bytes;
  }

  /** Path of a local, verified copy of an object, for reading alone. */
  async localFile(digest: Digest): Promise<string> {
    const file = await this.storage.localFile(keys.object(digest));
    if (file === null) throw missing('object', digest, this.storage.url);
    if (!this.verified.has(digest)) {
      if ((await hashFile(file)).sha256 !== digest) throw damaged('object', digest, this.storage.url);
      this.verified.add(digest);
    }
    return file;
  }

  async putManifest(manifest: Omit<Manifest, 'schema'>): Promise<Digest> {
    const bytes = Buffer.from(canonicalJson(Manifest.parse({ schema: 'modelgate.manifest/1', ...manifest })));
    const digest = sha256(bytes);
    await this.storage.create(keys.manifest(digest), bytes);
    return digest;
  }

  /** A manifest, verified; `kind` guards against a digest of something else. */
  async readManifest(digest: Digest, kind?: Manifest['kind']): Promise<Manifest> {
    const bytes = await this.storage.read(keys.manifest(digest), manifestLimit);
    if (bytes === null) throw missing('manifest', digest, this.storage.url);
    if (sha256(bytes) !== digest) throw damaged('manifest', digest, this.storage.url);
    const manifest = parseManifest(bytes);
    if (manifest === null) throw malformed(digest, this.storage.url);
    if (kind !== undefined && manifest.kind !== kind) {
      throw new UserError({
        code: 'usage',
        message: `${digest.slice(0, 12)} is of the kind ${manifest.kind}, not ${kind}.`,
        where: this.storage.url,
        fix: `Give a digest of the kind ${kind}.`,
      });
    }
    return manifest;
  }

  /** A file of a manifest, by name. */
  file(manifest: Manifest, name: string): ManifestFile {
    const found = manifest.files.find((file) => file.name === name);
    if (found === undefined) throw new Error(`the ${manifest.kind} manifest has no file ${name}`);
    return found;
  }

  /** Path of a local, verified copy of a manifest's file. */
  async manifestFile(digest: Digest, name: string): Promise<string> {
    return this.localFile(this.file(await this.readManifest(digest), name).sha256);
  }

  /** A cached stage result: the canonical JSON that `writeCache` was given, or null. */
  async readCache(stage: string, key: Digest): Promise<unknown> {
    const bytes = await this.storage.read(keys.cache(stage, key), manifestLimit);
    if (bytes === null) return null;
    try {
      return parseJson(bytes.toString('utf8'), manifestLimit);
    } catch {
      return null; // a damaged cache entry costs a run, never truth
    }
  }

  /**
   * Keeps a stage result, and gives the one that stands: of two runs at once the first one's, so that both go
   * on from the same digests. One that cannot be read is replaced.
   */
  async writeCache(stage: string, key: Digest, value: unknown): Promise<unknown> {
    const bytes = Buffer.from(canonicalJson(value));
    if ((await this.storage.create(keys.cache(stage, key), bytes)) === 'created') return value;
    const first = await this.readCache(stage, key);
    if (first !== null) return first;
    await this.storage.replace(keys.cache(stage, key), bytes);
    return value;
  }
}

/** A manifest's bytes, or null when they are none. */
export function parseManifest(bytes: Buffer): Manifest | null {
  try {
    return Manifest.parse(parseJson(bytes.toString('utf8'), manifestLimit));
  } catch {
    return null;
  }
}

function malformed(digest: Digest, url: string): UserError {
  return new UserError({
    code: 'object_damaged',
    message: `The bytes stored as manifest ${digest.slice(0, 12)} are no manifest that this version can read.`,
    where: url,
    fix: 'Update ModelGate if a newer one wrote it; else run `modelgate registry verify`.',
  });
}

function missing(what: string, digest: Digest, url: string): UserError {
  return new UserError({
    code: 'object_missing',
    message: `The ${what} ${digest.slice(0, 12)} is not in the store.`,
    where: url,
    fix: 'Check --store, and run `modelgate registry verify` to see what else is missing.',
  });
}

function damaged(what: string, digest: Digest, url: string): UserError {
  return new UserError({
    code: 'object_damaged',
    message: `The ${what} ${digest.slice(0, 12)} does not have the bytes that its digest says.`,
    where: url,
    fix: 'Restore it from a copy of the store; `modelgate registry verify --read-data` lists all damage.',
  });
}
