import type { S3Client } from '@aws-sdk/client-s3';
import { UserError } from '../errors.ts';

export interface S3Settings {
  /** The usual AWS variables. */
  environment?: Readonly<Record<string, string | undefined>>;
  /** How long one request may go without an answer. */
  requestTimeout?: number;
}

export type Sdk = typeof import('@aws-sdk/client-s3');

/** The library, and a client over it. Loaded at the first use of an S3 store alone. */
export interface S3 {
  sdk: Sdk;
  client: S3Client;
}

/**
 * A client from the usual AWS variables; credentials by the SDK's default chain (environment, web identity,
 * profile, container, instance). The SDK repeats nothing: only we know what a repeated write means.
 */
export async function openS3({
  environment = process.env,
  requestTimeout = 60_000,
}: S3Settings): Promise<S3> {
  const sdk = await import('@aws-sdk/client-s3');
  const endpoint = endpointOf(environment);
  const region = environment.AWS_REGION ?? environment.AWS_DEFAULT_REGION;
  const client = new sdk.S3Client({
    maxAttempts: 1,
    // Checksums are sent where we say so; S3-compatible stores do not all know the SDK's own choice.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: 5_000, requestTimeout, throwOnRequestTimeout: true },
    ...(endpoint === null ? {} : { endpoint, forcePathStyle: true }),
    ...(region !== undefined ? { region } : endpoint === null ? {} : { region: 'us-east-1' }),
  });
  return { sdk, client };
}

/** The endpoint of an S3-compatible store, null for AWS. Such stores are spoken to with the bucket in the path. */
export function endpointOf(environment: Readonly<Record<string, string | undefined>>): string | null {
  const named = environment.AWS_ENDPOINT_URL_S3 || environment.AWS_ENDPOINT_URL;
  if (!named) return null;
  const url = URL.canParse(named) ? new URL(named) : null;
  if (url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.search === '')
    return named;
  throw new UserError({
    code: 'usage',
    message: 'The endpoint of S3 is not an http or https address.',
    where: environment.AWS_ENDPOINT_URL_S3 ? 'AWS_ENDPOINT_URL_S3' : 'AWS_ENDPOINT_URL',
    fix: 'Give an address without credentials, e.g. https://s3.example.com.',
  });
}
