import type { Readable } from 'node:stream';

/**
 * What is written: bytes in memory, or a file on this machine that is copied. When `sha256` is given, a
 * copy with other bytes is refused: the file may change between hashing and copying.
 */
export type Content = Uint8Array | { file: string; sha256?: string };

export interface StoredEntry {
  key: string;
  /** Bytes. */
  size: number;
  modified: Date;
}

/**
 * The port that a store's technology implements (file system, S3). Keys are `/`-separated, made by
 * `keys.ts` only, never by users. Adapters know nothing of objects, manifests or logs.
 */
export interface Storage {
  /** A folder's path or `s3://bucket/prefix`, for messages. */
  readonly url: string;

  /** Makes the place where there is none yet, so that an empty store can be told from one that is away. */
  prepare(): Promise<void>;

  /**
   * Creates `key` unless it exists: of any number of concurrent creators exactly one gets `created`.
   * Durable when it returns. The content is visible whole or not at all.
   */
  create(key: string, content: Content): Promise<'created' | 'exists'>;

  /** The whole content, or null when there is none. Throws when it is longer than `limit` bytes. */
  read(key: string, limit?: number): Promise<Buffer | null>;

  stream(key: string): Promise<Readable | null>;

  /** Size in bytes, or null when there is none. */
  size(key: string): Promise<number | null>;

  /** Path of a local file with this content, only for reading (the stored file itself, or a copy). */
  localFile(key: string): Promise<string | null>;

  /** Replaces the content whole: for hints and caches, never for truth. */
  replace(key: string, content: Uint8Array): Promise<void>;

  /** For verify, garbage collection and reports. Nothing is decided by it. Order is not defined. */
  list(prefix: string): AsyncIterable<StoredEntry>;

  /** For garbage collection alone. Missing is fine. */
  remove(key: string): Promise<void>;
}
