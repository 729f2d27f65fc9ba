import { randomUUID } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { asStorageError, UserError } from '../errors.ts';
import { sha256 } from '../json.ts';
import { openBody } from './s3-body.ts';
import { S3Bucket, signed, type Target } from './s3-bucket.ts';
import { LocalCopies } from './s3-cache.ts';
import { endpointOf, openS3, type S3, type S3Settings } from './s3-client.ts';
import { createOnce } from './s3-create.ts';
import { asS3Error, failureOf } from './s3-errors.ts';
import { changed, partSizeFor, uploadOnce } from './s3-multipart.ts';
import { patient, type RetryPolicy, repeated } from './s3-retry.ts';
import { objectName, parseS3Url, type S3Place } from './s3-url.ts';
import type { Content, Storage, StoredEntry } from './storage.ts';
import { hashFile } from './store.ts';

export interface S3Options extends S3Settings {
  /** Where local copies of objects are kept between runs. */
  cacheFolder: string;
  /** Bytes that local copies may take; what is in use stays in any case. */
  cacheBytes?: number;
  /** Files larger than this are uploaded in parts of this size; at least 5 MiB. */
  partSize?: number;
  policy?: RetryPolicy;
}

/**
 * A bucket as a store, over S3 or what speaks its protocol and knows conditional writes. `If-None-Match: *` decides
 * who creates; nothing is decided by a listing. See docs/decisions/0005-s3.md.
 */
export class S3Storage implements Storage {
  readonly url: string;
  private readonly place: S3Place;
  private readonly s3: S3;
  private readonly bucket: S3Bucket;
  private readonly policy: RetryPolicy;
  private readonly partSize: number;
  private readonly copies: LocalCopies;
  /** Tells equal names of different stores apart in the cache of copies. */
  private readonly identity: string;

  private constructor(url: string, place: S3Place, s3: S3, options: S3Options) {
    this.url = url;
    this.place = place;
    this.s3 = s3;
    this.policy = options.policy ?? patient;
    this.bucket = new S3Bucket(s3, place.bucket, this.policy);
    this.partSize = options.partSize ?? 16 * 2 ** 20;
    this.copies = new LocalCopies(options.cacheFolder, options.cacheBytes ?? 20 * 2 ** 30);
    this.identity = `${endpointOf(options.environment ?? process.env) ?? 'aws'} ${place.bucket}`;
  }

  /** Opens without asking the store anything. */
  static async open(url: string, options: S3Options): Promise<S3Storage> {
    const place = parseS3Url(url);
    return new S3Storage(url.replace(/\/$/, ''), place, await openS3(options), options);
  }

  /** The bucket must be there: making one is a decision about money, region and rights. */
  async prepare(): Promise<void> {
    await this.told('', () => this.bucket.see());
  }

  async create(key: string, content: Content): Promise<'created' | 'exists'> {
    const target = this.target(key);
    return this.told(key, async () => {
      if (content instanceof Uint8Array) return this.createBytes(target, content);
      const { size } = await stat(content.file);
      if (size > this.partSize) return this.createLarge(target, size, content);
      const bytes = await readFile(content.file);
      if (content.sha256 !== undefined && sha256(bytes) !== content.sha256) throw changed(content.file);
      return this.createBytes(target, bytes);
    });
  }

  async read(key: string, limit = Number.POSITIVE_INFINITY): Promise<Buffer | null> {
    const target = this.target(key);
    return this.found(key, () =>
      // whole again when it breaks: what is read whole is small, and may be a hint that was just replaced
      repeated(this.policy, async () => {
        const body = await openBody(this.s3, target, { ...this.policy, tries: 1 });
        if (body.size > limit) {
          body.discard();
          throw tooLong(`${this.url}/${key}`, body.size, limit);
        }
        const chunks: Buffer[] = [];
        for await (const chunk of body.chunks()) chunks.push(chunk);
        return Buffer.concat(chunks);
      }),
    );
  }

  async stream(key: string): Promise<Readable | null> {
    const target = this.target(key);
    const body = await this.found(key, () => openBody(this.s3, target, this.policy));
    if (body === null) return null;
    const where = `${this.url}/${key}`;
    const chunks = async function* () {
      try {
        yield* body.chunks();
      } catch (error) {
        throw asS3Error(error, where);
      }
    };
    const stream = Readable.from(chunks(), { objectMode: false });
    return stream.on('close', () => body.discard());
  }

  async size(key: string): Promise<number | null> {
    return (await this.head(key))?.ContentLength ?? null;
  }

