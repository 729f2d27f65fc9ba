import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { SeededBug } from './bugs.ts';
import { runWithBug } from './run.ts';

/** What `prove.ts` runs in a process that may have a bug, and a race, whose processes have it. */
export type ShortProof = SingleProof | 'race';
export type SingleProof =
  | 'flips'
  | 'anchors'
  | 'survival'
  | 'names'
  | 'archives'
  | 'handoffs'
  | 'links'
  | 'moves'
  | 'faults';

const program = (...parts: string[]) => path.join(import.meta.dirname, ...parts);

/** What its proof found wrong with a bug; nothing when the bug went unnoticed. */
export async function findingsOf(bug: SeededBug): Promise<readonly string[]> {
  if (bug.proof !== undefined) return findingsBy(bug.proof, bug.name);
  switch (bug.caughtBy) {
    case 'crash':
      return (await import('../registry/crash/proofs.ts')).findingsWithBug(bug.name);
    case 'gc':
      return interleavings(bug.name);
    default:
      throw new Error(`no proof is named for the seeded bug ${bug.name}`);
  }
}

/** Runs a short proof on our modules with a bug or (null) as they are. Throws when it cannot be run. */
export async function findingsBy(proof: ShortProof, bug: string | null): Promise<readonly string[]> {
  if (proof === 'race') return race(bug);
  const { code, stdout, stderr } = await runWithBug({ bug, program: program('prove.ts'), args: [proof] });
  if (code !== 0) throw new Error(`the proof ${proof} with ${bug ?? 'no bug'} did not run: ${stderr}`);
  return JSON.parse(stdout) as string[];
}

/** A bug of garbage collection may hide in so many interleavings. */
async function interleavings(bug: string): Promise<readonly string[]> {
  const run = program('..', 'registry', 'gc', 'run.ts');
  const { code, stdout, stderr } = await runWithBug({ bug, program: run, args: ['1', '300'] });
  if (code === 0) return [];
  // a program that could not be started proves nothing
  if (code !== 1 || !stdout.includes('"missing"')) throw new Error(stderr);
  return [stdout.trim()];
}

async function race(bug: string | null): Promise<readonly string[]> {
  const { raceOnFolder } = await import('./race.ts');
  const switched = `--import=${pathToFileURL(program('switch.ts')).href}`;
  return raceOnFolder({ NODE_OPTIONS: switched, SEEDED_BUG: bug ?? '' });
}
