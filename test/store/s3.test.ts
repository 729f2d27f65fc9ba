import { describe, expect, it } from 'vitest';
import { openStorage } from '../../src/store/open.ts';
import { endpointOf } from '../../src/store/s3-client.ts';
import { createOnce, type Maker } from '../../src/store/s3-create.ts';
import { asS3Error, failureOf } from '../../src/store/s3-errors.ts';
import { partSizeFor } from '../../src/store/s3-multipart.ts';
import { objectName, parseS3Url } from '../../src/store/s3-url.ts';

const answered = (status: number, name = 'Error') =>
  Object.assign(new Error('injected'), { name, $metadata: { httpStatusCode: status } });
const network = (code: string) => Object.assign(new Error(`connect ${code}`), { code });

describe('s3:// addresses', () => {
  it('reads bucket and prefix', () => {
    expect(parseS3Url('s3://models')).toEqual({ bucket: 'models', prefix: '' });
    expect(parseS3Url('s3://models/')).toEqual({ bucket: 'models', prefix: '' });
    expect(parseS3Url('s3://my.models-1/team/flights/')).toEqual({
      bucket: 'my.models-1',
      prefix: 'team/flights/',
    });
    expect(objectName(parseS3Url('s3://models/team'), 'log/a/1.json')).toBe('team/log/a/1.json');
  });

  it.each([
    's3://',
    's3://ab',
    's3://Models',
    's3://models_1',
    's3://a..b',
    's3://127.0.0.1',
    's3://-models',
    's3:///prefix',
    's3://models//x',
    's3://models/../x',
    's3://models/./x',
    's3://models/a b',
    's3://models/a?x=1',
    's3://models/ä',
    's3://models/a\\b',
    's3://models/a\0b',
    's3://models:80/x',
    `s3://models/${'a/'.repeat(300)}`,
  ])('refuses %j', async (url) => {
    expect(() => parseS3Url(url)).toThrow(expect.objectContaining({ code: 'usage' }));
    await expect(openStorage(url)).rejects.toMatchObject({ code: 'usage' });
  });

  it('does not repeat a key that somebody put into the address', () => {
    expect(() => parseS3Url('s3://key:secret@models')).toThrow(
      expect.objectContaining({ where: '--store', message: expect.not.stringContaining('secret') }),
    );
  });
});

describe('the endpoint', () => {
  it('comes from the AWS variables, the more special one first', () => {
    expect(endpointOf({})).toBeNull();
    expect(endpointOf({ AWS_ENDPOINT_URL: '' })).toBeNull();
    expect(endpointOf({ AWS_ENDPOINT_URL: 'https://a.example' })).toBe('https://a.example');
    expect(
      endpointOf({ AWS_ENDPOINT_URL: 'https://a.example', AWS_ENDPOINT_URL_S3: 'http://b.example:9000' }),
    ).toBe('http://b.example:9000');
  });

  it.each(['a.example', 'ftp://a.example', 'https://user:word@a.example', 'https://a.example?x'])(
    'refuses %s',
    (named) => {
      expect(() => endpointOf({ AWS_ENDPOINT_URL: named })).toThrow(
        expect.objectContaining({ code: 'usage', where: 'AWS_ENDPOINT_URL' }),
      );
    },
  );
});

describe('what a failed request says of its effect', () => {
  it.each([
    [answered(412, 'PreconditionFailed'), 'taken'],
    [answered(409, 'ConditionalRequestConflict'), 'conflict'],
    [answered(404, 'NoSuchKey'), 'missing'],
    [answered(404, 'NotFound'), 'missing'],
    [answered(404, 'NoSuchBucket'), 'final'],
    [answered(404, 'NoSuchUpload'), 'doubtful'],
    [answered(500, 'InternalError'), 'doubtful'],
    [answered(503, 'SlowDown'), 'doubtful'],
    [answered(501, 'NotImplemented'), 'final'],
    [answered(403, 'AccessDenied'), 'final'],
    [network('ECONNRESET'), 'doubtful'],
    [new Error('request', { cause: network('EPIPE') }), 'doubtful'],
    [new Error('something else'), 'final'],
  ] as const)('%s: %s', (error, failure) => {
    expect(failureOf(error)).toBe(failure);
  });
});

