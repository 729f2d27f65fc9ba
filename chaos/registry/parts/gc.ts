/**
 * Garbage collection takes nothing that is named: uploads, registrations, promotions, cached results and collections
 * interleaved at random over one store, with processes killed between any two storage calls.
 *
 *   npm run chaos:registry -- gc [--interleavings 1000] [--seed 1]
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { PartOptions } from '../../../scripts/parts.ts';
import { seededBugs } from '../../../test/seeded-bugs/bugs.ts';
import { findingsOf } from '../../../test/seeded-bugs/proofs.ts';
import { runWithBug } from '../../../test/seeded-bugs/run.ts';

const program = path.resolve(import.meta.dirname, '../../../test/registry/gc/run.ts');

export async function run({ args }: PartOptions): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      interleavings: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '1' },
    },
  });
  const sound = await runWithBug({ bug: null, program, args: [values.seed, values.interleavings] });
  console.log(`  as it is: ${sound.stdout.trim() || sound.stderr}`);
  const bugs = seededBugs.filter(({ caughtBy }) => caughtBy === 'gc');
  let caught = 0;
  for (const bug of bugs) {
    const seen = (await findingsOf(bug)).length > 0;
    if (seen) caught += 1;
    console.log(`  ${bug.name} (${bug.what}): ${seen ? 'caught' : 'NOT caught'}`);
  }
  console.log(`  seeded bugs caught: ${caught} of ${bugs.length}`);
  return sound.code === 0 && caught === bugs.length;
}
