import { createHmac, randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SqlEngine } from '../data/engine.ts';
import { asStorageError, errorRecord } from '../errors.ts';
import type { FeatureColumns, Signature } from '../evaluation/predictor.ts';
import type { Logger } from '../logger.ts';
import { Name } from '../names.ts';
import type { Storage } from '../store/storage.ts';
import { closeSegment } from './close-segment.ts';
import { newId } from './ids.ts';
import type { ModelLine, PredictionLine } from './log-schema.ts';

export {
  declareSegments,
  listSegments,
  type ReadPredictions,
  type ReadPredictionsOptions,
  readPredictions,
  segmentsBetween,
} from './read-predictions.ts';

export interface PredictionLogOptions {
  /** Folder of the open segments: on this machine, kept between runs. */
  folder: string;
  storage: Storage;
  /** A private session for closing one segment. */
  engine(): Promise<SqlEngine>;
  model: string;
  environment: string;
  logger: Logger;
  /** Inputs (and `row_key`) that say who somebody is: a keyed hash of them is logged. */
  personal?: readonly string[];
  /** Key of that hash; without one it is random, and values can be compared within this process alone. */
  hashKey?: string | undefined;
  /** A segment is closed when it has so many bytes … */
  segmentBytes?: number;
  /** … or is so many milliseconds old. */
  segmentMs?: number;
  /** Bytes that may wait for the disk; beyond them `accepts` is false. */
  pendingBytes?: number;
}

/** The predictions of one request. */
export interface LoggedRequest {
  predictionIds: readonly string[];
  traceId: string;
  arrivedAtMs: number;
  /** Unix milliseconds a row. */
  eventTimes: readonly number[];
  rowKeys: readonly string[] | undefined;
  version: number;
  manifest: string;
  generation: number;
  signature: Signature;
  features: FeatureColumns;
  output: Float64Array;
  latencySeconds: number;
}

export interface LogStatus {
  writtenRows: number;
  pendingRows: number;
  segmentsClosed: number;
  failures: number;
  lastError: string | null;
}

interface Segment {
  id: string;
  file: string;
  handle: FileHandle;
  bytes: number;
  openedMs: number;
  /** Model packages whose inputs are said in this file. */
  models: Set<string>;
}

const openName = /^([0-9a-f-]{36})\.(\d+)\.ndjson$/;
/** Files that this process has open: a second log over the same folder must leave them alone. */
const ours = new Set<string>();

/**
 * Writes every prediction to an NDJSON file, with one fsync for all that gathered meanwhile, and closes such
 * files into Parquet in the store. A killed process loses at most what waited for that fsync; what it left
 * is closed at the next start. Belongs to one machine: files of a process that still runs are left alone.
 */
export class PredictionLog {
  private readonly options: Required<Omit<PredictionLogOptions, 'hashKey'>> & { hashKey: string | Buffer };
  private readonly personal: ReadonlySet<string>;
  private waiting: { line: string; manifest: string; inputs: ModelLine['inputs'] }[] = [];
  private waitingBytes = 0;
  private writing: Promise<void> | undefined;
  private closing: Promise<void> = Promise.resolve();
  private segment: Segment | undefined;
  private closed = false;
  /** Finished files that are not in the store yet. */
  private readonly finished = new Set<string>();
  private readonly timer: NodeJS.Timeout;
  private readonly counts: LogStatus = {
    writtenRows: 0,
    pendingRows: 0,
    segmentsClosed: 0,
    failures: 0,
    lastError: null,
  };

  private constructor(options: PredictionLogOptions) {
    this.options = {
      personal: [],
      segmentBytes: 64 * 2 ** 20,
      segmentMs: 60_000,
      pendingBytes: 16 * 2 ** 20,
      ...options,
      hashKey: options.hashKey ?? randomBytes(32),
    };
    this.personal = new Set(options.personal);
    this.timer = setInterval(() => void this.write(), this.options.segmentMs);
    this.timer.unref();
  }

  /** Makes the folder, and begins to close what a killed process left there. Throws `storage_unavailable`. */
  static async open(options: PredictionLogOptions): Promise<PredictionLog> {
    const folder = path.join(options.folder, Name.parse(options.model), Name.parse(options.environment));
    try {
      await mkdir(folder, { recursive: true });
      const log = new PredictionLog({ ...options, folder });
      for (const name of await readdir(folder)) {
        const [, , pid] = openName.exec(name) ?? [];
        const file = path.join(folder, name);
        if (pid !== undefined && !ours.has(file) && !runs(Number(pid))) log.finished.add(file);
      }
      if (log.finished.size > 0) {
        options.logger.info(
          `Closing ${log.finished.size} prediction log segments that a stopped process left.`,
        );
        void log.closeFinished(); // beside the first answers
      }
      return log;
    } catch (error) {
      throw asStorageError(error, folder);
    }
  }

  /** Whether there is room: false when the disk does not follow, so that nothing is answered unlogged. */
  accepts(): boolean {
    return this.waitingBytes < this.options.pendingBytes;
  }

