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
  /** Something that is no plain file stands here (a link, a pipe): no reader gets it. */
  irregular?: true;
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

  /**
   * Makes what is visible at `key` survive a power loss, before it is told as done: whoever created it may have been
   * killed before its `create` returned. Nothing to do where only durable content is visible.
   */
  persist(key: string): Promise<void>;

  /** The whole content, or null when there is none. Throws when it is longer than `limit` bytes. */
  read(key: string, limit?: number): Promise<Buffer | null>;

  stream(key: string): Promise<Readable | null>;

  /** Size in bytes, or null when there is none. */
  size(key: string): Promise<number | null>;

  /** Path of a local file with this content, only for reading (the stored file itself, or a copy). */
  localFile(key: string): Promise<string | null>;

  /** Replaces the content whole: for hints and caches, never for truth. */
  replace(key: string, content: Uint8Array): Promise<void>;

  /**
   * For verify, garbage collection and reports. Nothing is decided by it. Order is not defined. Where the
   * technology knows things that are no plain files, they are left out unless `irregular` asks for them.
   */
  list(prefix: string, options?: { irregular?: boolean }): AsyncIterable<StoredEntry>;

  /** Names of the folders directly under a prefix that ends with `/`, without a walk through them. As `list`. */
  folders(prefix: string): AsyncIterable<string>;

  /** For garbage collection alone. Missing is fine. */
  remove(key: string): Promise<void>;
}
