import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../../src/stats/random.ts';
import { signAgain } from './sign.ts';

/**
 * What the proxy may do to a request. `lost`: forwarded, its answer is never sent. `cut`: forwarded, the answer ends
 * midway. `refused`: never forwarded. `echo-412`: forwarded twice, the second answer is sent, as by a middle man that
 * tries again. `late-500`: forwarded, answered 500. `slow`: late. `hang`: forwarded, and the connection stays open
 * without an answer. `late-effect`: the connection ends, and the request arrives after that. A number: answered so,
 * never forwarded.
 */
const kinds = [
  'lost',
  'cut',
  'refused',
  'echo-412',
  'late-500',
  'slow',
  'hang',
  'late-effect',
  '409',
  '412',
  '500',
  '503',
] as const;
export type Fault = (typeof kinds)[number];

/** Which share of the requests has which fault. */
export type Rates = Partial<Record<Fault, number>>;

export interface ProxyOptions {
  upstream: number;
  /** Gives the fault for a request, null for none. */
  fault?: (request: http.IncomingMessage) => Fault | null;
  /** Headers to leave out, as a store would that does not know them, and the secret to sign the rest again. */
  drop?: { headers: readonly string[]; secret: string };
  /** On every second connection, a GET shows what is younger than so many milliseconds as it was: a replica lags. */
  lag?: number;
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

/** Every fault equally often, together at this share of the requests; `hang` waits for the client's patience to end. */
export function evenly(share: number): Rates {
  const quick = kinds.filter((kind) => kind !== 'hang');
  return Object.fromEntries(quick.map((kind) => [kind, share / quick.length]));
}

/** Random faults by a seed. */
export function seeded(seed: number, rates: Rates): () => Fault | null {
  const { uniform } = seededRandom(seed);
  return () => {
    let left = uniform();
    for (const kind of kinds) {
      left -= rates[kind] ?? 0;
      if (left < 0) return kind;
    }
    return null;
  };
}

/** A proxy on loopback that does to requests what networks and stores do on a bad day. */
export async function startFaultProxy(options: ProxyOptions): Promise<FaultProxy> {
  const forward = options.lag === undefined ? toUpstream : lagging(options.lag);
  const counts: FaultProxy['counts'] = new Map();
  const server = http.createServer((request, response) => {
    let fault = options.fault?.(request) ?? null;
    // a store answers these to a condition alone
    if (request.headers['if-none-match'] === undefined && (fault === '409' || fault === '412')) fault = '503';
    counts.set(fault ?? 'none', (counts.get(fault ?? 'none') ?? 0) + 1);
    handle({ ...options, forward }, fault, request, response).catch(() => response.destroy());
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
  options: ProxyOptions & { forward: Forward },
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
  if (fault === 'late-effect') {
    response.destroy();
    await sleep(20);
  }
  let given = await options.forward(options, request, body);
  if (fault === 'echo-412') given = await options.forward(options, request, body);
  if (fault === 'lost') return void response.destroy();
  if (fault === 'hang' || fault === 'late-effect') return;
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

type Forward = (options: ProxyOptions, request: http.IncomingMessage, body: Buffer) => Promise<Given>;

function lagging(milliseconds: number): Forward {
  const replicas = new WeakMap<object, boolean>();
  let connections = 0;
  const seen = new Map<string, Given>();
  const written = new Map<string, number>();
  return async (options, request, body) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const late = replicas.get(request.socket) ?? connections++ % 2 === 0;
    replicas.set(request.socket, late);
    const before = seen.get(pathname);
    const age = performance.now() - (written.get(pathname) ?? -Infinity);
    if (late && request.method === 'GET' && before !== undefined && age < milliseconds) return before;
    const given = await toUpstream(options, request, body);
    if (request.method === 'PUT' && given.status < 300) written.set(pathname, performance.now());
    // what was on its way while somebody wrote is of neither time
    const undisturbed = (written.get(pathname) ?? -Infinity) < performance.now() - milliseconds;
    if (request.method === 'GET' && undisturbed) seen.set(pathname, given);
    return given;
  };
}

/** The Host header stays as it was signed. */
function toUpstream(options: ProxyOptions, request: http.IncomingMessage, body: Buffer): Promise<Given> {
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
