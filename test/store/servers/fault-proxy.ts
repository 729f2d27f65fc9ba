import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { signAgain } from './sign.ts';

/**
 * What the proxy may do to a request. `lost`: forwarded, its answer is never sent. `cut`: forwarded, the answer ends
 * midway. `refused`: never forwarded. `echo-412`: forwarded twice, the second answer is sent, as by a middle man that
 * tries again. `late-500`: forwarded, answered 500. A number: answered so, never forwarded. `slow`: late.
 */
export const faults = [
  'lost',
  'cut',
  'refused',
  'echo-412',
  'late-500',
  'slow',
  '409',
  '412',
  '500',
  '503',
] as const;
export type Fault = (typeof faults)[number];

export interface ProxyOptions {
  upstream: number;
  /** Gives the fault for a request, null for none. */
  fault?: (request: http.IncomingMessage) => Fault | null;
  /** Headers to leave out, as a store would that does not know them, and the secret to sign the rest again. */
  drop?: { headers: readonly string[]; secret: string };
}

export interface FaultProxy {
  port: number;
  counts: Map<Fault | 'none', number>;
  stop(): void;
}

const names: Record<string, string> = {
  '409': 'ConditionalRequestConflict',
  '412': 'PreconditionFailed',
  '500': 'InternalError',
  '503': 'SlowDown',
};

/** Random faults by a seed: `share` of the requests, each kind equally often. */
export function seeded(seed: number, share: number, kinds: readonly Fault[] = faults): () => Fault | null {
  let state = seed >>> 0;
  const next = () => {
    // mulberry32
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return () => (next() < share ? (kinds[Math.floor(next() * kinds.length)] ?? null) : null);
}

/** A proxy on loopback that does to requests what networks and stores do on a bad day. */
export async function startFaultProxy(options: ProxyOptions): Promise<FaultProxy> {
  const counts: FaultProxy['counts'] = new Map();
  const server = http.createServer((request, response) => {
    let fault = options.fault?.(request) ?? null;
    // a store answers these to a condition alone
    if (request.headers['if-none-match'] === undefined && (fault === '409' || fault === '412')) fault = '503';
    counts.set(fault ?? 'none', (counts.get(fault ?? 'none') ?? 0) + 1);
    handle(options, fault, request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return { port: address.port, counts, stop };
}

async function handle(
  options: ProxyOptions,
  fault: Fault | null,
  request: http.IncomingMessage,
  response: http.ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  if (fault === 'refused') return void response.destroy();
  if (fault !== null && /^\d/.test(fault)) return answer(request, response, fault);
  if (fault === 'slow') await sleep(80);
  let given = await forward(options, request, body);
  if (fault === 'echo-412') given = await forward(options, request, body);
  if (fault === 'lost') return void response.destroy();
  if (fault === 'late-500') return answer(request, response, '500');
  response.writeHead(given.status, given.headers);
  if (fault !== 'cut') return void response.end(request.method === 'HEAD' ? undefined : given.body);
  response.write(given.body.subarray(0, Math.floor(given.body.length / 2)), () => response.destroy());
}

function answer(request: http.IncomingMessage, response: http.ServerResponse, status: string): void {
  const text = `<?xml version="1.0"?><Error><Code>${names[status]}</Code><Message>injected</Message></Error>`;
  response.writeHead(Number(status), { 'content-type': 'application/xml' });
  response.end(request.method === 'HEAD' ? undefined : text);
}

interface Given {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: Buffer;
}

/** The Host header stays as it was signed. */
function forward(options: ProxyOptions, request: http.IncomingMessage, body: Buffer): Promise<Given> {
  const headers = { ...request.headers };
  const { method = 'GET', url = '/' } = request;
  if (options.drop?.headers.some((name) => headers[name] !== undefined)) {
    for (const name of options.drop.headers) delete headers[name];
    headers.authorization = signAgain({ method, url, headers, secret: options.drop.secret });
  }
  return new Promise((resolve, reject) => {
    const out = http.request(
      { host: '127.0.0.1', port: options.upstream, method, path: url, headers },
      async (incoming) => {
        try {
          const chunks: Buffer[] = [];
          for await (const chunk of incoming) chunks.push(chunk as Buffer);
          const { 'transfer-encoding': _chunked, connection: _connection, ...kept } = incoming.headers;
          resolve({ status: incoming.statusCode ?? 500, headers: kept, body: Buffer.concat(chunks) });
        } catch (error) {
          reject(error);
        }
      },
    );
    out.on('error', reject);
    out.end(body);
  });
}
