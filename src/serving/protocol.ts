import { z } from 'zod';
import type { FeatureColumns, Signature, TensorType } from '../evaluation/predictor.ts';
import { type Json, parseJson } from '../json.ts';

/**
 * Open Inference Protocol v2, REST: what comes in and goes out. Its one extension: `null` in a tensor is a
 * missing value (JSON has no NaN).
 * Source: https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_rest.md
 */

/** An answer with an HTTP status; the body is `{"error": message}`. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly status: number;
  readonly headers: Record<string, string>;

  constructor(status: number, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/** The protocol's names of the tensor types. */
export const datatypes: Record<TensorType, string> = {
  string: 'BYTES',
  float32: 'FP32',
  float64: 'FP64',
  int64: 'INT64',
  bool: 'BOOL',
};
const integers = ['INT8', 'INT16', 'INT32', 'INT64', 'UINT8', 'UINT16', 'UINT32', 'UINT64'];
/** Datatypes that a tensor of the model takes: its own, and those whose every value fits it. */
const accepted: Record<TensorType, readonly string[]> = {
  string: ['BYTES'],
  float32: ['FP16', 'FP32', 'FP64', ...integers],
  float64: ['FP16', 'FP32', 'FP64', ...integers],
  int64: integers,
  bool: ['BOOL'],
};
const float32Maximum = 3.4028234663852886e38;
const textLimit = 1000;

/** Ids go into logs and headers: plain characters alone. */
const PlainId = z
  .string()
  .regex(/^[A-Za-z0-9._:/@+=-]{1,128}$/, 'expected 1 to 128 of A-Z a-z 0-9 . _ : / @ + = -');
const RowKey = z.union([z.string().min(1).max(200), z.number().transform(String)]);
const Time = z.iso.datetime({ offset: true });

const Tensor = z.object({
  name: z.string().min(1).max(128),
  shape: z.array(z.number().int().nonnegative()).min(1).max(2),
  datatype: z.string().max(16),
  data: z.array(z.unknown()),
});

const InferRequest = z.object({
  id: z.string().min(1).max(128).optional(),
  parameters: z
    .object({
      /** Ties the prediction to the caller's own request. */
      correlation_id: PlainId.optional(),
      /** When what is predicted happens, ISO 8601 with zone: one for the request, or one a row. */
      event_time: z.union([Time, z.array(Time)]).optional(),
      /** The caller's key of each row, so that labels can be joined later. */
      row_keys: z.array(RowKey).optional(),
    })
    .optional(),
  inputs: z.array(Tensor).min(1).max(10_000),
  outputs: z
    .array(z.object({ name: z.string().max(128) }))
    .max(100)
    .optional(),
});

/** A request as the server works with it. */
export interface Inference {
  id: string | undefined;
  correlationId: string | undefined;
  rows: number;
  /** Columns of `rows` values, exactly those of the signature. */
  features: FeatureColumns;
  /** Unix milliseconds a row, or undefined: not said. */
  eventTimes: number[] | undefined;
  rowKeys: string[] | undefined;
}

export interface RequestLimits {
  /** Nesting of arrays and objects. */
  depth: number;
  rows: number;
}

/** JSON of a stranger, with its nesting counted before it is parsed. Throws a 400. */
export function parseBody(text: string, depthLimit: number): Json {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (quoted) {
      if (code === 0x5c) i += 1;
      else if (code === 0x22) quoted = false;
    } else if (code === 0x22) quoted = true;
    else if (code === 0x5b || code === 0x7b) {
      depth += 1;
      if (depth > depthLimit)
        throw new ProtocolError(400, `The body is nested deeper than ${depthLimit} levels.`);
    } else if (code === 0x5d || code === 0x7d) depth -= 1;
  }
  try {
    return parseJson(text, text.length);
  } catch {
    throw new ProtocolError(400, 'The body is not JSON.');
  }
}

