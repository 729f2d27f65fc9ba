import { z } from 'zod';
import { UserError } from '../../errors.ts';
import { GitHubUnavailable, type RepositoryName } from '../port.ts';

/** The one method of an Octokit that is used: Probot's and that of @actions/github have it alike. */
export interface OctokitClient {
  request(route: string, parameters?: Record<string, unknown>): Promise<Response>;
}
interface Response {
  status: number;
  data: unknown;
  headers?: Readonly<Record<string, unknown>>;
}

/** Without an answer for so long, a request counts as lost. */
const defaultTimeout = 30_000;
/** The most pages of a hundred that are read of one list. */
const mostPages = 30;

const Failure = z.object({
  status: z.number(),
  message: z.string().default(''),
  request: z.object({ url: z.string() }).optional(),
  response: z
    .object({ headers: z.record(z.string(), z.unknown()).default({}), data: z.unknown().optional() })
    .optional(),
});
type Failure = z.infer<typeof Failure>;

type Parameters = Record<string, unknown>;

export interface ApiOptions {
  client: OctokitClient;
  repository: RepositoryName;
  now?: () => Date;
  timeoutMilliseconds?: number;
}

/** Requests of one repository: each once, with a limit of time, its answer parsed, its failure in the port's words. */
export class GitHubApi {
  readonly repository: RepositoryName;
  private readonly client: OctokitClient;
  private readonly now: () => Date;
  private readonly timeout: number;

  constructor({ client, repository, now, timeoutMilliseconds }: ApiOptions) {
    this.client = client;
    this.repository = repository;
    this.now = now ?? (() => new Date());
    this.timeout = timeoutMilliseconds ?? defaultTimeout;
  }

  async get<T>(schema: z.ZodType<T>, route: string, parameters: Parameters = {}): Promise<T> {
    return this.parsed(schema, `GET ${route}`, parameters);
  }

  /** The headers of an answer, by their names in small letters. */
  async headers(route: string): Promise<Readonly<Record<string, unknown>>> {
    return (await this.request(`GET ${route}`, {})).headers ?? {};
  }

  /** Null where GitHub says that there is none, or that it was deleted. */
  async find<T>(schema: z.ZodType<T>, route: string, parameters: Parameters = {}): Promise<T | null> {
    try {
      return await this.get(schema, route, parameters);
    } catch (error) {
      if (error instanceof UserError && error.code === 'github_missing') return null;
      throw error;
    }
  }

  /** A request that changes something: never tried again, here or by a plugin. */
  async change<T>(schema: z.ZodType<T>, route: string, parameters: Parameters): Promise<T> {
    return this.parsed(schema, route, parameters);
  }

  /**
   * Items of a list, page by page as they are taken; `key` where the list is wrapped. What lies behind the last page that
   * is read is left out, or, where the list is wanted whole, refused once all before it was taken.
   */
  async *list<T>(
    item: z.ZodType<T>,
    route: string,
    {
      key,
      pages = mostPages,
      whole = false,
      ...parameters
    }: Parameters & { key?: string; pages?: number; whole?: boolean },
  ): AsyncGenerator<T> {
    const items = z.array(item);
    const schema: z.ZodType<T[]> =
      key === undefined ? items : z.object({ [key]: items }).transform((wrapped) => wrapped[key] as T[]);
    for (let page = 1; page <= pages; page++) {
      const found = await this.get(schema, route, { ...parameters, per_page: 100, page });
      yield* found;
      if (found.length < 100) return;
    }
    if (
      !whole ||
      (await this.get(schema, route, { ...parameters, per_page: 1, page: pages * 100 + 1 })).length === 0
    )
      return;
    throw new UserError({
      code: 'github_too_large',
      message: `GitHub lists more than ${pages * 100} there, and all of them would have to be looked at.`,
      where: `GitHub GET ${route}`,
      fix: 'Go on in another issue or pull request.',
    });
  }

  /** The bytes of an answer, at most `limit`; null for more than that. */
  async bytes(route: string, parameters: Parameters, limit: number): Promise<Buffer | null> {
    const { data } = await this.request(`GET ${route}`, {
      ...parameters,
      request: { parseSuccessResponseBody: false },
    });
    if (!(data instanceof ReadableStream)) throw unreadable(`GET ${route}`);
    const chunks: Uint8Array[] = [];
    let size = 0;
    try {
      for await (const chunk of data as ReadableStream<Uint8Array>) {
        size += chunk.byteLength;
        if (size > limit) return null;
        chunks.push(chunk);
      }
    } catch (cause) {
      throw new GitHubUnavailable(
        'GitHub broke off its answer.',
        { retryAfterSeconds: null, ambiguous: false },
        { cause },
      );
    }
    return Buffer.concat(chunks);
  }

  private async parsed<T>(schema: z.ZodType<T>, route: string, parameters: Parameters): Promise<T> {
    const { data } = await this.request(route, parameters);
    const answer = schema.safeParse(data);
    if (answer.success) return answer.data;
    throw unreadable(route, answer.error);
  }

