import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import type { Operation } from './history.ts';

const tools =
  process.env.MODELGATE_TOOLS ??
  path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache'), 'modelgate-tools');
const checker = path.join(tools, 'bin', 'porcupine');

/** What is said where the checker is not built; null when it is. Under CI it must be. */
export function noPorcupine(): string | null {
  return process.env.CI || existsSync(checker) ? null : 'no porcupine checker: run scripts/install-tools.sh';
}

/** `unknown`: no answer in the time given. */
export const PorcupineAnswer = z.enum(['ok', 'illegal', 'unknown']);
export type PorcupineAnswer = z.infer<typeof PorcupineAnswer>;

/**
 * Asks porcupine (chaos/registry/porcupine), which searches through the orders of a history, whether each of these is
 * linearizable. Its time grows steeply with operations that overlap: more than 16 clients are not for it.
 */
export async function askPorcupine(
  histories: readonly (readonly Operation[])[],
  { seconds = 60 }: { seconds?: number } = {},
): Promise<PorcupineAnswer[]> {
  const child = spawn(checker, ['-seconds', String(seconds)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`porcupine ended with ${code}`))));
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(JSON.stringify(histories));
  const [said] = await Promise.all([text(child.stdout), ended]);
  return z.array(PorcupineAnswer).length(histories.length).parse(JSON.parse(said));
}
