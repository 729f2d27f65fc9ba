import { spawn } from 'node:child_process';
import path from 'node:path';

/** Runs a program of ours, with a seeded bug or (null) as it is; resolves to its exit code and what it wrote. */
export function runWithBug(request: {
  bug: string | null;
  program: string;
  args?: readonly string[];
  env?: Readonly<Record<string, string>>;
}): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { bug, program, args = [], env = {} } = request;
  const child = spawn(
    process.execPath,
    ['--import', path.join(import.meta.dirname, 'switch.ts'), program, ...args],
    { env: { ...process.env, ...env, SEEDED_BUG: bug ?? '' }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const text = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text.stdout += part;
  });
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    text.stderr += part;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...text }));
  });
}
