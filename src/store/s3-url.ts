import { UserError } from '../errors.ts';

export interface S3Place {
  bucket: string;
  /** Empty, or a folder that ends with `/`. */
  prefix: string;
}

const bucketName = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const segment = /^[A-Za-z0-9._=-]{1,255}$/;

/** Reads `s3://bucket/prefix`. Strict: what is not plainly a bucket and a folder is the user's error. */
export function parseS3Url(url: string): S3Place {
  // Somebody may have put a key into the URL: it is not repeated.
  const where = url.includes('@') ? '--store' : url;
  if (!url.startsWith('s3://')) throw misread(where, 'it does not begin with s3://');
  const [bucket = '', ...rest] = url.slice('s3://'.length).split('/');
  const dotted = bucket.includes('..') || bucket.includes('.-') || bucket.includes('-.');
  if (!bucketName.test(bucket) || dotted || /^\d+(\.\d+){3}$/.test(bucket)) {
    throw misread(where, 'the bucket has 3 to 63 of a-z 0-9 . - and is no address');
  }
  const segments = rest.at(-1) === '' ? rest.slice(0, -1) : rest;
  if (segments.some((each) => !segment.test(each) || each === '.' || each === '..')) {
    throw misread(where, 'the parts of the prefix have A-Z a-z 0-9 . _ = - and are not empty');
  }
  if (segments.join('/').length > 512) throw misread(where, 'the prefix is longer than 512 characters');
  return { bucket, prefix: segments.length === 0 ? '' : `${segments.join('/')}/` };
}

function misread(where: string, why: string): UserError {
  return new UserError({
    code: 'usage',
    message: `The store is not s3://bucket/prefix: ${why}.`,
    where,
    fix: 'Give a bucket and, if wanted, a folder in it, e.g. `--store s3://models/flights`. Credentials come from the environment.',
  });
}

/** The object's name in the bucket. Keys are made by `keys.ts`; anything else is a fault of ours. */
export function objectName(place: S3Place, key: string): string {
  const parts = key.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..' || /[\\\0]/.test(part))) {
    throw new RangeError(`bad storage key ${JSON.stringify(key)}`);
  }
  return `${place.prefix}${key}`;
}
