import { z } from 'zod';
import type { Storage } from '../../../src/store/storage.ts';

/** Where a racing process finds the registry, told to it as JSON; credentials come by the environment. */
export const Place = z.object({
  /** A folder, or `s3://bucket/prefix`. */
  url: z.string(),
  /** Folder for local copies of S3 objects. */
  cache: z.string(),
  /** How patient a client of S3 is: requests in all, first pause and time of one request in milliseconds. */
  patience: z.object({ tries: z.number(), pause: z.number(), timeout: z.number() }),
});
export type Place = z.infer<typeof Place>;

/** For a store that answers: what users have. */
export const patient: Place['patience'] = { tries: 10, pause: 25, timeout: 60_000 };
/** For a store where many requests fail. */
export const stubborn: Place['patience'] = { tries: 30, pause: 2, timeout: 30_000 };
/** For one that leaves some without any answer, too. */
export const brisk: Place['patience'] = { ...stubborn, timeout: 2_000 };

/** The store at a place; S3's endpoint is that of the environment given, credentials are those of this process. */
export async function openPlace(
  { url, cache, patience }: Place,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Storage> {
  if (!url.startsWith('s3://')) {
    const { FileSystemStorage } = await import('../../../src/store/file-system.ts');
    return new FileSystemStorage(url);
  }
  const { S3Storage } = await import('../../../src/store/s3.ts');
  return S3Storage.open(url, {
    cacheFolder: cache,
    environment,
    policy: { tries: patience.tries, pause: patience.pause },
    requestTimeout: patience.timeout,
  });
}
