import { hasCode, UserError } from '../errors.ts';

/**
 * What a failed request says of its effect. `taken`: a condition failed, something is there. `conflict`: another
 * request for the same name is under way, this one had no effect. `doubtful`: nobody knows whether it had one.
 * `missing`: there is no such key. `final`: asking again does not help.
 */
export type Failure = 'taken' | 'conflict' | 'missing' | 'doubtful' | 'final';

/** Names of errors for which S3 itself asks to come again. */
const passing = new Set([
  'RequestTimeout',
  'RequestTimeTooSkewed', // the client has set its clock by the answer
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'RequestLimitExceeded',
  'TimeoutError',
  'BadDigest', // the bytes were changed on their way
  'XAmzContentChecksumMismatch',
]);
const network = [
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'HPE_INVALID_CONSTANT',
];

/** The HTTP status that came back, or null when none did. */
export function statusOf(error: unknown): number | null {
  const metadata = fieldOf(error, '$metadata');
  const status = fieldOf(metadata, 'httpStatusCode');
  return typeof status === 'number' ? status : null;
}

export function nameOf(error: unknown): string {
  const name = fieldOf(error, 'name');
  return typeof name === 'string' ? name : 'Error';
}

function fieldOf(value: unknown, field: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[field] : undefined;
}

/** Whether no answer came back at all. */
function noAnswer(error: unknown): boolean {
  if (network.some((code) => hasCode(error, code))) return true;
  if (error instanceof Error && /socket hang up|aborted|premature close/i.test(error.message)) return true;
  const { cause } = error instanceof Error ? error : { cause: undefined };
  return cause instanceof Error && cause !== error && noAnswer(cause);
}

/** Tells the ends of a request apart; see `Failure`. */
export function failureOf(error: unknown): Failure {
  if (error instanceof UserError) return 'final';
  const name = nameOf(error);
  const status = statusOf(error);
  if (name === 'PreconditionFailed' || status === 412) return 'taken';
  if (name === 'ConditionalRequestConflict' || name === 'OperationAborted' || status === 409)
    return 'conflict';
  if (name === 'NoSuchUpload') return 'doubtful'; // it ended before, by whatever
  if (status === 404 && name !== 'NoSuchBucket') return 'missing';
  if (passing.has(name) || noAnswer(error)) return 'doubtful';
  if (status !== null && (status === 429 || status === 408)) return 'doubtful';
  if (status !== null && status >= 500 && status !== 501) return 'doubtful';
  return 'final';
}

/** What to tell the user of an error that ended the work; what is no answer or state of the store stays as it is. */
export function asS3Error(error: unknown, where: string): unknown {
  if (error instanceof UserError || error instanceof RangeError) return error;
  const told = explain(error, nameOf(error), statusOf(error));
  if (told === null) return error;
  const { code = 'storage_unavailable', message, fix } = told;
  return new UserError({ code, message, where, fix, cause: error });
}

interface Told {
  code?: 'storage_unavailable' | 'storage_unsuitable';
  message: string;
  fix: string;
}

function explain(error: unknown, name: string, status: number | null): Told | null {
  if (name === 'NoSuchBucket') {
    return {
      message: 'There is no such bucket.',
      fix: 'Mend the name in --store, or create the bucket: ModelGate makes none.',
    };
  }
  if (/^Credentials|^TokenProvider/.test(name) || /could not load credentials/i.test(messageOf(error))) {
    return {
      message: 'There are no credentials for S3.',
      fix: 'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or assume a role (aws-actions/configure-aws-credentials in a workflow).',
    };
  }
  if (['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired'].includes(name)) {
    return {
      message: 'The credentials for S3 have run out.',
      fix: 'Get new ones and run the same command again.',
    };
  }
  if (['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'InvalidToken'].includes(name)) {
    return {
      message: `S3 does not accept the credentials (${name}).`,
      fix: 'Check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, and that they belong to this endpoint.',
    };
  }
  const region =
    ['PermanentRedirect', 'AuthorizationHeaderMalformed', 'IllegalLocationConstraintException'].includes(
      name,
    ) || status === 301;
  if (region || messageOf(error) === 'Region is missing') {
    return {
      message: region ? 'The bucket is in another region.' : 'The region is not known.',
      fix: "Set AWS_REGION to the bucket's region.",
    };
  }
  if (name === 'RequestTimeTooSkewed') {
    return {
      message: 'The clock of this machine is wrong.',
      fix: 'Set the clock and run the same command again.',
    };
  }
  if (status === 403 || name === 'AccessDenied') {
    return {
      message: 'S3 denies access.',
      fix: 'Grant this role s3:GetObject, s3:PutObject and s3:AbortMultipartUpload on the prefix, and s3:ListBucket on the bucket: without it S3 answers 403 for what is not there.',
    };
  }
  if (status === 501 || name === 'NotImplemented') {
    return {
      code: 'storage_unsuitable',
      message: 'The store does not know a request that the registry needs.',
      fix: 'Run `modelgate registry probe` to see which, and choose a store with conditional writes.',
    };
  }
  if (status === null && noAnswer(error)) {
    return {
      message: `S3 cannot be reached (${codeOf(error)}).`,
      fix: 'Check the network, AWS_ENDPOINT_URL and AWS_REGION, then run the same command again.',
    };
  }
  if (status !== null || passing.has(name)) {
    return {
      message: `S3 refuses or fails (${name}${status === null ? '' : `, status ${status}`}).`,
      fix: 'Run the same command again, with the same --op-id if it had one: what was done is found, not done twice.',
    };
  }
  return null;
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : '');

function codeOf(error: unknown): string {
  const code = fieldOf(error, 'code');
  return typeof code === 'string' && /^[A-Z_]{3,40}$/.test(code) ? code : 'no answer';
}
