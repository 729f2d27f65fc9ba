import { z } from 'zod';
import type { TensorType } from '../evaluation/predictor.ts';
import { datatypes } from './protocol.ts';

const InferAnswer = z.object({
  model_version: z.string(),
  parameters: z.object({
    prediction_ids: z.array(z.string()),
    correlation_id: z.string(),
    model_digest: z.string(),
    generation: z.number(),
  }),
  outputs: z.array(z.object({ name: z.string(), data: z.array(z.number()) })).min(1),
});

export interface InferColumn {
  name: string;
  type: TensorType;
  values: readonly (string | number | boolean | null)[];
}

export interface InferRequest {
  /** E.g. http://127.0.0.1:8080. */
  url: string;
  model: string;
  columns: readonly InferColumn[];
  correlationId?: string;
  /** ISO 8601 with zone, one a row. */
  eventTimes?: readonly string[];
  rowKeys?: readonly string[];
  token?: string;
  signal?: AbortSignal;
}

export interface InferResult {
  version: number;
  digest: string;
  generation: number;
  correlationId: string;
  predictionIds: string[];
  values: number[];
}

/** One inference request over the Open Inference Protocol v2. Throws with the server's words when it refuses. */
export async function infer(request: InferRequest): Promise<InferResult> {
  const { url, model, columns, correlationId, eventTimes, rowKeys, token, signal } = request;
  const response = await fetch(`${url}/v2/models/${encodeURIComponent(model)}/infer`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({
      parameters: { correlation_id: correlationId, event_time: eventTimes, row_keys: rowKeys },
      inputs: columns.map(({ name, type, values }) => ({
        name,
        datatype: datatypes[type],
        shape: [values.length, 1],
        data: values,
      })),
    }),
    ...(signal === undefined ? {} : { signal }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text.slice(0, 300)}`);
  const { model_version, parameters, outputs } = InferAnswer.parse(JSON.parse(text));
  return {
    version: Number(model_version),
    digest: parameters.model_digest,
    generation: parameters.generation,
    correlationId: parameters.correlation_id,
    predictionIds: parameters.prediction_ids,
    values: outputs[0]?.data ?? [],
  };
}
