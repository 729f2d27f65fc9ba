import { createHash } from 'node:crypto';
import type { HeadObjectCommandOutput } from '@aws-sdk/client-s3';
import { openBody } from './s3-body.ts';
import type { S3 } from './s3-client.ts';
import type { Maker } from './s3-create.ts';
import { failureOf, statusOf } from './s3-errors.ts';
import { type RetryPolicy, repeated } from './s3-retry.ts';

export interface Target {
  Bucket: string;
  Key: string;
}

/** Object metadata: which call of `create` made it. */
const writerField = 'modelgate-writer';

/** The metadata with which a call of `create` signs what it makes. */
export const signed = (writer: string): Record<string, string> => ({ [writerField]: writer });

/** The requests about one bucket that a store is made of. Errors are the SDK's. */
export class S3Bucket {
  private readonly s3: S3;
  private readonly name: string;
  private readonly policy: RetryPolicy;
  private seen = false;

  constructor(s3: S3, name: string, policy: RetryPolicy) {
    this.s3 = s3;
    this.name = name;
    this.policy = policy;
  }

  /** Throws what keeps the bucket from being used. Its answer has a body, unlike HEAD's, that says the reason. */
  async see(): Promise<void> {
    if (this.seen) return;
    const { sdk, client } = this.s3;
    const request = new sdk.ListObjectsV2Command({ Bucket: this.name, MaxKeys: 1 });
    await repeated(this.policy, () => client.send(request));
    this.seen = true;
  }

  /** What is said of an object without reading it, or null when there is none. */
  async head(target: Target): Promise<HeadObjectCommandOutput | null> {
    const { sdk, client } = this.s3;
    try {
      return await repeated(this.policy, () => client.send(new sdk.HeadObjectCommand(target)));
    } catch (error) {
      const failure = failureOf(error);
      if (failure === 'final' && statusOf(error) !== null) this.seen = false;
      if (failure === 'final' || failure === 'missing') await this.see();
      if (failure === 'missing') return null;
      throw error;
    }
  }

  /** One request, not repeated: what a failure means is the caller's to know. */
  async put(
    target: Target,
    bytes: Uint8Array,
    conditions: { IfNoneMatch?: string; Metadata?: Record<string, string> },
  ): Promise<void> {
    const { sdk, client } = this.s3;
    const ChecksumSHA256 = createHash('sha256').update(bytes).digest('base64');
    await client.send(new sdk.PutObjectCommand({ ...target, ...conditions, Body: bytes, ChecksumSHA256 }));
  }

  /**
   * Who made what is there. A store that dropped the signature leaves only the bytes to compare: then equal ones count
   * as ours.
   */
  async maker(target: Target, writer: string, digest: () => Promise<string>): Promise<Maker> {
    const head = await this.head(target);
    if (head === null) return 'nobody';
    const found = head.Metadata?.[writerField];
    if (found !== undefined) return found === writer ? 'ours' : 'others';
    const hash = createHash('sha256');
    for await (const chunk of (await openBody(this.s3, target, this.policy)).chunks()) hash.update(chunk);
    return hash.digest('hex') === (await digest()) ? 'ours' : 'others';
  }
}