/** Checks an infer request against the model that will answer it. Throws a 400 that names the field. */
export function parseInference(body: Json, signature: Signature, limits: RequestLimits): Inference {
  const parsed = InferRequest.safeParse(body);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new ProtocolError(400, `${issue?.path.join('.') || 'body'}: ${issue?.message ?? 'not a request'}.`);
  }
  const { id, parameters, inputs, outputs } = parsed.data;
  for (const output of outputs ?? []) {
    if (output.name !== signature.output) {
      throw new ProtocolError(
        400,
        `The model has no output ${shown(output.name)}; it has ${signature.output}.`,
      );
    }
  }
  const byName = new Map(inputs.map((input) => [input.name, input]));
  if (byName.size !== inputs.length) throw new ProtocolError(400, 'An input stands there twice.');
  const wanted = new Set(signature.inputs.map((input) => input.name));
  const unknown = inputs.filter((input) => !wanted.has(input.name)).map((input) => shown(input.name));
  if (unknown.length > 0) throw new ProtocolError(400, `The model has no input ${listed(unknown)}.`);
  const missing = signature.inputs.filter((input) => !byName.has(input.name)).map((input) => input.name);
  if (missing.length > 0) throw new ProtocolError(400, `The inputs ${listed(missing)} are missing.`);

  const rows = inputs[0]?.shape[0] ?? 0;
  if (rows < 1) throw new ProtocolError(400, 'A request has at least one row.');
  if (rows > limits.rows) throw new ProtocolError(400, `A request has at most ${limits.rows} rows.`);
  const features: FeatureColumns = Object.create(null) as FeatureColumns;
  for (const { name, type } of signature.inputs) {
    const tensor = byName.get(name);
    if (tensor !== undefined) features[name] = column(tensor, type, rows);
  }
  return {
    id,
    correlationId: parameters?.correlation_id,
    rows,
    features,
    eventTimes: eventTimes(parameters?.event_time, rows),
    rowKeys: perRow(parameters?.row_keys, rows, 'row_keys'),
  };
}

type Cell = string | number | boolean | null;

function column(tensor: z.infer<typeof Tensor>, type: TensorType, rows: number): Cell[] {
  const { name, shape, datatype } = tensor;
  if (!accepted[type].includes(datatype)) {
    throw new ProtocolError(400, `The input ${name} is ${datatypes[type]}, not ${shown(datatype)}.`);
  }
  if (shape[0] !== rows || (shape.length === 2 && shape[1] !== 1)) {
    throw new ProtocolError(400, `The input ${name} must have the shape [${rows}, 1].`);
  }
  const data = tensor.data.flat(1); // flattened, or nested as [[1], [2]]
  if (data.length !== rows) {
    throw new ProtocolError(400, `The input ${name} has ${data.length} values for ${rows} rows.`);
  }
  return data.map((value, row) => {
    if (!fits(value, type)) {
      throw new ProtocolError(
        400,
        `The input ${name} has a value in row ${row} that is no ${datatypes[type]}.`,
      );
    }
    return value;
  });
}

function fits(value: unknown, type: TensorType): value is Cell {
  switch (type) {
    case 'string':
      return (
        value === null || (typeof value === 'string' && value.length <= textLimit && !value.includes('\0'))
      );
    case 'float32':
      return value === null || (typeof value === 'number' && Math.abs(value) <= float32Maximum);
    case 'float64':
      return value === null || (typeof value === 'number' && Number.isFinite(value));
    case 'int64': // has no missing value
      return typeof value === 'number' && Number.isSafeInteger(value);
    case 'bool':
      return typeof value === 'boolean';
  }
}

function eventTimes(given: string | string[] | undefined, rows: number): number[] | undefined {
  if (given === undefined) return undefined;
  const times = typeof given === 'string' ? new Array<string>(rows).fill(given) : given;
  return perRow(times, rows, 'event_time')?.map((time) => Date.parse(time));
}

function perRow<T>(values: T[] | undefined, rows: number, name: string): T[] | undefined {
  if (values !== undefined && values.length !== rows) {
    throw new ProtocolError(400, `parameters.${name} has ${values.length} values for ${rows} rows.`);
  }
  return values;
}

const shown = (name: string) => JSON.stringify(name.slice(0, 100));
const listed = (names: readonly string[]) =>
  names.slice(0, 5).join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '');

/** The model's metadata: `GET /v2/models/NAME`. */
export function modelMetadata(name: string, version: number, signature: Signature) {
  return {
    name,
    versions: [String(version)],
    platform: 'onnx_onnxv1',
    inputs: signature.inputs.map((input) => ({
      name: input.name,
      datatype: datatypes[input.type],
      shape: [-1, 1],
    })),
    outputs: [{ name: signature.output, datatype: 'FP64', shape: [-1] }],
  };
}

export interface Answer {
  id: string | undefined;
  model: string;
  environment: string;
  version: number;
  manifest: string;
  generation: number;
  traceId: string;
  predictionIds: readonly string[];
  output: string;
  values: Float64Array;
}

export function inferResponse(answer: Answer) {
  return {
    model_name: answer.model,
    model_version: String(answer.version),
    ...(answer.id === undefined ? {} : { id: answer.id }),
    parameters: {
      prediction_ids: answer.predictionIds,
      correlation_id: answer.traceId,
      environment: answer.environment,
      model_version: answer.version,
      model_digest: answer.manifest,
      generation: answer.generation,
    },
    outputs: [
      {
        name: answer.output,
        datatype: 'FP64',
        shape: [answer.values.length],
        data: Array.from(answer.values),
      },
    ],
  };
}
