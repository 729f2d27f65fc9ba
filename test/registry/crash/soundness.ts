import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { errorRecord } from '../../../src/errors.ts';
import { decodeEntry } from '../../../src/registry/chain.ts';
import { verify } from '../../../src/registry/verify.ts';
import { FileSystemStorage } from '../../../src/store/file-system.ts';
import { keys } from '../../../src/store/keys.ts';
import { Store } from '../../../src/store/store.ts';
import { Operations } from './operations.ts';
import type { Acknowledged } from './told.ts';

/** What is wrong with a registry after a crash, each in a sentence; nothing when it is sound and complete. */
export async function problemsOf(folder: string, acknowledged: readonly Acknowledged[]): Promise<string[]> {
  const problems: string[] = [];
  // before its first operation was acknowledged a store need not be there
  if (existsSync(folder) || acknowledged.length > 0) {
    const found = await verify(new FileSystemStorage(folder), { anchor: null, read_data: true });
    if (found.answer !== 'sound') {
      const [bad] = found.bad;
      problems.push(
        `corrupt: ${found.answer} ${found.missing[0] ?? bad?.key ?? ''} ${bad?.problem ?? ''}`.trim(),
      );
    }
  }
  for (const one of acknowledged) {
    const lost = one.kind === 'entry' ? lostEntry(folder, one) : await lostRun(folder, one.manifest);
    if (lost !== null) problems.push(`lost: ${lost}`);
  }
  return problems;
}

/** Runs steps as the next command would, without any repair; gives why it failed, or null. */
export async function nextCommand(folder: string, steps: readonly string[]): Promise<string | null> {
  try {
    const operations = new Operations(folder, () => {});
    for (const step of steps) await operations.step(step);
    return null;
  } catch (error) {
    const { code, message } = errorRecord(error);
    return `the next command failed: ${code} ${message}`;
  }
}

/** Reads the entry's file itself: the proof believes no fold. */
function lostEntry(folder: string, one: Extract<Acknowledged, { kind: 'entry' }>): string | null {
  const key = keys.log(one.model, one.seq);
  const file = path.join(folder, key);
  if (!existsSync(file)) return `${key} of ${one.op_id ?? 'an earlier operation'} is gone`;
  try {
    const { entry, head } = decodeEntry(readFileSync(file), key);
    if (head !== one.head) return `${key} is another entry than was acknowledged`;
    return one.op_id === null || entry.op_id === one.op_id ? null : `${key} has another operation id`;
  } catch {
    return `${key} cannot be read`;
  }
}

/** Whether all that a stored run leads to is there, by its manifests. */
async function lostRun(folder: string, manifest: string): Promise<string | null> {
  const store = new Store(new FileSystemStorage(folder));
  const queue = [manifest];
  const seen = new Set<string>();
  try {
    for (let digest = queue.pop(); digest !== undefined; digest = queue.pop()) {
      if (seen.has(digest)) continue;
      seen.add(digest);
      const { files, inputs } = await store.readManifest(digest);
      for (const file of files) await store.readBytes(file.sha256);
      queue.push(...Object.values(inputs));
    }
    return null;
  } catch (error) {
    return `a stored run: ${errorRecord(error).message}`;
  }
}
