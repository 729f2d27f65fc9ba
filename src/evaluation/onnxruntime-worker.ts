/**
 * The entry of the inference process: admits and loads one model, and answers batches over the IPC channel. It computes
 * synchronously (onnxruntime-node does), so its parent watches the clock and kills it.
 */
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { describeWhere, UserError } from '../errors.ts';
import { importNative } from '../native.ts';
import { admitFile } from './onnx-admission.ts';
import type { WorkerReply, WorkerRequest } from './onnxruntime-protocol.ts';

type Runtime = typeof import('onnxruntime-node');

let runtime: Runtime;
let session: InferenceSession;

async function load(request: Extract<WorkerRequest, { kind: 'load' }>): Promise<WorkerReply> {
  // The bytes that were admitted are those that are loaded, and no path to other files goes with them.
  const bytes = await admitFile(request.file, request.admission);
  const module: Runtime & { default?: Runtime } = await importNative('onnxruntime-node');
  runtime = module.default ?? module;
  session = await runtime.InferenceSession.create(bytes, {
    executionProviders: ['cpu'],
    intraOpNumThreads: request.threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
  });
  return { kind: 'loaded', inputs: [...session.inputNames], outputs: [...session.outputNames] };
}

async function run(request: Extract<WorkerRequest, { kind: 'run' }>): Promise<WorkerReply> {
  const feeds: Record<string, Tensor> = {};
  for (const { name, type, values } of request.inputs) {
    feeds[name] = new runtime.Tensor(type, values as Float32Array, [request.rows, 1]) as Tensor;
  }
  const output = (await session.run(feeds, [request.output]))[request.output];
  if (output === undefined) throw new Error('the output is missing');
  const values = output.data;
  if (!(values instanceof Float32Array || values instanceof Float64Array)) {
    throw new Error(`the output is a tensor of ${output.type}, not of floats`);
  }
  return { kind: 'result', values, shape: [...output.dims] };
}

async function answer(request: WorkerRequest): Promise<void> {
  let reply: WorkerReply;
  try {
    reply = request.kind === 'load' ? await load(request) : await run(request);
  } catch (error) {
    const message = (error instanceof Error ? error.message : String(error)).slice(0, 2_000);
    reply = {
      kind: 'error',
      message,
      known:
        error instanceof UserError
          ? { code: error.code, fix: error.fix, where: describeWhere(error.where) ?? 'onnxruntime-node' }
          : null,
    };
  }
  process.send?.(reply);
}

// One after the other, so that answers come in the order of the questions.
let last: Promise<void> = Promise.resolve();
process.on('message', (request: WorkerRequest) => {
  last = last.then(() => answer(request));
});
process.on('disconnect', () => process.exit(0));
// Ctrl-C on a terminal reaches the whole foreground group: the parent decides when this process ends.
process.on('SIGINT', () => {});