  /** Takes the predictions of one request; they reach the disk right after. */
  append(request: LoggedRequest): void {
    const inputs = request.signature.inputs.map(({ name, type }) => ({
      name,
      type: this.personal.has(name) ? ('string' as const) : type,
    }));
    const { manifest, version, generation, traceId: trace_id } = request;
    const arrived_at = new Date(request.arrivedAtMs).toISOString();
    request.predictionIds.forEach((prediction_id, row) => {
      const output = request.output[row] ?? Number.NaN;
      const key = request.rowKeys?.[row] ?? null;
      const line: PredictionLine = {
        kind: 'prediction',
        prediction_id,
        row,
        row_key: this.personal.has('row_key') ? this.hashed(key) : key,
        event_time: new Date(request.eventTimes[row] ?? request.arrivedAtMs).toISOString(),
        arrived_at,
        trace_id,
        version,
        manifest,
        generation,
        inputs: inputs.map(({ name }) => {
          const value = request.features[name]?.[row] ?? null;
          return this.personal.has(name) ? this.hashed(value) : value;
        }),
        output: Number.isFinite(output) ? output : null,
        latency_seconds: request.latencySeconds,
      };
      const text = `${JSON.stringify(line)}\n`;
      this.waiting.push({ line: text, manifest, inputs });
      this.waitingBytes += text.length;
    });
    void this.write();
  }

  status(): LogStatus {
    return { ...this.counts, pendingRows: this.waiting.length };
  }

  /** Waits until all that was appended is on the disk, or the disk refuses it. */
  async flush(): Promise<void> {
    await this.write();
  }

  /** Writes what waits, closes the segment and puts it into the store. What fails stays for the next start. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    this.closed = true;
    await this.write();
    if (this.waiting.length > 0) await this.write();
    await this.finish();
    await this.closing;
    for (const file of this.finished) ours.delete(file);
  }

  private hashed(value: string | number | boolean | null): string | null {
    if (value === null) return null;
    return `hmac:${createHmac('sha256', this.options.hashKey).update(String(value)).digest('hex').slice(0, 32)}`;
  }

  /** One writer at a time: what comes while it waits for the disk goes with its next fsync. */
  private write(): Promise<void> {
    this.writing ??= this.writeAll().finally(() => {
      this.writing = undefined;
      if (this.waiting.length > 0 && !this.closed) void this.write();
    });
    return this.writing;
  }

  private async writeAll(): Promise<void> {
    await sleep(0); // lets the requests of this turn of the event loop share one fsync
    try {
      while (this.waiting.length > 0) await this.writeBatch();
      const age = this.segment === undefined ? 0 : Date.now() - this.segment.openedMs;
      if (age >= this.options.segmentMs) await this.finish();
    } catch (error) {
      this.failed('The prediction log cannot be written', error);
      await sleep(250); // then it is tried again
    }
  }

  private async writeBatch(): Promise<void> {
    this.segment ??= await this.newSegment();
    const { segment } = this;
    const batch = this.waiting.slice();
    const said = new Set(segment.models);
    const text: string[] = [];
    for (const { line, manifest, inputs } of batch) {
      if (!said.has(manifest)) {
        said.add(manifest);
        text.push(`${JSON.stringify({ kind: 'model', manifest, inputs } satisfies ModelLine)}\n`);
      }
      text.push(line);
    }
    const bytes = Buffer.from(text.join(''));
    try {
      await segment.handle.appendFile(bytes);
      await segment.handle.datasync();
    } catch (error) {
      await segment.handle.truncate(segment.bytes).catch(() => {}); // no torn line before the next try
      throw error;
    }
    segment.bytes += bytes.length;
    segment.models = said;
    this.waiting.splice(0, batch.length);
    this.waitingBytes = this.waiting.reduce((sum, { line }) => sum + line.length, 0);
    this.counts.writtenRows += batch.length;
    if (segment.bytes >= this.options.segmentBytes) await this.finish();
  }

  private async newSegment(): Promise<Segment> {
    const openedMs = Date.now();
    const id = newId(openedMs);
    const file = path.join(this.options.folder, `${id}.${process.pid}.ndjson`);
    ours.add(file);
    const handle = await open(file, 'ax', 0o600);
    return { id, file, handle, bytes: 0, openedMs, models: new Set() };
  }

  private async finish(): Promise<void> {
    const { segment } = this;
    if (segment !== undefined) {
      this.segment = undefined;
      await segment.handle.close();
      this.finished.add(segment.file);
    }
    void this.closeFinished();
  }

  private closeFinished(): Promise<void> {
    this.closing = this.closing.then(async () => {
      for (const file of this.finished) {
        try {
          await this.closeFile(file);
          this.finished.delete(file);
          ours.delete(file);
        } catch (error) {
          this.failed(`A segment of the prediction log stays in ${this.options.folder}`, error);
        }
      }
    });
    return this.closing;
  }

  private async closeFile(file: string): Promise<void> {
    const [, id] = openName.exec(path.basename(file)) ?? [];
    if (id === undefined) return;
    const engine = await this.options.engine();
    try {
      const { model, environment, storage, folder, logger } = this.options;
      const workDirectory = path.join(folder, `closing-${id}`);
      const closed = await closeSegment({ file, id, model, environment, storage, engine, workDirectory });
      if (closed.unreadable > 0)
        logger.warn(`${closed.unreadable} torn lines of the prediction log were left out.`);
      await rm(file, { force: true });
      this.counts.segmentsClosed += 1;
    } finally {
      await engine.close();
    }
  }

  private failed(what: string, error: unknown): void {
    const { message } = errorRecord(asStorageError(error, this.options.folder));
    this.counts.failures += 1;
    if (this.counts.lastError !== message) this.options.logger.warn(`${what}: ${message}`);
    this.counts.lastError = message;
  }
}

function runs(pid: number): boolean {
  if (pid === process.pid) return false; // an earlier process with our number, as in a restarted container
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
