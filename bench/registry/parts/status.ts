/**
 * `modelgate status --all` over 1,000 models of 1,000 versions each. Of a log only what is after its last
 * checkpoint is written: no more of it is read. Options: the number of models, then of versions.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { PartOptions } from '../../../scripts/parts.ts';
import { silentLogger } from '../../../src/logger.ts';
import { checkpointKey, writeCheckpoint, writeHint } from '../../../src/registry/caches.ts';
import { runStage, type StageContext } from '../../../src/stages/define.ts';
import { statusAll } from '../../../src/stages/status-all.ts';
import { FileSystemStorage } from '../../../src/store/file-system.ts';
import { keys } from '../../../src/store/keys.ts';
import { GeneratedLog } from '../log-generator.ts';
import { inProcess, measure, openRegistry, printTable } from '../measure.ts';

export async function run({ args }: PartOptions): Promise<boolean> {
  const [models = 1000, versions = 1000] = args.map(Number);
  const folder = mkdtempSync(path.join(tmpdir(), 'modelgate-bench-'));
  try {
    const began = performance.now();
    await writeModels(folder, { models, versions });
    console.log(`${models} models written in ${((performance.now() - began) / 1000).toFixed(1)} s`);
    const figures = inProcess(import.meta.filename, [folder]);
    const { wall_ms, cpu_ms, reads } = figures;
    const each = (value: number) => (value / models).toFixed(1);
    printTable([
      { models, versions, ...figures, 'wall_ms/model': each(wall_ms), 'cpu_ms/model': each(cpu_ms) },
    ]);
    const all = figures.told === models && figures.unreadable === 0;
    const few = reads <= models * 110;
    console.log(`all models told: ${all ? 'yes' : 'NO'}; at most 110 reads a model: ${few ? 'yes' : 'NO'}`);
    return all && few;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The same history for every model: a log does not hold the model's name. */
async function writeModels(
  folder: string,
  { models, versions }: { models: number; versions: number },
): Promise<void> {
  const storage = new FileSystemStorage(folder);
  // half way between two checkpoints
  const entries = Math.ceil((versions * 3) / 100) * 100 + 50;
  const log = new GeneratedLog({ model: 'bench', entries, versions });
  const tail: { seq: number; bytes: Buffer }[] = [];
  let checkpoint = log.state();
  for (const { entry, bytes } of log.entries()) {
    if (entry.seq === entries - 50) checkpoint = log.state();
    if (entry.seq >= entries - 50) tail.push({ seq: entry.seq, bytes });
  }
  const { seq, head } = log.state();
  for (let number = 1; number <= models; number += 1) {
    const model = `model-${number}`;
    mkdirSync(path.join(folder, 'log', model), { recursive: true });
    for (const one of tail) writeFileSync(path.join(folder, keys.log(model, one.seq)), one.bytes);
    await writeCheckpoint(storage, { ...checkpoint, model });
    if (head !== null) await writeHint(storage, model, { seq, head });
  }
  const size = await storage.size(checkpointKey('model-1', checkpoint.seq));
  console.log(`${entries} entries a log, ${Math.round((size ?? 0) / 1000)} kB a checkpoint`);
}

if (import.meta.main) {
  const [folder = ''] = process.argv.slice(2);
  const { registry, storage } = openRegistry(folder);
  const context = {
    registry,
    now: () => new Date(),
    signal: new AbortController().signal,
    logger: silentLogger,
  };
  await measure(storage, async () => {
    const { outputs } = await runStage(statusAll, {}, context as unknown as StageContext);
    const told = outputs.models ?? [];
    return { told: told.length, unreadable: told.filter(({ problem }) => problem !== null).length };
  });
}
