import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { z } from 'zod';
import { UserError } from '../errors.ts';
import { canonicalJson, Digest, parseJson, sha256 } from '../json.ts';
import { digestsIn } from './digests.ts';
import { keys } from './keys.ts';
import { Manifest, type ManifestFile } from './manifest.ts';
import type { Content, Storage } from './storage.ts';

const manifestLimit = 8_000_000;

/** Stands between what is about to be named and garbage collection. */
export interface Keeper {
  /**
   * Sees to it that these stay for at least the grace of a collection; gives those that are not there. Called
   * before anything names them: a manifest, a log entry, a cached result that is used.
   */
  keep(digests: readonly Digest[]): Promise<Digest[]>;
}

/** A stage's result, and the objects and manifests that it names. */
const CacheEntry = z.object({
  schema: z.literal('modelgate.cache/1'),
  names: z.array(Digest),
  value: z.unknown(),
});
type CacheEntry = z.infer<typeof CacheEntry>;
/** So many are looked for at each use. */
const cacheNames = 100;
const lookedForAtOnce = 16;

const nobody: Keeper = { keep: async () => [] };
/** So often a put starts again because what it found there was being removed. */
const putTries = 5;

const hashedAtOnce = 2 ** 18;

/** sha256 and size of a file, a piece at a time. */
export async function hashFile(file: string): Promise<{ sha256: Digest; size: number }> {
  const hash = createHash('sha256');
  // one buffer: a stream's are collected late, and a file may be larger than memory
  const buffer = Buffer.allocUnsafeSlow(hashedAtOnce);
  const handle = await open(file);
  try {
    let size = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer);
      if (bytesRead === 0) return { sha256: hash.digest('hex'), size };
      hash.update(buffer.subarray(0, bytesRead));
      size += bytesRead;
    }
  } finally {
    await handle.close();
  }
}

/** Immutable, content-addressed objects and manifests over any storage. Every read is verified. */
export class Store {
  readonly storage: Storage;
  private readonly verified = new Set<Digest>();
  private keeper = nobody;

  constructor(storage: Storage) {
    this.storage = storage;
  }

  /** Makes every put ask this keeper, unless there is one already. A registry does that for its store. */
  guard(keeper: Keeper): void {
    if (this.keeper === nobody) this.keeper = keeper;
  }

  /**
   * Call before something names these. Throws `object_missing` when one is not there; those of `also` may be missing,
   * or be digests of something else.
   */
  async keep(digests: readonly Digest[], also: Iterable<Digest> = []): Promise<void> {
    const gone = new Set(await this.keeper.keep([...new Set([...digests, ...also])]));
    const first = digests.find((digest) => gone.has(digest));
    if (first !== undefined) throw missing('object or manifest', first, this.storage.url);
  }

  /** Stores bytes as an object; storing the same bytes again is free. */
  async putBytes(bytes: Uint8Array): Promise<Digest> {
    const digest = sha256(bytes);
    await this.put(keys.object(digest), digest, bytes);
    return digest;
  }

  /** Stores a file as an object. */
  async putFile(file: string): Promise<{ sha256: Digest; size: number }> {
    const hashed = await hashFile(file);
    await this.put(keys.object(hashed.sha256), hashed.sha256, { file, sha256: hashed.sha256 });
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
    const parsed = Manifest.parse({ schema: 'modelgate.manifest/1', ...manifest });
    return this.putParsed(parsed, Buffer.from(canonicalJson(parsed)));
  }

  /** Stores a manifest's bytes as another store has them. Throws `object_damaged` for bytes that are none. */
  async putManifestBytes(bytes: Buffer): Promise<Digest> {
    const manifest = parseManifest(bytes);
    if (manifest === null) throw malformed(sha256(bytes), this.storage.url);
    return this.putParsed(manifest, bytes);
  }

  /** What it names is kept first: so nothing that a manifest names is ever missing. */
  private async putParsed(manifest: Manifest, bytes: Buffer): Promise<Digest> {
    const digest = sha256(bytes);
    await this.keep([...manifest.files.map((file) => file.sha256), ...Object.values(manifest.inputs)]);
    await this.put(keys.manifest(digest), digest, bytes);
    return digest;
  }

  /** Creates it; what is there already is kept, and created again when it was just being removed. */
  private async put(key: string, digest: Digest, content: Content): Promise<void> {
    for (let attempt = 0; attempt < putTries; attempt += 1) {
      if ((await this.storage.create(key, content)) === 'created') return;
      if ((await this.keeper.keep([digest])).length === 0) return;
    }
    throw missing('object or manifest', digest, this.storage.url);
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

  /**
   * A cached stage result: the canonical JSON that `writeCache` was given, or null. One that names what is not there
   * any more is none; what it names is kept, for its reader goes on from there.
   */
  async readCache(stage: string, key: Digest): Promise<unknown> {
    const bytes = await this.storage.read(keys.cache(stage, key), manifestLimit);
    if (bytes === null) return null;
    let entry: CacheEntry;
    try {
      entry = CacheEntry.parse(parseJson(bytes.toString('utf8'), manifestLimit));
    } catch {
      return null; // a damaged cache entry costs a run, never truth
    }
    if ((await this.keeper.keep(entry.names)).length > 0) return null;
    const there = await Promise.all(entry.names.map((digest) => this.isThere(digest)));
    return there.every(Boolean) ? entry.value : null;
  }

  /**
   * Keeps a stage result, and gives the one that stands: of two runs at once the first one's, so that both go
   * on from the same digests. One that cannot be read is replaced.
   */
  async writeCache(stage: string, key: Digest, value: unknown): Promise<unknown> {
    const said = [...digestsIn(canonicalJson(value))];
    const names: Digest[] = [];
    for (let at = 0; at < said.length && names.length < cacheNames; at += lookedForAtOnce) {
      const some = said.slice(at, at + lookedForAtOnce);
      const there = await Promise.all(some.map((digest) => this.isThere(digest)));
      names.push(...some.filter((_, index) => there[index]));
    }
    names.length = Math.min(names.length, cacheNames);
    const bytes = Buffer.from(canonicalJson({ schema: 'modelgate.cache/1', names, value }));
    if ((await this.storage.create(keys.cache(stage, key), bytes)) === 'created') return value;
    const first = await this.readCache(stage, key);
    if (first !== null) return first;
    await this.storage.replace(keys.cache(stage, key), bytes);
    return value;
  }

  /** Whether an object or a manifest has this digest. */
  async isThere(digest: Digest): Promise<boolean> {
    return (await this.has(digest)) || (await this.storage.size(keys.manifest(digest))) !== null;
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
