import { type ChildProcess, spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { infer } from '../../src/serving/client.ts';
import { runStage } from '../../src/stages/define.ts';
import { trace } from '../../src/stages/trace.ts';
import { lineageBed, model } from '../lineage/bed.ts';

const started: ChildProcess[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

const main = path.join(import.meta.dirname, '../../src/cli/main.ts');
const columns = [
  { name: 'distance', type: 'float32' as const, values: [1] },
  { name: 'hour', type: 'float32' as const, values: [2] },
  { name: 'carrier', type: 'string' as const, values: ['AA'] },
];

async function serve(folder: string) {
  const args = [
    'serve',
    '--model',
    model,
    '--environment',
    'production',
    '--port',
    '0',
    '--json',
    '--store',
    path.join(folder, 'store'),
  ];
  const script = `import { main } from ${JSON.stringify(main)}; process.exitCode = await main(${JSON.stringify(args)});`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    cwd: folder,
    env: { ...process.env, MODELGATE_CACHE: path.join(folder, 'cache'), XDG_CACHE_HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true, // a group of its own, as a terminal makes one
  });
  started.push(child);
  let out = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const url = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.stderr.on('data', (chunk) => {
      text += chunk;
      const found = / at (http:\/\/\S+)/.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    });
    void ended.then(() => reject(new Error(`it ended: ${text}${out}`)));
  });
  return { url, pid: child.pid!, ended, out: () => out };
}

describe('modelgate serve, as a process', () => {
  it('[SRV-2] [OBS-4] ends clean on Ctrl-C; after kill -9 the next start makes the log readable', async () => {
    await using bed = await lineageBed();
    const one = await bed.train(1, { first: 1, last: 10 });
    await bed.register(1, one.manifest);
    await bed.move('promote', { version: 1, manifest: one.manifest, from: null });

    const killed = await serve(bed.folder);
    const lost = await infer({
      url: killed.url,
      model,
      columns,
      correlationId: 'before the kill'.replaceAll(' ', '-'),
    });
    await new Promise((resolve) => setTimeout(resolve, 200)); // past the fsync
    process.kill(killed.pid, 'SIGKILL');
    await killed.ended;

    const next = await serve(bed.folder);
    const kept = await infer({ url: next.url, model, columns });
    process.kill(-next.pid, 'SIGINT'); // a terminal signals the whole group, the model's process too
    expect(await next.ended).toBe(0);
    expect(JSON.parse(next.out())).toMatchObject({
      verdict: 'pass',
      stage: 'serve',
      predictions: 1,
      version: 1,
    });

    const [store = ''] = await readdir(path.join(bed.folder, 'cache', 'prediction-log'));
    const spool = path.join(bed.folder, 'cache', 'prediction-log', store, model, 'production');
    expect(await readdir(spool)).toEqual([]);
    for (const { predictionIds } of [lost, kept]) {
      const found = await runStage(
        trace,
        { model, id: predictionIds[0]!, row: null, log_directory: null },
        bed.context,
      );
      expect(found.outputs).toMatchObject({
        version: 1,
        features: { carrier: 'AA' },
        commit: '1'.repeat(40),
      });
    }
  }, 60_000);
});
