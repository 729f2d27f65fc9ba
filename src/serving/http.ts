import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ProtocolError } from './protocol.ts';

/** The body as text. Throws 413 beyond `limit` bytes, 415 for what is not JSON, 400 for what is not UTF-8. */
export async function readBody(request: IncomingMessage, limit: number): Promise<string> {
  const { 'content-type': type, 'content-encoding': encoding, 'content-length': length } = request.headers;
  // A browser page of another site cannot send this type without asking first, so it cannot predict and be logged.
  if (type !== undefined && !/^application\/json\s*(;|$)/i.test(type)) {
    throw new ProtocolError(415, 'The body must be application/json.');
  }
  if (encoding !== undefined && encoding !== 'identity') {
    throw new ProtocolError(415, 'The body must not be compressed.');
  }
  const tooLarge = () =>
    new ProtocolError(413, `The body is larger than ${limit} bytes.`, { connection: 'close' });
  if (Number(length) > limit) throw tooLarge();
  const bytes = await new Promise<Buffer>((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    // Not `for await`: leaving it early would close the connection before the refusal is sent.
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > limit) reject(tooLarge());
      else chunks.push(chunk);
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('close', () =>
      reject(new ProtocolError(400, 'The body ended early.', { connection: 'close' })),
    );
    request.on('error', () =>
      reject(new ProtocolError(400, 'The body ended early.', { connection: 'close' })),
    );
  });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ProtocolError(400, 'The body is not UTF-8.');
  }
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  send(response, status, JSON.stringify(body), { 'content-type': 'application/json', ...headers });
}

export function send(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Record<string, string>,
): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, {
    'content-length': String(Buffer.byteLength(text)),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
  });
  response.end(text);
}

/** Whether the request carries the bearer token; the time that it takes says nothing of the token. */
export function authorized(request: IncomingMessage, token: string): boolean {
  const given = /^Bearer ([^\s]{1,1000})$/i.exec(request.headers.authorization ?? '')?.[1];
  return given !== undefined && timingSafeEqual(hash(given), hash(token));
}

const hash = (text: string) => createHash('sha256').update(text).digest();
