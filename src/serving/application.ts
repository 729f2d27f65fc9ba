import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from '../logger.ts';
import { version as productVersion } from '../version.ts';
import type { Follower, Serving } from './follower.ts';
import { authorized, readBody, send, sendJson } from './http.ts';
import { newId } from './ids.ts';
import { type Gauge, ServingMetrics } from './metrics.ts';
import type { PredictionLog } from './prediction-log.ts';
import {
  type Inference,
  inferResponse,
  modelMetadata,
  ProtocolError,
  parseBody,
  parseInference,
} from './protocol.ts';

export interface ServerLimits {
  /** Bytes of a request's body. */
  bodyBytes: number;
  /** Nesting of the JSON. */
  depth: number;
  /** Rows of a request. */
  rows: number;
  /** Inference requests that may be under way; more are answered 503 with Retry-After. */
  requests: number;
  /** Rows that may be under way. */
  queuedRows: number;
  connections: number;
  /** Milliseconds for the headers, for the whole request, and for the model's answer. */
  headersMs: number;
  requestMs: number;
  inferMs: number;
}

export const defaultLimits: ServerLimits = {
  bodyBytes: 1_000_000,
  depth: 8,
  rows: 4096,
  requests: 256,
  queuedRows: 32_768,
  connections: 1024,
  headersMs: 5000,
  requestMs: 10_000,
  inferMs: 10_000,
};

export interface ApplicationOptions {
  model: string;
  environment: string;
  follower: Pick<Follower, 'acquire' | 'release' | 'status'>;
  log: Pick<PredictionLog, 'accepts' | 'append' | 'status'>;
  logger: Logger;
  /** Everything but health wants it as bearer token; null: no token, which only loopback may do. */
  token: string | null;
}

const dayMs = 86_400_000;
/** Event times outside are taken for mistakes: before 1970, or more than a year ahead. */
const eventTimeAhead = 366 * dayMs;

type Reply = { status: number; body: unknown };

/** Routes and answers the requests of one server. */
export class Application {
  draining = false;
  private readonly options: ApplicationOptions & { limits: ServerLimits };
  private readonly metrics: ServingMetrics;
  private requests = 0;
  private rows = 0;

