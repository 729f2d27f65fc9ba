import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { openDuckDb } from '../../src/data/duckdb.ts';

const root = path.join(import.meta.dirname, '../..');
export const binary = path.join(root, 'bin/modelgate.js');
export const goodScript = fileURLToPath(new URL('train.py', import.meta.url));

/** Two months of made-up orders; one of the last weeks has a weight like no other. */
export const goodRows = `
  SELECT i AS id, TIMESTAMP '2024-01-01' + to_minutes(CAST(i * 29 AS BIGINT)) AS placed,
    round(sin(i * 12.9898) * 3, 3) AS distance,
    CASE WHEN i = 2900 THEN 500 ELSE i * 7919 % 100 / 10.0 END AS weight,
    ['red', 'green', 'blue'][1 + i * 31 % 3] AS colour,
    sin(i * 12.9898) + (i * 7919 % 100) / 100.0 + sin(i * 78.233) > 0.4 AS late
  FROM range(2950) AS numbers(i)`;

const featureSql = 'SELECT id, placed, late, distance, weight, colour FROM orders\n';

/** Orders of the last weeks, which no training sees. */
const evaluationRows = `SELECT id, late FROM (${goodRows}) WHERE placed >= TIMESTAMP '2024-02-15' ORDER BY id`;

const configuration = (sha256: string) => `
schema: modelgate/1
model: late-orders
as_of: 2024-03-01
data:
  sources: { orders: { file: orders.parquet, time: placed } }
  window: { from: 2024-01-01, until: 2024-02-15 }
features: { sql: features.sql, key: id, time: placed, label: late }
split: { by: time, validation: 0.2 }
train:
  script: train.py
  requirements: requirements.lock
  task: classification
  seed: 5
  timeout: 2m
evaluation:
  id: orders-2024-02
  file: evaluation.parquet
  sha256: ${sha256}
  window: { from: 2024-02-15, until: 2024-03-01 }
gate:
  metrics: [{ metric: auc, role: primary, margin: 0.02 }]
  floors: [{ metric: auc, min: 0.55 }]
`;

/** What a process of the command line left. */
export interface Answer {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** The one object of `--json`; null when there is none. */
  json: Outcome | null;
  seconds: number;
}

export interface Outcome {
  verdict: string;
  reason_code: string;
  answer?: string;
  version?: number | null;
  error?: { code: string; message: string; where: string | null; fix: string };
  stages?: { stage: string; verdict: string; cached: boolean }[];
}

export interface Call {
  args: string[];
  cwd: string;
  env?: Record<string, string>;
  /** Ctrl-C on the whole foreground group, so many milliseconds after `begun` says that the work began. */
  interrupt?: { after: number; begun(): Promise<void> };
}

/** Runs a command line as a terminal does: in a process group of its own. */
export async function modelgate({ args, cwd, env, interrupt }: Call): Promise<Answer> {
  const started = performance.now();
  const child = spawn(process.execPath, [binary, ...args, '--json'], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const pressed = interrupt?.begun().then(async () => {
    await sleep(interrupt.after);
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGINT');
  });
  const ended = await new Promise<Pick<Answer, 'code' | 'signal'>>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  await pressed;
  const seconds = (performance.now() - started) / 1000;
  return { ...ended, stdout, stderr, json: parseOne(stdout), seconds };
}

export function parseOne(stdout: string): Outcome | null {
  return stdout.trim() === '' ? null : (JSON.parse(stdout) as Outcome);
}

/** A model repository in a temporary folder, small enough that a whole run takes seconds. */
export class Project {
  readonly folder: string;
  private constructor(folder: string) {
    this.folder = folder;
  }

  static async make(): Promise<Project> {
    const project = new Project(await mkdtemp(path.join(os.tmpdir(), 'modelgate-bad-input-')));
    await project.write('orders.parquet', goodRows);
    await project.write('evaluation.parquet', evaluationRows);
    const set = await readFile(project.file('evaluation.parquet'));
    await writeFile(
      project.file('modelgate.yaml'),
      configuration(createHash('sha256').update(set).digest('hex')),
    );
    await writeFile(project.file('features.sql'), featureSql);
    await cp(path.join(root, 'examples/flights/train/requirements.lock'), project.file('requirements.lock'));
    await cp(goodScript, project.file('train.py'));
    return project;
  }

  file(name: string): string {
    return path.join(this.folder, name);
  }

  /** Writes a query's rows as a Parquet file. */
  async write(name: string, sql: string): Promise<void> {
    const engine = await openDuckDb({ workDirectory: path.join(this.folder, 'work') });
    try {
      await engine.writeParquet(sql, this.file(name));
    } finally {
      await engine.close();
    }
  }

  async script(text: string): Promise<void> {
    await writeFile(this.file('train.py'), text);
  }

  /** Everything as it was made; the store stays. */
  async mend(): Promise<void> {
    await this.write('orders.parquet', goodRows);
    await cp(goodScript, this.file('train.py'));
  }

  run(options: Partial<Call> = {}): Promise<Answer> {
    return modelgate({ args: ['run'], cwd: this.folder, ...options });
  }

  /** Another store in the same folder, for runs that must begin anew. */
  store(name: string): string {
    return this.file(path.join('stores', name));
  }

  async close(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
