import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { environmentOf } from '../../src/registry/state.ts';
import { verify } from '../../src/registry/verify.ts';
import { FileSystemStorage } from '../../src/store/file-system.ts';
import { model, openRegistry, registerVersions, temporaryFolder } from './world.ts';

interface Line {
  op_id: string;
  status: string;
  generation?: number;
  seq?: number;
}

const script = join(import.meta.dirname, 'promoter.ts');

function start(folder: string, mode: 'race' | 'loop', id: number, rounds: number) {
  const child: ChildProcess = spawn(process.execPath, [script, folder, mode, String(id), String(rounds)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines: (Line | 'ready')[] = [];
  const reader = createInterface({ input: child.stdout! });
  reader.on('line', (line) => lines.push(JSON.parse(line)));
  const first = once(reader, 'line');
  const ended = Promise.all([once(child, 'exit'), once(reader, 'close')]);
  return { child, lines, first, ended };
}

const answerOf = async (folder: string) =>
  verify(new FileSystemStorage(folder), { anchor: null, read_data: true });

describe('processes', () => {
  it('16 promoters at once: exactly one winner a generation', { timeout: 120_000 }, async () => {
    const folder = temporaryFolder();
    await registerVersions(openRegistry(folder), 16);
    const rounds = 6;
    const racers = Array.from({ length: 16 }, (_, id) => start(folder, 'race', id, rounds));
    await Promise.all(racers.map(({ first }) => first));
    writeFileSync(join(folder, 'go'), '');
    await Promise.all(racers.map(({ ended }) => ended));
    const lines = racers.flatMap((racer) => racer.lines).filter((line) => line !== 'ready');
    expect(lines).toHaveLength(16 * rounds);
    const won = lines.filter(({ status }) => status === 'committed');
    expect(won.map(({ generation }) => generation).sort()).toEqual([1, 2, 3, 4, 5, 6]);
    const lost = lines.filter(({ status }) => status !== 'committed' && status !== 'nothing');
    expect(new Set(lost.map(({ status }) => status))).toEqual(new Set(['generation_moved']));
    const { history } = environmentOf(await openRegistry(folder).state(model), 'staging');
    expect(history.map(({ seq }) => seq).sort()).toEqual(won.map(({ seq }) => seq).sort());
    expect(await answerOf(folder)).toMatchObject({ answer: 'sound', missing: [], bad: [] });
  });

  it('a promoter killed at any moment: the store stays sound, nothing acknowledged is lost', {
    timeout: 120_000,
  }, async () => {
    const folder = temporaryFolder();
    await registerVersions(openRegistry(folder), 2);
    const acknowledged: Line[] = [];
    for (let run = 0; run < 20; run += 1) {
      const { child, lines, first, ended } = start(folder, 'loop', run, 100_000);
      await first;
      while (lines.length < 2 + (run % 3)) await sleep(1);
      await sleep((run * 37) % 101);
      child.kill('SIGKILL');
      await ended;
      acknowledged.push(...lines.filter((line) => line !== 'ready'));
      expect(await answerOf(folder)).toMatchObject({ answer: 'sound', missing: [], bad: [] });
      const { op_ids } = await openRegistry(folder).state(model);
      const lost = acknowledged.filter(
        ({ op_id, status, seq }) => status === 'committed' && op_ids.get(op_id) !== seq,
      );
      expect(lost).toEqual([]);
    }
    expect(acknowledged.filter(({ status }) => status === 'committed').length).toBeGreaterThanOrEqual(20);
  });
});
