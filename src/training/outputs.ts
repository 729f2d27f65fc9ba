import { lstat, open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { hasCode, UserError } from '../errors.ts';
import { Signature } from '../evaluation/predictor.ts';
import { recogniseFile } from '../file-kind.ts';
import { parseJson } from '../json.ts';

const Numbers = z.record(z.string().min(1).max(128), z.number());
const Notes = z.object({ null_refused: z.string().max(200).nullable() });

/** What a training script left in its output folder. */
export interface TrainingOutputs {
  model: Buffer;
  signature: Signature;
  /** Metric → value on the validation part. */
  metrics: Record<string, number>;
  /** Feature → importance; empty when the script gives none. */
  importance: Record<string, number>;
  /** The framework's predictions on the parity rows; NaN where it refuses nulls. */
  parity: Float64Array;
  /** Why the framework refuses rows with nulls, or null when it takes them. */
  nullRefused: string | null;
}

/** Bytes of a model file that are read at all. */
export const modelLimit = 2_000_000_000;
const jsonLimit = 4_000_000;

/**
 * Reads what a script handed in; each part is a stranger's file, so links, folders and sizes beyond the
 * limits are refused. Throws `training_incomplete`, `model_signature`, `model_parity`.
 */
export async function readOutputs(directory: string, parityRows: number): Promise<TrainingOutputs> {
  await refuseOtherModels(directory);
  const model = await read(directory, 'model.onnx', modelLimit);
  const signature = Signature.safeParse(await json(directory, 'signature.json'));
  if (!signature.success) {
    throw new UserError({
      code: 'model_signature',
      message: `signature.json is not valid: ${z.prettifyError(signature.error)}`,
      where: 'train.script',
      fix: 'Let mg.save write the signature; its inputs are tensors of string, float32, float64, int64 or bool.',
    });
  }
  const metrics = parse(Numbers, await json(directory, 'metrics.json'), 'metrics.json');
  if (Object.keys(metrics).length === 0) throw incomplete('no metric');
  const importance = await json(directory, 'importance.json').catch((error) => {
    if (error instanceof UserError && hasCode(error.cause, 'ENOENT')) return {};
    throw error;
  });
  const notes = parse(Notes, await json(directory, 'parity-notes.json'), 'parity-notes.json');
  const raw = await read(directory, 'parity.f64', parityRows * 8);
  if (raw.length !== parityRows * 8) throw incomplete('predictions for all parity rows');
  const parity = Float64Array.from({ length: parityRows }, (_, row) => raw.readDoubleLE(row * 8));
  return {
    model,
    signature: signature.data,
    metrics,
    importance: parse(Numbers, importance, 'importance.json'),
    parity,
    nullRefused: notes.null_refused,
  };
}

/** A script that writes another format instead is told so, rather than that its model is missing. */
async function refuseOtherModels(directory: string): Promise<void> {
  const names = await readdir(directory);
  if (names.includes('model.onnx')) return;
  for (const name of names.slice(0, 50)) {
    const bytes = await lstat(join(directory, name)).then((found) =>
      found.isFile() ? firstBytes(join(directory, name)) : new Uint8Array(),
    );
    const recognised = recogniseFile(bytes);
    if (recognised === null || name.endsWith('.json')) continue;
    throw new UserError({
      code: 'model_refused',
      message: `${name.replace(/[^\w.-]/g, '?').slice(0, 80)} is ${recognised}, not ONNX.`,
      where: 'train.script',
      fix: 'Export the model, its preprocessing included, to ONNX and hand it in with mg.save; see docs/training.md.',
    });
  }
}

async function firstBytes(file: string): Promise<Uint8Array> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(512), 0, 512, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function read(directory: string, name: string, limit: number): Promise<Buffer> {
  const file = join(directory, name);
  try {
    const found = await lstat(file);
    if (!found.isFile()) throw incomplete(`${name} as a plain file`);
    if (found.size > limit) throw incomplete(`${name} within ${limit} bytes`);
    return await readFile(file);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) throw incomplete(name, error);
    throw error;
  }
}

async function json(directory: string, name: string): Promise<unknown> {
  const text = (await read(directory, name, jsonLimit)).toString('utf8');
  try {
    return parseJson(text, jsonLimit);
  } catch (error) {
    throw incomplete(`${name} as JSON with finite numbers`, error);
  }
}

function parse<T>(schema: z.ZodType<T>, value: unknown, name: string): T {
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw incomplete(`${name} in the right form (${z.prettifyError(parsed.error)})`);
  return parsed.data;
}

function incomplete(what: string, cause?: unknown): UserError {
  return new UserError({
    code: 'training_incomplete',
    message: `The training script ended without ${what}.`,
    where: 'train.script',
    fix: 'Call mg.save(model, predict, metrics) once at the end of the script.',
    cause,
  });
}