  async localFile(key: string): Promise<string | null> {
    const head = await this.head(key);
    if (head === null) return null;
    const target = this.target(key);
    const id = sha256(JSON.stringify([this.identity, target.Key, head.ETag ?? '', head.ContentLength ?? 0]));
    const { s3, policy } = this;
    return this.found(key, () =>
      this.copies.file(id, async function* () {
        yield* (await openBody(s3, target, policy)).chunks();
      }),
    );
  }

  async replace(key: string, content: Uint8Array): Promise<void> {
    const target = this.target(key);
    await this.told(key, () => repeated(this.policy, () => this.bucket.put(target, content, {})));
  }

  async *list(prefix: string): AsyncIterable<StoredEntry> {
    const base = this.place.prefix;
    const { sdk, client } = this.s3;
    let token: string | undefined;
    do {
      const request = new sdk.ListObjectsV2Command({
        Bucket: this.place.bucket,
        Prefix: base + prefix,
        ...(token === undefined ? {} : { ContinuationToken: token }),
      });
      const page = await this.told(prefix, () => repeated(this.policy, () => client.send(request)));
      for (const { Key, Size, LastModified } of page.Contents ?? []) {
        // A name that ends with / is a folder that some console made.
        if (Key === undefined || !Key.startsWith(base) || Key.endsWith('/')) continue;
        yield { key: Key.slice(base.length), size: Size ?? 0, modified: LastModified ?? new Date(0) };
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async *folders(prefix: string): AsyncIterable<string> {
    const base = this.place.prefix + prefix;
    const { sdk, client } = this.s3;
    let token: string | undefined;
    do {
      const request = new sdk.ListObjectsV2Command({
        Bucket: this.place.bucket,
        Prefix: base,
        Delimiter: '/',
        ...(token === undefined ? {} : { ContinuationToken: token }),
      });
      const page = await this.told(prefix, () => repeated(this.policy, () => client.send(request)));
      for (const { Prefix } of page.CommonPrefixes ?? []) {
        if (Prefix?.startsWith(base)) yield Prefix.slice(base.length, -1);
      }
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  /** An answered write is durable, and only such content is visible. */
  async persist(): Promise<void> {}

  async remove(key: string): Promise<void> {
    const target = this.target(key);
    const { sdk, client } = this.s3;
    await this.found(key, () =>
      repeated(this.policy, () => client.send(new sdk.DeleteObjectCommand(target))),
    );
  }

  private createBytes(target: Target, bytes: Uint8Array) {
    const writer = randomUUID();
    return createOnce({
      where: whereOf(target),
      policy: this.policy,
      attempt: () => this.bucket.put(target, bytes, { IfNoneMatch: '*', Metadata: signed(writer) }),
      maker: () => this.bucket.maker(target, writer, () => Promise.resolve(sha256(bytes))),
    });
  }

  private async createLarge(target: Target, size: number, content: { file: string; sha256?: string }) {
    const { policy } = this;
    const writer = randomUUID();
    const maker = () =>
      this.bucket.maker(target, writer, async () => content.sha256 ?? (await hashFile(content.file)).sha256);
    if ((await this.bucket.head(target)) !== null) return 'exists'; // saves the upload
    const upload = {
      target,
      metadata: signed(writer),
      file: content.file,
      sha256: content.sha256,
      partSize: partSizeFor(size, this.partSize),
      policy,
    };
    const attempt = () => uploadOnce(this.s3, upload);
    return createOnce({ where: whereOf(target), policy, attempt, maker });
  }

  private head(key: string) {
    const target = this.target(key);
    return this.told(key, () => this.bucket.head(target));
  }

  private target(key: string): Target {
    return { Bucket: this.place.bucket, Key: objectName(this.place, key) };
  }

  /** What is not there is null. */
  private async found<T>(key: string, work: () => Promise<T>): Promise<T | null> {
    return this.told(key, async () => {
      try {
        return await work();
      } catch (error) {
        if (failureOf(error) === 'missing') return null;
        throw error;
      }
    });
  }

  private async told<T>(key: string, work: () => Promise<T>): Promise<T> {
    const where = key === '' ? this.url : `${this.url}/${key}`;
    try {
      return await work();
    } catch (error) {
      throw asS3Error(asStorageError(error, where), where);
    }
  }
}

const whereOf = ({ Bucket, Key }: Target) => `s3://${Bucket}/${Key}`;

function tooLong(where: string, size: number, limit: number): UserError {
  return new UserError({
    code: 'object_damaged',
    message: `The stored file has ${size} bytes, more than the ${limit} that it may have.`,
    where,
    fix: 'Run `modelgate registry verify` to see what is damaged.',
  });
}
