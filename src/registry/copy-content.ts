import { UserError } from '../errors.ts';
import { type Digest, sha256 } from '../json.ts';
import { digestsIn } from '../store/digests.ts';
import { keys } from '../store/keys.ts';
import { parseManifest, type Store } from '../store/store.ts';
import { referrersFirst } from './manifest-order.ts';

const manifestLimit = 8_000_000;
const objectsAtOnce = 4;

interface Content {
  /** Manifests that must be there. */
  roots: ReadonlySet<Digest>;
  /** What may be a digest of something, and is copied where it is. */
  also: ReadonlySet<Digest>;
}

export interface CopiedContent {
  manifests: number;
  objects: number;
  /** Manifests and objects that were sent, and their bytes; the others were there. */
  sent: number;
  bytes: number;
}

/**
 * Copies manifests and objects, and all that they lead to, from one store to another, each verified on its way. What
 * is there already is not sent again. Throws `object_missing`, `object_damaged`.
 */
export async function copyContent(source: Store, target: Store, content: Content): Promise<CopiedContent> {
  const copying = new Copying(source, target);
  await copying.run(content);
  return copying.told;
}

class Copying {
  readonly told: CopiedContent = { manifests: 0, objects: 0, sent: 0, bytes: 0 };
  private readonly source: Store;
  private readonly target: Store;

  constructor(source: Store, target: Store) {
    this.source = source;
    this.target = target;
  }

  async run({ roots, also }: Content): Promise<void> {
    const manifests = new Map<Digest, Buffer>();
    const objects = new Map<Digest, boolean>();
    const queue: { digest: Digest; needed: boolean }[] = [
      ...[...also].map((digest) => ({ digest, needed: false })),
      ...[...roots].map((digest) => ({ digest, needed: true })),
    ];
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      const { digest, needed } = next;
      if (manifests.has(digest) || (objects.has(digest) && (objects.get(digest) || !needed))) continue;
      const bytes = await this.source.storage.read(keys.manifest(digest), manifestLimit);
      if (bytes === null) {
        objects.set(digest, needed || (objects.get(digest) ?? false));
        continue;
      }
      const manifest = sha256(bytes) === digest ? parseManifest(bytes) : null;
      // tells what is wrong with it
      if (manifest === null) await this.source.readManifest(digest);
      manifests.set(digest, bytes);
      const strict = new Set(Object.values(manifest?.inputs ?? {}));
      for (const { sha256: file } of manifest?.files ?? []) objects.set(file, true);
      for (const name of digestsIn(bytes.toString('utf8'))) {
        if (!objects.get(name)) queue.push({ digest: name, needed: strict.has(name) });
      }
    }
    const all = [...objects];
    for (let start = 0; start < all.length; start += objectsAtOnce) {
      const some = all.slice(start, start + objectsAtOnce);
      const ends = await Promise.allSettled(some.map(([digest, needed]) => this.object(digest, needed)));
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
    }
    // each after those that it names: a killed copy leaves none without what it was made from
    const order = referrersFirst([...manifests.keys()], (digest) =>
      digestsIn(manifests.get(digest)!.toString('utf8')),
    ).reverse();
    for (const digest of order) await this.manifest(digest, manifests.get(digest)!);
  }

  private async object(digest: Digest, needed: boolean): Promise<void> {
    const size = await this.source.storage.size(keys.object(digest));
    if (size === null) {
      // throws that it is missing
      if (needed) await this.source.localFile(digest);
      return;
    }
    this.told.objects += 1;
    if ((await this.target.storage.size(keys.object(digest))) === size) {
      await this.target.keep([digest]);
      return;
    }
    const { sha256: stored } = await this.target.putFile(await this.source.localFile(digest));
    if (stored !== digest) {
      throw new UserError({
        code: 'object_damaged',
        message: `The object ${digest.slice(0, 12)} does not have the bytes that its digest says.`,
        where: this.source.storage.url,
        fix: 'Restore it from a copy of the store; `modelgate registry verify --read-data` lists all damage.',
      });
    }
    this.told.sent += 1;
    this.told.bytes += size;
  }

  private async manifest(digest: Digest, bytes: Buffer): Promise<void> {
    this.told.manifests += 1;
    const there = (await this.target.storage.size(keys.manifest(digest))) === bytes.length;
    await this.target.putManifestBytes(bytes);
    if (there) return;
    this.told.sent += 1;
    this.told.bytes += bytes.length;
  }
}
