import { expect } from 'vitest';
import { type Answer, modelgate, type Outcome, type Project } from './project.ts';

/** A user's mistake, told as one: exit code 1, code, place and fix, and nothing that only we understand. */
export function requireClear(answer: Answer, code: string): NonNullable<Outcome['error']> {
  const said = `${answer.stdout}\n${answer.stderr}`;
  expect(answer.code, said).toBe(1);
  const error = answer.json?.error;
  expect(error, said).toBeDefined();
  expect(error?.code, said).toBe(code);
  expect(error?.where, said).toBeTruthy();
  expect(error?.fix, said).toMatch(/\w+ .*\.$/);
  expect(error?.message, said).toMatch(/\w+/);
  expect(said).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
  return error!;
}

/** The whole run passed and made a version. */
export function requireDone(answer: Answer): void {
  const said = `${answer.stdout}\n${answer.stderr}`;
  expect(answer.code, said).toBe(0);
  expect(answer.json?.verdict, said).toBe('pass');
  expect(answer.json?.version, said).toBe(1);
}

/** Every entry, manifest and object of the store is whole. */
export async function requireSound(project: Project, store?: string): Promise<void> {
  const args = ['registry', 'verify', '--read-data', ...(store === undefined ? [] : ['--store', store])];
  const answer = await modelgate({ args, cwd: project.folder });
  expect(answer.json?.answer, answer.stdout + answer.stderr).toBe('sound');
  expect(answer.code).toBe(0);
}