describe('what the user is told', () => {
  it.each([
    [answered(404, 'NoSuchBucket'), 'storage_unavailable', /no such bucket/, /create the bucket/],
    [answered(403, 'AccessDenied'), 'storage_unavailable', /denies access/, /s3:ListBucket/],
    [answered(403, 'SignatureDoesNotMatch'), 'storage_unavailable', /credentials/, /AWS_SECRET_ACCESS_KEY/],
    [answered(400, 'ExpiredToken'), 'storage_unavailable', /run out/, /new ones/],
    [answered(301, 'PermanentRedirect'), 'storage_unavailable', /another region/, /AWS_REGION/],
    [new Error('Region is missing'), 'storage_unavailable', /region is not known/, /AWS_REGION/],
    [
      Object.assign(new Error('Could not load credentials from any providers'), {
        name: 'CredentialsProviderError',
      }),
      'storage_unavailable',
      /no credentials/,
      /AWS_ACCESS_KEY_ID/,
    ],
    [answered(501, 'NotImplemented'), 'storage_unsuitable', /does not know/, /registry probe/],
    [network('ENOTFOUND'), 'storage_unavailable', /cannot be reached \(ENOTFOUND\)/, /AWS_ENDPOINT_URL/],
    [answered(503, 'SlowDown'), 'storage_unavailable', /SlowDown, status 503/, /same --op-id/],
  ] as const)('%s', (error, code, message, fix) => {
    expect(asS3Error(error, 's3://models/a')).toMatchObject({
      name: 'UserError',
      code,
      message: expect.stringMatching(message),
      fix: expect.stringMatching(fix),
      where: 's3://models/a',
    });
  });

  it('leaves faults of ours as they are', () => {
    const fault = new TypeError('x is not a function');
    expect(asS3Error(fault, '')).toBe(fault);
  });
});

describe('createOnce', () => {
  const policy = { tries: 4, pause: 0 };
  /** Plays the answers of the store: an error or null for each request, and who is there at each look. */
  const play = async (answers: (Error | null)[], makers: Maker[] = []) => {
    let asked = 0;
    let looked = 0;
    const end = await createOnce({
      where: 's3://models/a',
      policy,
      attempt: async () => {
        const answer = answers[asked++];
        if (answer === undefined) throw new RangeError('asked too often');
        if (answer !== null) throw answer;
      },
      maker: async () => makers[looked++] ?? 'nobody',
    }).catch((error: unknown) => error);
    return { end, asked, looked };
  };
  const taken = answered(412, 'PreconditionFailed');
  const conflict = answered(409, 'ConditionalRequestConflict');

  it('believes a success at once', async () => {
    expect(await play([null])).toEqual({ end: 'created', asked: 1, looked: 0 });
  });

  it('looks who made what is there before it believes a refusal', async () => {
    expect(await play([taken], ['others'])).toMatchObject({ end: 'exists', asked: 1 });
    expect(await play([taken], ['ours'])).toMatchObject({ end: 'created', asked: 1 });
    // gone again, or a store that errs
    expect(await play([taken, null], ['nobody'])).toMatchObject({ end: 'created', asked: 2 });
  });

  it('sends the same request again after a conflict, without a look', async () => {
    expect(await play([conflict, conflict, null])).toEqual({ end: 'created', asked: 3, looked: 0 });
  });

  it('looks after a lost answer, and asks again only when nobody is there', async () => {
    const lost = network('ECONNRESET');
    expect(await play([lost], ['ours'])).toMatchObject({ end: 'created', asked: 1 });
    expect(await play([lost], ['others'])).toMatchObject({ end: 'exists', asked: 1 });
    expect(await play([lost, taken], ['nobody', 'ours'])).toMatchObject({ end: 'created', asked: 2 });
  });

  it('gives up in the end, and says that nothing is certain', async () => {
    const lost = network('ECONNRESET');
    const { end, asked } = await play([lost, lost, lost, lost, lost]);
    expect(asked).toBe(4);
    expect(end).toMatchObject({ code: 'storage_unavailable', message: expect.stringContaining('certain') });
  });

  it('does not repeat what cannot get better', async () => {
    expect(await play([answered(403, 'AccessDenied')])).toMatchObject({ asked: 1, looked: 0 });
  });
});

it('parts grow with the file, so that there are never more than 10,000', () => {
  expect(partSizeFor(100 * 2 ** 20, 16 * 2 ** 20)).toBe(16 * 2 ** 20);
  for (const size of [2 ** 40, 5 * 2 ** 40]) {
    expect(size / partSizeFor(size, 16 * 2 ** 20)).toBeLessThanOrEqual(10_000);
  }
});
