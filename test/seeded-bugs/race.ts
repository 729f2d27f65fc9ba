import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { patient } from '../registry/races/place.ts';
import { runRace } from '../registry/races/race.ts';

/** A small race on a folder; what its processes were told that is not true, or has no order. */
export async function raceOnFolder(env: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'modelgate-race-'));
  try {
    const place = { url: path.join(folder, 'store'), cache: path.join(folder, 'cache'), patience: patient };
    const { lies, disorder, verification } = await runRace({
      place,
      env,
      processes: 4,
      operations: 48,
      seed: 3,
    });
    const unsound = verification.answer === 'sound' ? [] : [`verify: ${verification.answer}`];
    return [...lies, ...disorder, ...unsound];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
