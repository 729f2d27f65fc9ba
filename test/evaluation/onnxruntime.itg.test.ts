import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AdmissionRules } from '../../src/evaluation/admission-policy.ts';
import { batchRows, loadPredictor } from '../../src/evaluation/onnxruntime.ts';
import type { Predictor, Signature } from '../../src/evaluation/predictor.ts';
import { endlessModel, unaryModel } from './onnx-writer.ts';

const signature: Signature = { inputs: [{ name: 'x', type: 'float32' }], task: 'regression', output: 'y' };
let folder: string;
const open: Predictor[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'modelgate-onnx-'));
});
afterAll(async () => {
  await Promise.all(open.map((predictor) => predictor.close()));
  await rm(folder, { recursive: true });
});

async function load(
  name: string,
  bytes: Buffer,
  options: { deadlineMs?: number; signature?: Signature; admission?: AdmissionRules } = {},
) {
  const file = path.join(folder, name);
  await writeFile(file, bytes);
  const predictor = await loadPredictor({ file, signature, ...options });
  open.push(predictor);
  return predictor;
}

/** How many inference processes of this one live; null where there is no /proc. */
async function workers(): Promise<number | null> {
  if (process.platform !== 'linux') return null;
  const all = await Promise.all(
    (await readdir('/proc'))
      .filter((name) => /^\d+$/.test(name))
      .map(async (pid) => {
        const [stat, command] = await Promise.all(
          ['stat', 'cmdline'].map((name) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '')),
        );
        return stat!.includes(`) R ${process.pid} `) || stat!.includes(`) S ${process.pid} `)
          ? command!.includes('onnxruntime-worker')
          : false;
      }),
  );
  return all.filter(Boolean).length;
}

describe('a predictor in a process of its own', () => {
  it('predicts rows in their order, in one batch, in several and alone', async () => {
    const predictor = await load('abs.onnx', unaryModel('Abs'));
    const rows = 2 * batchRows + 5;
    const x = Float64Array.from({ length: rows }, (_, i) => -i / 2);
    const together = await predictor.predict({ x }, rows);
    expect(together).toEqual(x.map((value) => -value));
    const alone = await Promise.all(
      [7, batchRows, rows - 1].map((i) => predictor.predict({ x: x.subarray(i, i + 1) }, 1)),
    );
    expect(alone.map(([value]) => value)).toEqual([3.5, batchRows / 2, (rows - 1) / 2]);
  });

  it('takes null for NaN, and refuses NaN, infinite values and what is no probability, naming the rows', async () => {
    const log = await load('log.onnx', unaryModel('Log'));
    await expect(log.predict({ x: [1, null, 0] }, 3)).rejects.toMatchObject({
      code: 'prediction_invalid',
      message: '2 of 3 predictions are no finite number (row 2: NaN, row 3: -Infinity).',
    });
    await expect(log.predict({ x: [1] }, 1)).resolves.toEqual(Float64Array.of(0));
    const exp = await load('exp.onnx', unaryModel('Exp'), {
      signature: { ...signature, task: 'classification' },
    });
    await expect(exp.predict({ x: [-1, 1] }, 2)).rejects.toMatchObject({ code: 'prediction_invalid' });
  });

  it('refuses features that are missing, too short or of another type', async () => {
    const predictor = await load('types.onnx', unaryModel('Abs'));
    for (const features of [{}, { x: ['a'] }, { x: [] }, { __proto__: { x: [1] } }]) {
      await expect(predictor.predict(features as never, 1)).rejects.toMatchObject({
        code: 'model_signature',
      });
    }
    await expect(predictor.predict({ x: [true] }, 1)).resolves.toEqual(Float64Array.of(1));
  });

  it('kills a model that does not answer, and the caller stays awake', async () => {
    const before = await workers();
    const predictor = await load('endless.onnx', endlessModel(), {
      deadlineMs: 300,
      admission: { allow: ['Loop'] },
    });
    if (before !== null) expect(await workers()).toBe(before + 1);
    let ticks = 0;
    const clock = setInterval(() => ticks++, 10);
    const started = performance.now();
    await expect(predictor.predict({ x: [1] }, 1)).rejects.toMatchObject({
      code: 'inference_failed',
      message: expect.stringContaining('within 300 ms'),
    });
    clearInterval(clock);
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(ticks).toBeGreaterThan(10);
    await expect.poll(workers).toBe(before);
    await expect(predictor.predict({ x: [1] }, 1)).rejects.toMatchObject({ code: 'inference_failed' });
  });

  it('admits a file by its content before the runtime sees it', async () => {
    const pickle = Buffer.from('\x80\x04\x95\x05\x00', 'latin1');
    for (const [name, bytes, says] of [
      ['pickle.onnx', pickle, 'Python pickle'],
      ['endless-refused.onnx', endlessModel(), 'Loop'],
      ['broken.onnx', Buffer.from('nonsense'), 'not a whole ONNX file'],
    ] as const) {
      await expect(load(name, bytes)).rejects.toMatchObject({
        code: 'model_refused',
        where: 'model.onnx',
        message: expect.stringContaining(says),
      });
    }
  });

  it('says why an admitted file does not load', async () => {
    await expect(load('unknown-version.onnx', unaryModel('Abs', 9_999))).rejects.toMatchObject({
      code: 'inference_failed',
      message: expect.stringContaining('cannot be loaded'),
    });
  });

  it('can be closed twice, and then answers no more', async () => {
    const predictor = await load('close.onnx', unaryModel('Abs'));
    const asked = predictor.predict({ x: [1] }, 1);
    await asked;
    await Promise.all([predictor.close(), predictor.close()]);
    await expect(predictor.predict({ x: [1] }, 1)).rejects.toMatchObject({ code: 'inference_failed' });
  });
});
