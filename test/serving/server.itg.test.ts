import http from 'node:http';
import { connect } from 'node:net';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { infer } from '../../src/serving/client.ts';
import { Follower } from '../../src/serving/follower.ts';
import { PredictionLog, readPredictions } from '../../src/serving/prediction-log.ts';
import { type ServerOptions, startServer } from '../../src/serving/server.ts';
import { keys } from '../../src/store/keys.ts';
import { openStorage } from '../../src/store/open.ts';
import {
  body,
  engineIn,
  FakePointer,
  FakePredictor,
  manifestOf,
  RecordingLogger,
  temporaryFolder,
  until,
} from './helpers.ts';

const where = { model: 'late', environment: 'production' };
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Bed {
  delayMs?: number;
  deployed?: number;
}

async function bed(options: Partial<ServerOptions> = {}, { delayMs = 0, deployed = 1 }: Bed = {}) {
  const temporary = await temporaryFolder();
  closing.push(() => temporary[Symbol.asyncDispose]());
  const storage = await openStorage(path.join(temporary.folder, 'store'));
  await storage.create(keys.head('late'), Buffer.from('{}'));
  const engine = engineIn(temporary.folder);
  const logger = new RecordingLogger();
  const pointer = new FakePointer();
  if (deployed > 0) pointer.move(deployed);
  const predictors: FakePredictor[] = [];
  const follower = new Follower({
    pointer,
    load: async (manifest) => {
      const version = [1, 2, 3].find((each) => manifestOf(each) === manifest);
      if (version === undefined) throw new Error('unknown');
      const predictor = new FakePredictor(version, delayMs);
      predictors.push(predictor);
      return predictor;
    },
    logger,
    pollMs: 20,
  });
  await follower.start();
  const folder = path.join(temporary.folder, 'spool');
  const log = await PredictionLog.open({ folder, storage, engine, ...where, logger });
  const server = await startServer({ ...where, follower, log, logger, port: 0, token: null, ...options });
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    await server.close();
    await log.close();
    await follower.close();
  };
  closing.push(close);
  const logged = async (select: string) => {
    const session = await engine();
    try {
      await readPredictions({ storage, engine: session, ...where, since: null, until: null });
      return await session.rows(select);
    } finally {
      await session.close();
    }
  };
  return { url: server.url, port: server.port, follower, log, logger, pointer, predictors, close, logged };
}

async function call(url: string, path: string, init: RequestInit = {}) {
  const response = await fetch(`${url}${path}`, init);
  const text = await response.text();
  const json = response.headers.get('content-type')?.startsWith('application/json') ? JSON.parse(text) : text;
  return { status: response.status, headers: response.headers, body: json };
}

const post = (value: unknown, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body: typeof value === 'string' ? value : JSON.stringify(value),
});
const inferPath = '/v2/models/late/infer';

