import type { Readable } from 'node:stream';
import type { S3 } from './s3-client.ts';
import { failureOf } from './s3-errors.ts';
import { backOff, type RetryPolicy, repeated } from './s3-retry.ts';

interface Target {
  Bucket: string;
  Key: string;
}

export interface Body {
  size: number;
  chunks(): AsyncGenerator<Buffer>;
  discard(): void;
}

/**
 * Opens an object for reading. When the connection breaks on the way, reading goes on from the same byte, of the
 * same content (If-Match). Throws the store's error; what is not there is an error too.
 */
export async function openBody(s3: S3, target: Target, policy: RetryPolicy): Promise<Body> {
  const first = await repeated(policy, () => get(s3, target, {}));
  return {
    size: first.size,
    discard: () => void first.body.destroy(),
    async *chunks() {
      let { body } = first;
      let at = 0;
      let breaks = 0;
      for (;;) {
        try {
          for await (const chunk of body as AsyncIterable<Buffer>) {
            yield chunk;
            at += chunk.length;
          }
          if (at === first.size) return;
          throw new Error('premature close');
        } catch (error) {
          breaks += 1;
          if (failureOf(error) !== 'doubtful' || breaks >= policy.tries) throw error;
          await backOff(policy, breaks - 1);
          if (at === first.size) return;
          const range = { Range: `bytes=${at}-`, ...(first.etag === null ? {} : { IfMatch: first.etag }) };
          body.destroy();
          ({ body } = await repeated(policy, () => get(s3, target, range)));
        }
      }
    },
  };
}

async function get({ sdk, client }: S3, target: Target, range: { Range?: string; IfMatch?: string }) {
  const answer = await client.send(new sdk.GetObjectCommand({ ...target, ...range }));
  const body = answer.Body as Readable | undefined;
  if (body === undefined || answer.ContentLength === undefined) throw new Error('S3 gave no content');
  return { body, size: answer.ContentLength, etag: answer.ETag ?? null };
}
