import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { openDuckDb } from '../../src/data/duckdb.ts';
import type { SqlEngine } from '../../src/data/engine.ts';
import type { FeatureColumns, Predictor, Signature } from '../../src/evaluation/predictor.ts';
import { sha256 } from '../../src/json.ts';
import type { Logger } from '../../src/logger.ts';
import type { EnvironmentPointer, EnvironmentPosition } from '../../src/serving/follower.ts';

export const signature: Signature = {
  inputs: [
    { name: 'distance', type: 'float32' },
    { name: 'hour', type: 'int64' },
    { name: 'carrier', type: 'string' },
    { name: 'holiday', type: 'bool' },
  ],
  task: 'classification',
  output: 'probability',
};

export const manifestOf = (version: number) => sha256(`model ${version}`);

/** A predictor whose values tell who computed them: version + row's distance / 1000. */
export class FakePredictor implements Predictor {
  readonly signature = signature;
  readonly version: number;
  readonly delayMs: number;
  closed = false;
  fails = false;
  hangs = false;
  calls = 0;

  constructor(version: number, delayMs = 0) {
    this.version = version;
    this.delayMs = delayMs;
  }

  async predict(features: FeatureColumns, rows: number): Promise<Float64Array> {
    this.calls += 1;
    if (this.closed) throw new Error('closed');
    if (this.fails) throw new Error('the process ended');
    if (this.hangs) await new Promise(() => {});
    if (this.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.delayMs));
    return Float64Array.from(
      { length: rows },
      (_, row) => this.version + Number(features.distance?.[row] ?? 0) / 1000,
    );
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

/** An environment that a test moves by hand. */
export class FakePointer implements EnvironmentPointer {
  position: EnvironmentPosition | null = null;
  error: Error | null = null;

  move(version: number): void {
    const generation = (this.position?.generation ?? 0) + 1;
    this.position = { version, manifest: manifestOf(version), generation };
  }

  async current(): Promise<EnvironmentPosition | null> {
    if (this.error !== null) throw this.error;
    return this.position;
  }
}

export class RecordingLogger implements Logger {
  readonly lines: string[] = [];
  info(message: string): void {
    this.lines.push(message);
  }
  warn(message: string): void {
    this.lines.push(message);
  }
  debug(): void {}
}

export async function temporaryFolder(): Promise<{ folder: string; [Symbol.asyncDispose](): Promise<void> }> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'modelgate-serving-'));
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

export function engineIn(folder: string): () => Promise<SqlEngine> {
  return () => openDuckDb({ workDirectory: path.join(folder, 'duckdb') });
}

export async function until(condition: () => boolean, ms = 5000): Promise<void> {
  const end = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > end) throw new Error('it did not come true in time');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export function body(rows: number, parameters: Record<string, unknown> = {}, id?: string) {
  const tensor = (name: string, datatype: string, data: unknown[]) => ({
    name,
    datatype,
    shape: [rows, 1],
    data,
  });
  const numbers = Array.from({ length: rows }, (_, row) => row);
  return {
    ...(id === undefined ? {} : { id }),
    parameters,
    inputs: [
      tensor('distance', 'FP32', numbers),
      tensor(
        'hour',
        'INT64',
        numbers.map((row) => row % 24),
      ),
      tensor(
        'carrier',
        'BYTES',
        numbers.map((row) => (row % 3 === 0 ? null : 'UA')),
      ),
      tensor(
        'holiday',
        'BOOL',
        numbers.map((row) => row % 2 === 0),
      ),
    ],
  };
}
