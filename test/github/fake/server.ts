import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { authenticate, authorize } from './auth.ts';
import { HttpError } from './errors.ts';
import type { Fault } from './faults.ts';
import { FakeGitHub, type FakeOptions } from './github.ts';
import {
  complete,
  findOperation,
  type Operation,
  type OperationId,
  problems,
  unknownFields,
} from './openapi/index.ts';
import { actions } from './routes/actions.ts';
import { apps } from './routes/apps.ts';
import type { Answer, Call, Handlers } from './routes/call.ts';
import { checks } from './routes/checks.ts';
import { comparisons } from './routes/comparisons.ts';
import { deployments } from './routes/deployments.ts';
import { issues } from './routes/issues.ts';
import { repositories } from './routes/repositories.ts';

const handlers: Handlers = {
  ...actions,
  ...apps,
  ...checks,
  ...comparisons,
  ...deployments,
  ...issues,
  ...repositories,
};

/** A request as it was answered, in order of arrival. */
export interface LoggedCall {
  operation: OperationId;
  method: string;
  path: string;
  body: unknown;
  /** Null: no answer was given. */
  status: number | null;
  /** Whether it had its effect, whatever was answered. */
  done: boolean;
}

/** The fake on a port of the loopback. */
export class FakeGitHubServer extends FakeGitHub implements AsyncDisposable {
  readonly calls: LoggedCall[] = [];
  private readonly server = createServer((request, response) => {
    this.handle(request, response).catch((error: unknown) => {
      this.violations.push(`fake: ${error instanceof Error ? error.stack : String(error)}`);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });

  static async start(options: FakeOptions = {}): Promise<FakeGitHubServer> {
    const fake = new FakeGitHubServer(options);
    await new Promise<void>((resolve) => fake.server.listen(0, '127.0.0.1', resolve));
    fake.url = `http://127.0.0.1:${(fake.server.address() as AddressInfo).port}`;
    return fake;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.deliveries.to = null;
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** How often an operation had its effect. */
  count(operation: OperationId): number {
    return this.calls.filter((one) => one.operation === operation && one.done).length;
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const url = new URL(request.url ?? '/', this.url);
    const blob = /^\/_blobs\/(\d+)$/.exec(url.pathname)?.[1];
    if (blob !== undefined) return this.sendBlob(Number(blob), request, response);
    const method = request.method ?? 'GET';
    // GitHub Enterprise Server, and so Probot with GHE_HOST, has its API under /api/v3.
    const path = url.pathname.replace(/^\/api\/v3(?=\/)/, '');
    const found = findOperation(method, path);
    if (found === null || handlers[found.operation.id] === undefined) {
      this.violations.push(`no such operation in the fake: ${method} ${path}`);
      return send(response, { status: 404, body: { message: 'Not Found', documentation_url: '' } });
    }
    const { operation, parameters } = found;
    const text = Buffer.concat(chunks).toString('utf8');
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    const logged: LoggedCall = { operation: operation.id, method, path, body, status: null, done: false };
    this.calls.push(logged);
    const asked = { operation: operation.id, method, path, body };
    await this.faults.before?.(asked);
    const fault = this.faults.of(asked);
    const early = fault === null ? null : this.early(fault);
    if (early === 'silence') return;
    if (early !== null) {
      logged.status = early.status;
      return send(response, early);
    }
    const answer = this.answer(operation, { parameters, url, body, request });
    logged.done = answer.status < 400;
    if (fault?.kind === 'silence') return;
    if (fault?.kind === 'lose-answer') {
      if (fault.status === 'reset') {
        request.socket.destroy();
        return;
      }
      logged.status = fault.status;
      return send(response, { status: fault.status, body: { message: 'Server Error' } });
    }
    logged.status = answer.status;
    if (fault?.kind === 'garble') {
      response.writeHead(answer.status, { 'content-type': 'text/html' }).end('<h1>Please sign in</h1>');
      return;
    }
    send(response, answer);
  }

  /** The answer of a fault that comes before any effect; null for one that comes after it. */
  private early(fault: Fault): Answer | 'silence' | null {
    if (fault.kind === 'lose-answer' || fault.kind === 'garble') return null;
    if (fault.kind === 'silence') return fault.after ? null : 'silence';
    if (fault.kind === 'refuse') return { status: fault.status, body: { message: 'Service Unavailable' } };
    if (fault.kind === 'rate-limit') {
      const reset = Math.ceil(this.now().getTime() / 1000) + fault.seconds;
      return {
        status: fault.status,
        body: {
          message: 'API rate limit exceeded for installation.',
          documentation_url: 'https://docs.github.com/rest/overview/rate-limits-for-the-rest-api',
        },
        headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(reset) },
      };
    }
    return {
      status: fault.status,
      body: {
        message: 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.',
        documentation_url:
          'https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits',
      },
      ...(fault.retryAfter === null ? {} : { headers: { 'retry-after': String(fault.retryAfter) } }),
    };
  }

  private answer(
    operation: Operation,
    {
      parameters,
      url,
      body,
      request,
    }: { parameters: Record<string, string>; url: URL; body: unknown; request: IncomingMessage },
  ): Answer {
    try {
      const query: Record<string, string> = Object.fromEntries(url.searchParams);
      const actor =
        operation.id === 'apps/create-from-manifest'
          ? anonymous(this)
          : authenticate(this, request.headers.authorization);
      const by = { user: actor.user, app: actor.app };
      const call: Call = { github: this, actor, by, parameters, query, body, headers: request.headers };
      const name = `${parameters.owner}/${parameters.repo}`.toLowerCase();
      const repository = this.repositories.get(name) ?? null;
      if (parameters.repo !== undefined && repository === null) throw new HttpError(404, 'Not Found');
      const number = parameters.issue_number;
      const onPull =
        number === undefined ? null : (repository?.issues.get(Number(number))?.pull ?? null) !== null;
      authorize(actor, operation, { repository, onPull });
      this.requireValid(operation, call);
      const answer = handlers[operation.id]!(call);
      return this.checkedAnswer(operation, answer);
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      const answer = {
        status: error.status,
        headers: { ...error.headers },
        body: {
          message: error.message,
          ...(error.errors === undefined ? {} : { errors: error.errors }),
          documentation_url: 'https://docs.github.com/rest',
          status: String(error.status),
        },
      };
      return operation.responses.has(error.status) ? this.checkedAnswer(operation, answer) : answer;
    }
  }

  private requireValid(operation: Operation, call: Call): void {
    const schema = operation.body;
    const wrong = [
      ...problems(operation.query, call.query, { coerce: true }).map((one) => `query ${one}`),
      ...(schema === null || (call.body === undefined && !operation.bodyRequired)
        ? call.body === undefined
          ? []
          : ['body is not expected']
        : [
            ...problems(schema, call.body ?? {}).map((one) => `body ${one}`),
            ...unknownFields(schema, call.body).map((field) => `body has the unknown field ${field}`),
          ]),
    ];
    if (wrong.length === 0) return;
    this.violations.push(`${operation.id}: ${wrong.join('; ')}`);
    throw new HttpError(422, `Invalid request.\n\n${wrong.join('\n')}`);
  }

  private checkedAnswer(operation: Operation, answer: Answer): Answer {
    const schema = operation.responses.get(answer.status);
    if (schema === undefined) {
      this.violations.push(`${operation.id}: status ${answer.status} is not documented`);
      return answer;
    }
    if (schema === null) return answer;
    const body = complete(schema, answer.body);
    const wrong = problems(schema, body);
    if (wrong.length > 0)
      this.violations.push(`${operation.id} answers ${answer.status}: ${wrong.join('; ')}`);
    return { ...answer, body };
  }

  /** Where artifacts lie: another host than the API, which must not be sent the token. */
  private sendBlob(id: number, request: IncomingMessage, response: ServerResponse): void {
    const artifacts = [...this.repositories.values()].flatMap((one) =>
      one.runs.flatMap((run) => run.artifacts),
    );
    const found = artifacts.find((one) => one.id === id);
    if (request.headers.authorization !== undefined)
      this.violations.push('a token was sent to the blob store');
    if (found === undefined || request.method !== 'GET') {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': 'application/zip', 'content-length': found.zip.length });
    response.end(found.zip);
  }
}

function anonymous(github: FakeGitHub): Call['actor'] {
  return {
    user: github.person('octocat'),
    app: null,
    permissions: null,
    repositories: null,
    installation: null,
    asApp: false,
    expiresAt: Number.POSITIVE_INFINITY,
  };
}

function send(response: ServerResponse, { status, body, headers = {} }: Answer): void {
  const text = body === undefined ? '' : JSON.stringify(body);
  response.writeHead(status, {
    'x-ratelimit-limit': '5000',
    'x-ratelimit-remaining': '4999',
    'x-github-request-id': 'FAKE:1',
    ...(text === '' ? {} : { 'content-type': 'application/json; charset=utf-8' }),
    ...headers,
  });
  response.end(status === 204 ? '' : text);
}
