import { type ChildProcess, fork } from 'node:child_process';
import { assetPath } from '../assets.ts';
import { UserError } from '../errors.ts';
import { nativeFolder } from '../native.ts';
import type { AdmissionRules } from './admission-policy.ts';
import type { WorkerReply, WorkerRequest } from './onnxruntime-protocol.ts';
import { checkPredictions, positiveColumn } from './predictions.ts';
import type { FeatureColumns, Predictor, Signature } from './predictor.ts';
import { inputTensors } from './tensors.ts';

export interface LoadRequest {
  /** Path of an ONNX file; whoever calls has checked its digest. It is admitted before it is loaded. */
  file: string;
  signature: Signature;
  /** What the project allows beyond the default. */
  admission?: AdmissionRules | undefined;
  /** Milliseconds for one batch of at most 4,096 rows; past it the process is killed. */
  deadlineMs?: number;
  /** Milliseconds for starting the process and loading the model. */
  loadDeadlineMs?: number;
  /** Threads of one operator. More than one only for large models: it costs latency where cores are shared. */
  threads?: number;
}

/** Rows a message: 30 ms of a small model, so that a question behind a large one does not wait long. */
export const batchRows = 4_096;

/**
 * Loads a model into a process of its own. Batches are sent one ahead of the one that is computed, answers
 * come in order. Throws `model_refused` for a file that is not admitted, `inference_failed` when it does not load, with
 * the runtime's own words, and what nativeFolder throws.
 */
export async function loadPredictor(request: LoadRequest): Promise<Predictor> {
  const predictor = new OnnxruntimePredictor(request, await nativeFolder('onnxruntime-node'));
  try {
    await predictor.load();
    return predictor;
  } catch (error) {
    await predictor.close();
    throw error;
  }
}

interface Pending {
  deadline: number;
  resolve(reply: WorkerReply): void;
  reject(error: Error): void;
}

class OnnxruntimePredictor implements Predictor {
  readonly signature: Signature;
  private readonly request: LoadRequest;
  private readonly child: ChildProcess;
  /** In the order in which they were sent: the first is being computed. */
  private readonly pending: Pending[] = [];
  private timer: NodeJS.Timeout | undefined;
  private ended: UserError | undefined;
  private stderr = '';

  constructor(request: LoadRequest, library: string | null) {
    this.request = request;
    this.signature = request.signature;

    this.child = fork(assetPath(import.meta.url, 'onnxruntime-worker.ts'), [], {
      serialization: 'advanced',
      execArgv: [],
      env: workerVariables(library),
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-2_000);
    });
    this.child.on('message', (reply: WorkerReply) => this.receive(reply));
    this.child.on('error', (error) => this.end(`cannot be started: ${error.message}`));
    this.child.on('exit', (code, signal) => {
      const said = this.stderr.trim().split('\n').at(-1) ?? '';
      this.end(
        `ended ${signal === null ? `with exit code ${code}` : `by ${signal}`}${said ? `: ${said}` : ''}`,
      );
    });
    process.once('exit', this.kill);
  }

  async load(): Promise<void> {
    const { file, admission, threads = 1, loadDeadlineMs = 60_000 } = this.request;
    const reply = await this.send({ kind: 'load', file, threads, admission }, loadDeadlineMs);
    if (reply.kind === 'error') throw replied('loaded', reply);
  }

  async predict(features: FeatureColumns, rows: number): Promise<Float64Array> {
    const { deadlineMs = 10_000 } = this.request;
    const { output } = this.signature;
    const predictions = new Float64Array(rows);
    let before: Promise<unknown> = Promise.resolve();
    for (let from = 0; from < rows; from += batchRows) {
      const until = Math.min(rows, from + batchRows);
      const inputs = inputTensors(this.signature, features, from, until);
      const answered = this.send({ kind: 'run', rows: until - from, inputs, output }, deadlineMs).then(
        (reply) => {
          if (reply.kind !== 'result') throw replied('run', reply);
          predictions.set(positiveColumn(reply, until - from, this.signature), from);
        },
      );
      // a failure of this one is seen when it is awaited, be it after the one before it failed
      answered.catch(() => {});
      await before;
      before = answered;
    }
    await before;
    checkPredictions(predictions, this.signature.task);
    return predictions;
  }

  async close(): Promise<void> {
    process.removeListener('exit', this.kill);
    if (this.child.exitCode !== null || this.child.signalCode !== null || this.child.pid === undefined)
      return;
    const gone = new Promise((resolve) => this.child.once('exit', resolve));
    this.ended ??= failed('The model was closed.');
    if (this.pending.length > 0) this.child.kill('SIGKILL');
    else this.child.disconnect();
    const force = setTimeout(this.kill, 500);
    await gone;
    clearTimeout(force);
  }

  private readonly kill = (): void => {
    this.child.kill('SIGKILL');
  };

  private send(request: WorkerRequest, deadline: number): Promise<WorkerReply> {
    return new Promise((resolve, reject) => {
      if (this.ended !== undefined) return reject(this.ended);
      this.pending.push({ deadline, resolve, reject });
      if (this.pending.length === 1) this.startTimer();
      this.child.send(request, (error) => {
        if (error !== null) this.end(error.message);
      });
    });
  }

  private receive(reply: WorkerReply): void {
    const first = this.pending.shift();
    this.startTimer();
    first?.resolve(reply);
  }

  /** The clock of a batch runs from the moment that it is its turn. */
  private startTimer(): void {
    clearTimeout(this.timer);
    const first = this.pending[0];
    if (first === undefined) return;
    this.timer = setTimeout(() => {
      this.end(`did not answer within ${first.deadline} ms`);
      this.kill();
    }, first.deadline);
  }

  private end(why: string): void {
    this.ended ??= failed(`The process of the model ${why}.`);
    clearTimeout(this.timer);
    for (const { reject } of this.pending.splice(0)) reject(this.ended);
  }
}

/** Where the runtime's library lies; a model's process needs nothing else of its caller, and installs nothing. */
function workerVariables(library: string | null): Record<string, string> {
  const { SYSTEMROOT } = process.env;
  return {
    ...(library === null ? {} : { MODELGATE_NATIVE: library }),
    ...(SYSTEMROOT === undefined ? {} : { SYSTEMROOT }),
  };
}

function replied(what: string, reply: WorkerReply): UserError {
  if (reply.kind !== 'error') return failed(`The model cannot be ${what}: an answer of another kind came.`);
  const { message, known } = reply;
  if (known === null) return failed(`The model cannot be ${what}: ${message}`);
  return new UserError({ ...known, message });
}

function failed(message: string): UserError {
  return new UserError({
    code: 'inference_failed',
    message: message.replace(/\p{Cc}/gu, ' ').slice(0, 1_000),
    where: 'model.onnx',
    fix: 'Run the model with onnxruntime on the same rows to see the cause, and export it again.',
  });
}