  constructor(options: ApplicationOptions & { limits: ServerLimits }) {
    this.options = options;
    this.metrics = new ServingMetrics({ model: options.model, environment: options.environment });
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const started = performance.now();
    response.on('close', () => this.metrics.request(response.headersSent ? response.statusCode : 499));
    if (this.draining) response.setHeader('connection', 'close');
    try {
      const { token } = this.options;
      const path = pathOf(request);
      const health = path[0] === 'v2' && path[1] === 'health';
      if (token !== null && !health && !authorized(request, token)) {
        throw new ProtocolError(401, 'A bearer token is needed.', { 'www-authenticate': 'Bearer' });
      }
      if (path.length === 1 && path[0] === 'metrics') {
        allow(request, 'GET');
        const text = this.metrics.render(this.gauges());
        send(response, 200, text, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
        return;
      }
      const { status, body } = await this.route(path, request, started);
      sendJson(response, status, body);
    } catch (error) {
      if (error instanceof ProtocolError) {
        sendJson(response, error.status, { error: error.message }, error.headers);
        return;
      }
      this.options.logger.warn(`A request failed: ${error instanceof Error ? error.message : String(error)}`);
      sendJson(response, 500, { error: 'The model could not answer.' });
    }
  }

  private async route(path: string[], request: IncomingMessage, started: number): Promise<Reply> {
    const { model } = this.options;
    const [root, first, name, ...rest] = path;
    if (root !== 'v2') throw notFound();
    if (first === undefined) {
      allow(request, 'GET');
      return { status: 200, body: { name: 'modelgate', version: productVersion, extensions: [] } };
    }
    if (first === 'health' && rest.length === 0 && (name === 'live' || name === 'ready')) {
      allow(request, 'GET');
      return name === 'live' ? { status: 200, body: { live: true } } : this.readiness();
    }
    if (first !== 'models' || name === undefined) throw notFound();
    if (name !== model) throw new ProtocolError(404, `This server has the model ${model} alone.`);
    const version = rest[0] === 'versions' ? rest[1] : undefined;
    const action = version === undefined ? rest : rest.slice(2);
    if (action.length > 1 || (rest[0] === 'versions' && version === undefined)) throw notFound();
    switch (action[0]) {
      case undefined:
        allow(request, 'GET');
        return this.withServing(version, async (serving) => ({
          status: 200,
          body: modelMetadata(model, serving.version, serving.model.signature),
        }));
      case 'ready':
        allow(request, 'GET');
        return this.withServing(version, async () => ({ status: 200, body: { name: model, ready: true } }));
      case 'infer':
        allow(request, 'POST');
        return this.infer(request, version, started);
      default:
        throw notFound();
    }
  }

  private readiness(): Reply {
    const { serving, wanted, loadError, registryError, lastLook, loadFailures } =
      this.options.follower.status();
    const told = (error: typeof loadError) =>
      error === null ? null : { code: error.code, message: error.message };
    const ready = serving !== null && !this.draining;
    const body = {
      ready,
      model: this.options.model,
      environment: this.options.environment,
      serving,
      wanted,
      load_error: told(loadError),
      load_failures: loadFailures,
      registry_error: told(registryError),
      registry_age_seconds: lastLook === null ? null : (Date.now() - lastLook) / 1000,
      draining: this.draining,
    };
    return { status: ready ? 200 : 503, body };
  }

  /** Reads the reference once: the whole request is answered by one version, whatever is switched meanwhile. */
  private async withServing<T>(
    version: string | undefined,
    work: (serving: Serving) => Promise<T>,
  ): Promise<T> {
    const { follower, model, environment } = this.options;
    const serving = follower.acquire();
    if (serving === null) {
      throw new ProtocolError(503, `No version of ${model} is loaded for ${environment}.`, {
        'retry-after': '1',
      });
    }
    try {
      if (version !== undefined && version !== String(serving.version)) {
        throw new ProtocolError(404, `Version ${serving.version} serves, not ${version.slice(0, 20)}.`);
      }
      return await work(serving);
    } finally {
      follower.release(serving);
    }
  }

  private async infer(
    request: IncomingMessage,
    version: string | undefined,
    started: number,
  ): Promise<Reply> {
    const { limits, log } = this.options;
    if (this.requests >= limits.requests || !log.accepts()) throw this.busy();
    this.requests += 1;
    try {
      const body = parseBody(await readBody(request, limits.bodyBytes), limits.depth);
      return await this.withServing(version, async (serving) => {
        const inference = parseInference(body, serving.model.signature, limits);
        if (this.rows + inference.rows > limits.queuedRows) throw this.busy();
        this.rows += inference.rows;
        try {
          return await this.answer(request, inference, serving, started);
        } finally {
          this.rows -= inference.rows;
        }
      });
    } finally {
      this.requests -= 1;
    }
  }

  private async answer(
    request: IncomingMessage,
    inference: Inference,
    serving: Serving,
    started: number,
  ): Promise<Reply> {
    const { model, environment, limits, log } = this.options;
    const { rows } = inference;
    const arrivedAtMs = Date.now();
    const eventTimes = inference.eventTimes ?? new Array<number>(rows).fill(arrivedAtMs);
    if (eventTimes.some((time) => time < 0 || time > arrivedAtMs + eventTimeAhead)) {
      throw new ProtocolError(400, 'parameters.event_time is before 1970, or more than a year ahead.');
    }
    const values = await withDeadline(
      limits.inferMs,
      serving,
      serving.model.predict(inference.features, rows),
    );
    const predictionIds = Array.from({ length: rows }, () => newId(arrivedAtMs));
    const traceId =
      inference.correlationId ?? traceOf(request) ?? inference.id?.match(plainId)?.[0] ?? predictionIds[0]!;
    const latencySeconds = (performance.now() - started) / 1000;
    log.append({
      predictionIds,
      traceId,
      arrivedAtMs,
      eventTimes,
      rowKeys: inference.rowKeys,
      version: serving.version,
      manifest: serving.manifest,
      generation: serving.generation,
      signature: serving.model.signature,
      features: inference.features,
      output: values,
      latencySeconds,
    });
    this.metrics.inference(rows, latencySeconds);
    if (!values.every(Number.isFinite))
      throw new Error('the model predicted a value that is not a finite number');
    const { version, manifest, generation } = serving;
    const named = { model, environment, version, manifest, generation, traceId, predictionIds };
    return {
      status: 200,
      body: inferResponse({ ...named, id: inference.id, output: serving.model.signature.output, values }),
    };
  }

  private busy(): ProtocolError {
    this.metrics.turnedAway();
    return new ProtocolError(503, 'Too many requests wait; try again.', { 'retry-after': '1' });
  }

  private gauges(): Gauge[] {
    const { follower, log } = this.options;
    const { serving, wanted, lastLook, loadFailures, registryError, swaps } = follower.status();
    const logged = log.status();
    const age = lastLook === null ? null : (Date.now() - lastLook) / 1000;
    return [
      { name: 'modelgate_version', help: 'Version that answers.', value: serving?.version ?? null },
      {
        name: 'modelgate_generation',
        help: 'Generation of the environment that answers.',
        value: serving?.generation ?? null,
      },
      {
        name: 'modelgate_wanted_generation',
        help: 'Generation that the registry names.',
        value: (wanted ?? serving)?.generation ?? null,
      },
      { name: 'modelgate_registry_age_seconds', help: 'Time since the registry was last read.', value: age },
      {
        name: 'modelgate_registry_error',
        help: '1 while the registry cannot be read.',
        value: registryError === null ? 0 : 1,
      },
      {
        name: 'modelgate_load_failures_total',
        help: 'Loads that failed.',
        value: loadFailures,
        type: 'counter',
      },
      {
        name: 'modelgate_swaps_total',
        help: 'Switches of the version that answers.',
        value: swaps,
        type: 'counter',
      },
      { name: 'modelgate_requests_under_way', help: 'Inference requests under way.', value: this.requests },
      { name: 'modelgate_rows_under_way', help: 'Rows under way.', value: this.rows },
      {
        name: 'modelgate_log_rows_total',
        help: 'Predictions on the disk.',
        value: logged.writtenRows,
        type: 'counter',
      },
      {
        name: 'modelgate_log_rows_pending',
        help: 'Predictions that wait for the disk.',
        value: logged.pendingRows,
      },
      {
        name: 'modelgate_log_failures_total',
        help: 'Writes of the log that failed.',
        value: logged.failures,
        type: 'counter',
      },
    ];
  }
}

const plainId = /^[A-Za-z0-9._:/@+=-]{1,128}$/;

/** The caller's own id of the request: x-correlation-id, or the trace id of a W3C traceparent. */
function traceOf(request: IncomingMessage): string | undefined {
  const correlation = request.headers['x-correlation-id'];
  if (typeof correlation === 'string' && plainId.test(correlation)) return correlation;
  const parent = request.headers.traceparent;
  return typeof parent === 'string' ? /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(parent)?.[1] : undefined;
}

async function withDeadline(
  ms: number,
  serving: Serving,
  work: Promise<Float64Array>,
): Promise<Float64Array> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    serving.model.noteFailure();
    reject(new ProtocolError(503, 'The model did not answer in time.', { 'retry-after': '1' }));
  }, ms);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function pathOf(request: IncomingMessage): string[] {
  const [path = '/'] = (request.url ?? '/').split('?');
  try {
    return path.split('/').filter(Boolean).map(decodeURIComponent);
  } catch {
    throw new ProtocolError(400, 'The path is not a valid URL.');
  }
}

function allow(request: IncomingMessage, method: 'GET' | 'POST'): void {
  if (request.method !== method && !(method === 'GET' && request.method === 'HEAD')) {
    throw new ProtocolError(405, `Use ${method}.`, { allow: method });
  }
}

const notFound = () => new ProtocolError(404, 'There is nothing here; see /v2.');