describe('Open Inference Protocol v2', () => {
  it('has the six endpoints, with and without version', async () => {
    const { url } = await bed();
    expect(await call(url, '/v2/health/live')).toMatchObject({ status: 200, body: { live: true } });
    expect(await call(url, '/v2/health/ready')).toMatchObject({
      status: 200,
      body: { ready: true, serving: { version: 1, generation: 1 }, wanted: null, load_error: null },
    });
    expect(await call(url, '/v2')).toMatchObject({
      status: 200,
      body: { name: 'modelgate', extensions: [] },
    });
    const metadata = {
      name: 'late',
      versions: ['1'],
      platform: 'onnx_onnxv1',
      inputs: [
        { name: 'distance', datatype: 'FP32', shape: [-1, 1] },
        { name: 'hour', datatype: 'INT64', shape: [-1, 1] },
        { name: 'carrier', datatype: 'BYTES', shape: [-1, 1] },
        { name: 'holiday', datatype: 'BOOL', shape: [-1, 1] },
      ],
      outputs: [{ name: 'probability', datatype: 'FP64', shape: [-1] }],
    };
    for (const base of ['/v2/models/late', '/v2/models/late/versions/1']) {
      expect((await call(url, base)).body).toEqual(metadata);
      expect(await call(url, `${base}/ready`)).toMatchObject({
        status: 200,
        body: { name: 'late', ready: true },
      });
      const answer = await call(url, `${base}/infer`, post(body(3, {}, 'r-7')));
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({
        model_name: 'late',
        model_version: '1',
        id: 'r-7',
        parameters: {
          environment: 'production',
          model_version: 1,
          model_digest: manifestOf(1),
          generation: 1,
        },
        outputs: [{ name: 'probability', datatype: 'FP64', shape: [3], data: [1, 1.001, 1.002] }],
      });
      expect(answer.body.parameters.prediction_ids).toHaveLength(3);
    }
  });

  it.each([
    ['GET', '/', 404],
    ['GET', '/v2/models/other', 404],
    ['GET', '/v2/models/late/versions/9', 404],
    ['GET', '/v2/models/late/versions', 404],
    ['GET', '/v2/models/late/ready/x', 404],
    ['GET', inferPath, 405],
    ['DELETE', '/v2/health/live', 405],
    ['GET', '/v2/models/%E0%A4%A', 400],
  ])('answers %s %s with %i and an error', async (method, path, status) => {
    const { url } = await bed();
    const answer = await call(url, path, { method });
    expect(answer.status).toBe(status);
    expect(typeof answer.body.error).toBe('string');
  });

  it('[SRV-2] logs inputs, outputs, version and correlation id of every prediction', async () => {
    const { url, close, logged } = await bed();
    const columns = [
      { name: 'distance', type: 'float32' as const, values: [10, null] },
      { name: 'hour', type: 'int64' as const, values: [1, 2] },
      { name: 'carrier', type: 'string' as const, values: ['UA', null] },
      { name: 'holiday', type: 'bool' as const, values: [true, false] },
    ];
    const eventTimes = ['2013-06-01T10:00:00Z', '2013-07-01T12:30:00+02:00'];
    const result = await infer({
      url,
      model: 'late',
      columns,
      correlationId: 'order-7',
      eventTimes,
      rowKeys: ['a', 'b'],
    });
    expect(result).toMatchObject({ version: 1, generation: 1, correlationId: 'order-7', values: [1.01, 1] });
    const byHeader = await call(url, inferPath, post(body(1), { 'x-correlation-id': 'from-header' }));
    const trace = await call(
      url,
      inferPath,
      post(body(1), { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` }),
    );
    expect([byHeader, trace].map((one) => one.body.parameters.correlation_id)).toEqual([
      'from-header',
      'a'.repeat(32),
    ]);
    await close();
    const rows = await logged('SELECT * FROM predictions ORDER BY prediction_id');
    expect(rows).toHaveLength(4);
    expect(rows[0]).toMatchObject({
      prediction_id: result.predictionIds[0],
      trace_id: 'order-7',
      version: 1,
      manifest: manifestOf(1),
      row_key: 'a',
      event_time: '2013-06-01T10:00:00.000Z',
      output: 1.01,
      distance: 10,
      carrier: 'UA',
    });
    expect(rows[1]).toMatchObject({ event_time: '2013-07-01T10:30:00.000Z', distance: null, holiday: false });
    expect(Number(rows[0]?.latency_seconds)).toBeGreaterThan(0);
  });

  it('[SRV-3] gives metrics for Prometheus', async () => {
    const { url } = await bed();
    await call(url, inferPath, post(body(3)));
    await call(url, inferPath, post('{'));
    const { body: text, headers } = await call(url, '/metrics');
    expect(headers.get('content-type')).toMatch(/version=0.0.4/);
    const labels = 'model="late",environment="production"';
    expect(text).toContain(`modelgate_requests_total{${labels},code="200"} 1\n`);
    expect(text).toContain(`modelgate_requests_total{${labels},code="400"} 1\n`);
    expect(text).toContain(`modelgate_rows_total{${labels}} 3\n`);
    expect(text).toContain(`modelgate_version{${labels}} 1\n`);
    expect(text).toContain(`modelgate_generation{${labels}} 1\n`);
    expect(text).toMatch(/modelgate_registry_age_seconds\{[^}]*\} 0(\.\d+)?\n/);
  });

  it('says 503 while nothing is deployed, and stays up', async () => {
    const { url, pointer } = await bed({}, { deployed: 0 });
    expect((await call(url, '/v2/health/ready')).status).toBe(503);
    const refused = await call(url, inferPath, post(body(1)));
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('1');
    pointer.move(1);
    await expect.poll(async () => (await call(url, '/v2/health/ready')).status).toBe(200);
  });

  it('an answer that is not a number is an error, and is logged', async () => {
    const { url, predictors, close, logged } = await bed();
    predictors[0]!.predict = async (_, rows) => new Float64Array(rows).fill(Number.NaN);
    expect(await call(url, inferPath, post(body(1)))).toMatchObject({
      status: 500,
      body: { error: expect.any(String) },
    });
    await close();
    expect(await logged('SELECT output, version FROM predictions')).toEqual([{ output: null, version: 1 }]);
  });
});

describe('hostile requests', () => {
  it('[SRV-4] want the token for everything but health', async () => {
    const { url } = await bed({ token: 'secret' });
    expect((await call(url, '/v2/health/live')).status).toBe(200);
    expect((await call(url, '/v2/health/ready')).status).toBe(200);
    for (const path of ['/v2', '/metrics', '/v2/models/late', '/nowhere', '/v2/models/health/../late']) {
      expect((await call(url, path)).status, path).toBe(401);
    }
    for (const authorization of ['Bearer wrong', 'Bearer', 'Basic secret', 'secret']) {
      expect((await call(url, inferPath, post(body(1), { authorization }))).status).toBe(401);
    }
    expect((await call(url, inferPath, post(body(1), { authorization: 'Bearer secret' }))).status).toBe(200);
    await expect(bed({ host: '0.0.0.0' })).rejects.toMatchObject({ code: 'usage' });
  });

  it('are bounded in size, depth, type and rows', async () => {
    const { url } = await bed();
    const status = async (init: RequestInit) => (await call(url, inferPath, init)).status;
    expect(await status(post('x'.repeat(1_000_001)))).toBe(413);
    expect(await status(post('['.repeat(100_000)))).toBe(400);
    expect(await status(post(body(1), { 'content-type': 'text/plain' }))).toBe(415);
    expect(await status(post(body(1), { 'content-encoding': 'gzip' }))).toBe(415);
    expect(await status(post(body(4097)))).toBe(400);
    expect(await status(post(body(4096)))).toBe(200);
    const chunked = new ReadableStream({
      start(controller) {
        for (let part = 0; part < 30; part += 1) controller.enqueue(new Uint8Array(50_000).fill(32));
        controller.close();
      },
    });
    expect(await status({ ...post(''), body: chunked, duplex: 'half' } as RequestInit)).toBe(413);
    expect(await status({ ...post(''), body: new Uint8Array([0x22, 0xff, 0x22]) })).toBe(400);
    expect(await status(post(body(1, { event_time: '1950-01-01T00:00:00Z' })))).toBe(400);
    expect(await status(post(body(1, { event_time: '9999-01-01T00:00:00Z' })))).toBe(400);
  });

  it('500 mutated requests: no 5xx, no crash, and the server answers afterwards', async () => {
    const { url, close, logged, log } = await bed();
    const valid = JSON.stringify(
      body(2, { correlation_id: 'c', event_time: '2013-06-01T10:00:00Z', row_keys: ['a', 'b'] }, 'id'),
    );
    const junk = fc.oneof(
      fc.constantFrom(
        'null',
        '-1',
        '1e999',
        '[]',
        '{}',
        '""',
        '[[[[]]]]',
        '"__proto__"',
        'true',
        '1e308',
        '"\\u0000"',
        '"\\ud800"',
      ),
      fc.string({ maxLength: 8 }),
    );
    // Three kinds: a JSON value is replaced, a piece of text is cut or put in, a whole other document.
    const mutated = fc.oneof(
      fc.tuple(fc.nat(60), junk).map(([nth, text]) => {
        let seen = 0;
        return valid.replace(/"[^"]*"(?!:)|\d+|null|true|false|\[[^[\]]*\]/g, (found) =>
          seen++ === nth ? text : found,
        );
      }),
      fc
        .tuple(fc.nat(valid.length), fc.nat(20), junk)
        .map(([at, length, text]) => valid.slice(0, at) + text + valid.slice(at + length)),
      fc.json({ maxDepth: 5 }),
    );
    const statuses = new Map<number, number>();
    for (const text of fc.sample(mutated, { numRuns: 500, seed: 7 })) {
      const answer = await call(url, inferPath, post(text));
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      if (answer.status !== 200) expect(typeof answer.body.error).toBe('string');
    }
    expect([...statuses.keys()].filter((status) => status !== 200 && status !== 400)).toEqual([]);
    expect(statuses.get(400)).toBeGreaterThan(300);
    const accepted = statuses.get(200) ?? 0;
    await close();
    expect(log.status().failures).toBe(0);
    const [count] = await logged('SELECT count(DISTINCT trace_id || prediction_id) AS n FROM predictions');
    expect(Number(count?.n)).toBeGreaterThanOrEqual(accepted);
  });

  it('raw garbage and half requests end with 4xx or a closed connection', async () => {
    const { url, port } = await bed({ limits: { headersMs: 300, requestMs: 500 } });
    const raw = (text: string) =>
      new Promise<string>((resolve) => {
        const socket = connect(port, '127.0.0.1', () => socket.write(text));
        let got = '';
        socket.on('data', (chunk) => {
          got += chunk;
        });
        socket.on('close', () => resolve(got));
        socket.on('error', () => resolve(got));
      });
    const answers = await Promise.all(
      [
        'GARBAGE\r\n\r\n',
        'GET /v2 HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n',
        `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
        `POST ${inferPath} HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{`,
        'GET /v2 HTTP/1.1\r\nHos',
      ].map(raw),
    );
    for (const answer of answers) expect(answer).toMatch(/^(HTTP\/1\.1 4\d\d|$)/);
    expect((await call(url, inferPath, post(body(1)))).status).toBe(200);
  });

  it('more than may wait are turned away with 503 and Retry-After; the others are answered', async () => {
    const { url } = await bed({ limits: { requests: 4 } }, { delayMs: 50 });
    const answers = await Promise.all(Array.from({ length: 30 }, () => call(url, inferPath, post(body(1)))));
    const of = (status: number) => answers.filter((answer) => answer.status === status);
    expect(of(200).length).toBeGreaterThanOrEqual(4);
    expect(of(503).length).toBeGreaterThan(0);
    expect(of(200).length + of(503).length).toBe(30);
    for (const answer of of(503)) expect(answer.headers.get('retry-after')).toBe('1');
    expect((await call(url, '/metrics')).body).toMatch(
      new RegExp(`modelgate_shed_total\\{.*\\} ${of(503).length}\n`),
    );
  });

  it('a model that hangs is answered 503 in time, and is replaced', async () => {
    const { url, predictors } = await bed({ limits: { inferMs: 50 } });
    predictors[0]!.hangs = true;
    for (let request = 0; request < 3; request += 1)
      expect((await call(url, inferPath, post(body(1)))).status).toBe(503);
    await until(() => predictors.length === 2);
    await expect.poll(async () => (await call(url, inferPath, post(body(1)))).status).toBe(200);
  });
});

describe('hot swap', () => {
  it('[DEP-4] 30 swaps and rollbacks under load: no request fails, none mixes two versions', async () => {
    const { url, pointer, follower, close, logged } = await bed({}, { delayMs: 1 });
    const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
    const payload = JSON.stringify(body(4));
    const ask = () =>
      new Promise<{ status: number; body: string }>((resolve, reject) => {
        const request = http.request(
          `${url}${inferPath}`,
          { method: 'POST', agent, headers: { 'content-type': 'application/json' } },
          (response) => {
            let text = '';
            response.setEncoding('utf8').on('data', (chunk: string) => {
              text += chunk;
            });
            response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
          },
        );
        request.on('error', reject);
        request.end(payload);
      });
    let swapping = true;
    const problems: string[] = [];
    const seen = new Set<number>();
    let answered = 0;
    let last = 0;
    const client = async () => {
      while (swapping) {
        const { status, body: text } = await ask();
        if (status !== 200) problems.push(`${status} ${text}`);
        else {
          const { model_version, parameters, outputs } = JSON.parse(text);
          const computedBy = new Set<number>(outputs[0].data.map(Math.floor));
          const told = [Number(model_version), parameters.model_version];
          if (computedBy.size !== 1 || !computedBy.has(told[0]!) || told[0] !== told[1]) problems.push(text);
          if (parameters.model_digest !== manifestOf(told[0]!)) problems.push(text);
          last = Math.max(last, parameters.generation);
          seen.add(told[0]!);
        }
        answered += 1;
      }
    };
    const clients = Array.from({ length: 8 }, client);
    for (let swap = 0; swap < 30; swap += 1) {
      pointer.move([2, 1, 3][swap % 3]!);
      const { generation } = pointer.position!;
      await until(() => follower.status().serving?.generation === generation);
      const before = answered;
      await until(() => answered >= before + 10);
    }
    swapping = false;
    await Promise.all(clients);
    agent.destroy();
    expect(problems).toEqual([]);
    expect([...seen].sort()).toEqual([1, 2, 3]);
    expect(last).toBe(31);
    await close();
    expect(
      await logged(
        'SELECT count(*) AS n, count(*) FILTER (floor(output) <> version) AS mixed FROM predictions',
      ),
    ).toEqual([{ n: answered * 4, mixed: 0 }]);
  });

  it('closing answers what is under way', async () => {
    const { url, close, logged } = await bed({}, { delayMs: 100 });
    const answer = call(url, inferPath, post(body(2)));
    await new Promise((resolve) => setTimeout(resolve, 40));
    await close();
    expect((await answer).status).toBe(200);
    expect(await logged('SELECT count(*) AS n FROM predictions')).toEqual([{ n: 2 }]);
  });
});
