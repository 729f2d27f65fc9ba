import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { DiskState } from './disk-states.ts';
import { nextCommand, problemsOf } from './soundness.ts';
import type { Acknowledged } from './told.ts';

/** Makes a state of the disk real in the folder `top`, judges it, and runs the next command on it. */
export async function problemsAfterRestart(
  state: DiskState,
  at: { top: string; store: string; acknowledged: readonly Acknowledged[]; next: readonly string[] },
): Promise<string[]> {
  try {
    mkdirSync(at.top, { recursive: true });
    for (const folder of state.folders) mkdirSync(path.join(at.top, folder), { recursive: true });
    for (const [file, bytes] of state.files) writeFileSync(path.join(at.top, file), bytes);
    const problems = await problemsOf(at.store, at.acknowledged);
    if (problems.length > 0) return problems;
    const failed = await nextCommand(at.store, at.next);
    return failed === null ? await problemsOf(at.store, at.acknowledged) : [failed];
  } finally {
    rmSync(at.top, { recursive: true, force: true });
  }
}
