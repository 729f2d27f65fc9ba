import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Probot } from 'probot';
import { z } from 'zod';
import { hasCode, UserError } from '../src/errors.ts';
import type { BotMetrics } from './metrics.ts';

/** GitHub sends no more. */
const largestBody = 25 * 1024 * 1024;
/** Bytes of bodies that this process receives at a time. */
const mostUnderWay = 2 * largestBody;
let underWay = 0;
const mostConnections = 500;
export const webhookPath = '/api/github/webhooks';

export interface ServerOptions {
  host: string;
  port: number;
  probot: Pick<Probot, 'webhooks' | 'receive'>;
  metrics: BotMetrics;
  /** Null: ready. Otherwise why not. */
  unready: () => string | null;
}

const Headers = z.object({
  'x-github-delivery': z.string().regex(/^[A-Za-z0-9-]{1,100}$/),
  'x-github-event': z.string().regex(/^[a-z_]{1,60}$/),
  'x-hub-signature-256': z.string().regex(/^sha256=[0-9a-f]{64}$/),
  'content-type': z.string().regex(/^application\/json\b/),
});

/** Answers GitHub, and whoever watches the bot. Nothing that went wrong inside is ever in an answer. */
export async function startServer(
  options: ServerOptions,
): Promise<{ url: string; port: number; close(): Promise<void> }> {
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, (request, response) => {
    answer(request, options)
      .catch(() => ({ status: 500, text: 'not stored' }))
      .then((one) => send(response, one));
  });
  server.maxConnections = mostConnections;
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    port,
    url: `http://${host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}

interface Answer {
  status: number;
  text: string;
  type?: string;
}

async function answer(request: IncomingMessage, options: ServerOptions): Promise<Answer> {
  const path = request.url?.split('?')[0];
  if (path === webhookPath) {
    return request.method === 'POST' ? webhook(request, options) : { status: 405, text: 'POST only' };
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') return { status: 404, text: 'not found' };
  if (path === '/healthz') return { status: 200, text: 'ok' };
  if (path === '/readyz') {
    const why = options.unready();
    return why === null ? { status: 200, text: 'ready' } : { status: 503, text: why };
  }
  if (path === '/metrics') {
    const type = 'text/plain; version=0.0.4; charset=utf-8';
    return { status: 200, type, text: await options.metrics.metrics.text() };
  }
  return { status: 404, text: 'not found' };
}

/** 2xx only for what is durably stored, or is nobody's business here. */
async function webhook(request: IncomingMessage, { probot, metrics }: ServerOptions): Promise<Answer> {
  const refuse = (status: number, text: string): Answer => {
    metrics.deliveries({ event: 'unknown', result: 'refused' });
    return { status, text };
  };
  const headers = Headers.safeParse(request.headers);
  if (!headers.success) {
    request.resume();
    return refuse(400, `${String(headers.error.issues[0]?.path[0])} is missing or not of its form`);
  }
  const size = Number(request.headers['content-length'] ?? largestBody);
  if (!(size <= largestBody)) {
    request.resume();
    return refuse(413, 'too large');
  }
  // what nobody has signed yet must not fill the memory; GitHub's own is fetched later where it was refused
  if (underWay + size > mostUnderWay) {
    request.resume();
    return refuse(503, 'busy');
  }
  underWay += size;
  let body: string | null;
  try {
    body = await bodyOf(request);
  } finally {
    underWay -= size;
  }
  if (body === null) return refuse(413, 'too large');
  const { 'x-github-delivery': id, 'x-github-event': name, 'x-hub-signature-256': signature } = headers.data;
  if (!(await probot.webhooks.verify(body, signature))) return refuse(401, 'the signature does not fit');
  let payload: unknown;
  try {
    payload = JSON.parse(body);
  } catch {
    return refuse(400, 'not JSON');
  }
  try {
    await probot.receive({ id, name, payload } as Parameters<Probot['receive']>[0]);
    return { status: 202, text: 'stored' };
  } catch (error) {
    return { status: 500, text: referenceIn(error) };
  }
}

/** The app function throws nothing but a reference; whatever else comes up is not told. */
function referenceIn(error: unknown): string {
  const inner = error instanceof AggregateError ? error.errors[0] : error;
  const found = /reference [0-9a-f-]{36}/.exec(inner instanceof Error ? inner.message : '')?.[0];
  return found === undefined ? 'not stored' : `not stored; ${found}`;
}

async function bodyOf(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > largestBody) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, { status, text, type = 'text/plain; charset=utf-8' }: Answer): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, {
    'content-type': type,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  });
  response.end(text.endsWith('\n') ? text : `${text}\n`);
}

/** Throws `bot_settings` for a port that cannot be used. */
export function listen(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const taken = hasCode(error, 'EADDRINUSE') || hasCode(error, 'EACCES');
      const told = new UserError({
        code: 'bot_settings',
        message: `The port ${port} cannot be used.`,
        where: '--port',
        fix: 'Stop what uses it, or choose another one; 0 takes a free one.',
      });
      reject(taken ? told : error);
    });
    server.listen(port, host, () => resolve());
  });
}
