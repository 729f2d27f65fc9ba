import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { UserError } from '../errors.ts';
import type { S3 } from './s3-client.ts';
import { type RetryPolicy, repeated } from './s3-retry.ts';

export interface Upload {
  target: { Bucket: string; Key: string };
  metadata: Record<string, string>;
  file: string;
  /** The promised digest of the whole, if any. */
  sha256: string | undefined;
  partSize: number;
  policy: RetryPolicy;
}

interface Part {
  PartNumber: number;
  ETag: string;
  ChecksumSHA256: string;
}

/** S3 takes at most 10,000 parts: of a very large file they are larger. */
export function partSizeFor(size: number, partSize: number): number {
  return Math.max(partSize, Math.ceil(size / 9_000));
}

/**
 * Uploads a file part by part and completes it on the condition that nothing is there. Each part is sent with its
 * sha256; the whole is hashed on the way, and other bytes than promised never become an object. Throws the store's
 * error; an upload that was not completed is aborted.
 */
export async function uploadOnce({ sdk, client }: S3, upload: Upload): Promise<void> {
  const { target, policy } = upload;
  const made = await repeated(policy, () =>
    client.send(
      new sdk.CreateMultipartUploadCommand({
        ...target,
        Metadata: upload.metadata,
        ChecksumAlgorithm: 'SHA256',
      }),
    ),
  );
  const UploadId = made.UploadId;
  if (UploadId === undefined) throw new Error('S3 gave no upload id');
  try {
    const parts: Part[] = [];
    for await (const bytes of partsOf(upload)) {
      const PartNumber = parts.length + 1;
      const ChecksumSHA256 = createHash('sha256').update(bytes).digest('base64');
      const sent = await repeated(policy, () =>
        client.send(
          new sdk.UploadPartCommand({ ...target, UploadId, PartNumber, Body: bytes, ChecksumSHA256 }),
        ),
      );
      if (sent.ETag === undefined) throw new Error('S3 gave no ETag for a part');
      parts.push({ PartNumber, ETag: sent.ETag, ChecksumSHA256 });
    }
    await client.send(
      new sdk.CompleteMultipartUploadCommand({
        ...target,
        UploadId,
        IfNoneMatch: '*',
        MultipartUpload: { Parts: parts },
      }),
    );
  } catch (error) {
    // Parts that stay cost money; the bucket's lifecycle rule removes what even this leaves.
    await client.send(new sdk.AbortMultipartUploadCommand({ ...target, UploadId })).catch(() => undefined);
    throw error;
  }
}

/** The file in parts, hashed on the way: the last part comes only when all bytes are those that were promised. */
async function* partsOf({ file, sha256, partSize }: Upload): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  const handle = await open(file, 'r');
  try {
    let part = await readPart(handle, partSize);
    for (;;) {
      hash.update(part);
      const next = part.length < partSize ? null : await readPart(handle, partSize);
      if (next === null || next.length === 0) break;
      yield part;
      part = next;
    }
    if (sha256 !== undefined && hash.digest('hex') !== sha256) throw changed(file);
    yield part;
  } finally {
    await handle.close();
  }
}

async function readPart(handle: FileHandle, size: number): Promise<Buffer> {
  const part = Buffer.allocUnsafe(size);
  let filled = 0;
  while (filled < size) {
    const { bytesRead } = await handle.read(part, filled, size - filled, null);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return part.subarray(0, filled);
}

/** The error for a file that has other bytes than were promised. */
export function changed(file: string): UserError {
  return new UserError({
    code: 'object_damaged',
    message: 'The file changed while it was being stored.',
    where: file,
    fix: 'Run the same command again when nothing else writes to the file.',
  });
}