  private async request(route: string, { request, ...parameters }: Parameters): Promise<Response> {
    const reads = route.startsWith('GET ');
    try {
      return await this.client.request(route, {
        ...(route.includes('{repo}') ? this.repository : {}),
        ...parameters,
        headers: { 'x-github-api-version': '2022-11-28' },
        request: {
          ...(request as Parameters | undefined),
          ...(reads ? {} : { retries: 0 }),
          fetch: withTimeout(fetchOf(this.client), this.timeout),
        },
      });
    } catch (error) {
      throw this.told(error, route);
    }
  }

  /** What Octokit throws, in the port's words; anything else is a fault of ours and passes. */
  private told(error: unknown, route: string): unknown {
    const parsed = Failure.safeParse(error);
    if (!parsed.success) return error;
    const failure = parsed.data;
    const { status, response } = failure;
    const changes = !route.startsWith('GET ');
    if (response === undefined) {
      return new GitHubUnavailable(
        'GitHub does not answer.',
        { retryAfterSeconds: null, ambiguous: changes },
        { cause: error },
      );
    }
    const limit = limitOf(failure, this.now());
    if (limit !== null) {
      return new GitHubUnavailable(
        'GitHub asks for fewer requests.',
        { retryAfterSeconds: limit, ambiguous: false },
        { cause: error },
      );
    }
    if (status >= 500) {
      return new GitHubUnavailable(
        `GitHub answers ${status}.`,
        { retryAfterSeconds: secondsOf(response.headers['retry-after']), ambiguous: changes },
        { cause: error },
      );
    }
    return refusal(failure, { route, cause: error });
  }
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Ends a request that nobody answers, whatever else the Octokit's own fetch does. */
function withTimeout(inner: typeof fetch, milliseconds: number): typeof fetch {
  return (input, init) => {
    const limit = AbortSignal.timeout(milliseconds);
    const signal = init?.signal ? AbortSignal.any([init.signal, limit]) : limit;
    return inner(input, { ...init, signal });
  };
}

/** The fetch that an Octokit was made with: behind a proxy it is not Node's. */
function fetchOf(client: OctokitClient): typeof fetch {
  const request = client.request as { endpoint?: { DEFAULTS?: { request?: { fetch?: typeof fetch } } } };
  return request.endpoint?.DEFAULTS?.request?.fetch ?? fetch;
}

/** Seconds until a limit ends, when the answer is about one: a minute where GitHub does not say. */
function limitOf({ status, message, response }: Failure, now: Date): number | null {
  if (status !== 403 && status !== 429) return null;
  const headers = response?.headers ?? {};
  const wait = secondsOf(headers['retry-after']);
  if (wait !== null) return wait;
  if (String(headers['x-ratelimit-remaining']) === '0') {
    const reset = secondsOf(headers['x-ratelimit-reset']);
    return reset === null ? 60 : Math.max(1, Math.ceil(reset - now.getTime() / 1000));
  }
  return status === 429 || /rate limit|abuse detection/i.test(message) ? 60 : null;
}

function secondsOf(header: unknown): number | null {
  const seconds = Number(header);
  return header === undefined || header === '' || !Number.isFinite(seconds) ? null : Math.max(0, seconds);
}

/** GitHub's own words stay in the cause: they may hold what a stranger wrote. */
function refusal(
  { status, request }: Failure,
  { route, cause }: { route: string; cause: unknown },
): UserError {
  const where = `GitHub ${route}`;
  // The app's own token could not be had: that is never "there is none".
  const tokenFailed = request?.url.endsWith('/access_tokens') === true;
  if (!tokenFailed && (status === 404 || status === 410)) {
    return new UserError({
      code: 'github_missing',
      message: 'GitHub knows nothing there, or does not show it to this app.',
      where,
      fix: 'Check the name, and that the app is installed on this repository.',
      cause,
    });
  }
  if (tokenFailed || status === 401 || status === 403) {
    return new UserError({
      code: 'github_denied',
      message: `GitHub does not permit this (${status}).`,
      where,
      fix: 'Give the app, or the job, the permissions that the documentation lists, and check that it is installed.',
      cause,
    });
  }
  return new UserError({
    code: 'github_refused',
    message: `GitHub refuses the request (${status}).`,
    where,
    fix: 'Look at the state of what was to be changed on GitHub: it allows no such change now.',
    cause,
  });
}

/** The HTTP status, words and headers of what GitHub refused, for callers that tell refusals apart. */
export function refusalDetail(
  error: unknown,
): { status: number; message: string; headers: Readonly<Record<string, unknown>> } | null {
  if (!(error instanceof UserError)) return null;
  const parsed = Failure.safeParse(error.cause);
  if (!parsed.success) return null;
  const { status, message, response } = parsed.data;
  return { status, message, headers: response?.headers ?? {} };
}

/** An answer without the promised content: its request may have had its effect. */
function unreadable(route: string, cause?: unknown): GitHubUnavailable {
  return new GitHubUnavailable(
    `GitHub's answer to ${route} cannot be read.`,
    { retryAfterSeconds: null, ambiguous: !route.startsWith('GET ') },
    { cause },
  );
}
