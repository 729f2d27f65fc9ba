import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { Place } from './place.ts';

/** What one racing process is to do. */
export const ClientSpec = z.object({
  place: Place,
  model: z.string(),
  environment: z.string(),
  /** Counts from 0; client n promotes version n + 1. */
  client: z.number().int(),
  operations: z.number().int(),
  seed: z.number().int(),
  /** `process.hrtime.bigint()` of whoever set up the race: its times begin there. */
  origin: z.string(),
});
export type ClientSpec = z.infer<typeof ClientSpec>;

/**
 * For a process that was started by `runTogether`: says that it is ready, and waits until all are. It ends with the
 * one who started it.
 */
export async function atTheSignal(): Promise<void> {
  tell('ready');
  process.stdin.once('end', () => process.exit(1));
  await once(process.stdin, 'data');
  (process.stdin as Socket).unref();
}

/** Writes a line of JSON at once: what was told before a crash was told. */
export function tell(line: unknown): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

/** How many processes load their code at the same time: on few cores all at once would only wait for each other. */
const startingAtOnce = 8;

/**
 * Runs one process of `script` for each specification: starts all, waits until each is ready, gives them the signal
 * together. Resolves to the lines that they told, by process. Throws when one fails; none is left behind.
 */
export async function runTogether(request: {
  script: string;
  specs: readonly unknown[];
  env: Readonly<Record<string, string>>;
}): Promise<unknown[][]> {
  const children: Started[] = [];
  try {
    for (const spec of request.specs) {
      children.push(start(request.script, spec, request.env));
      const waiting = children.at(-startingAtOnce);
      if (waiting !== undefined && children.length >= startingAtOnce) await waiting.ready;
    }
    await Promise.all(children.map(({ ready }) => ready));
    for (const { child } of children) child.stdin?.write('go\n');
    return await Promise.all(children.map(({ ended }) => ended));
  } finally {
    for (const { child } of children) child.kill('SIGKILL');
  }
}

interface Started {
  child: ChildProcess;
  ready: Promise<void>;
  ended: Promise<unknown[]>;
}

function start(script: string, spec: unknown, env: Readonly<Record<string, string>>): Started {
  const child = spawn(process.execPath, [script, JSON.stringify(spec)], {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.on('error', () => undefined); // it ended before the signal: its exit code tells
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-4000);
  });
  const lines: unknown[] = [];
  const reader = createInterface({ input: child.stdout });
  const first = new Promise<void>((resolve) => reader.once('line', () => resolve()));
  reader.on('line', (line) => lines.push(JSON.parse(line)));
  const ended = Promise.all([once(child, 'exit'), once(reader, 'close')]).then(([[code, signal]]) => {
    if (code !== 0) throw new Error(`a process ended with ${code ?? signal}: ${errors}`);
    return lines.slice(1);
  });
  ended.catch(() => undefined); // whoever waits for it sees it
  return { child, ready: Promise.race([first, ended.then(() => undefined)]), ended };
}
