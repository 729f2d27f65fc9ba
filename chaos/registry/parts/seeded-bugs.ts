/**
 * Every seeded bug is switched on and its proof is run: it must find something, and without a bug nothing.
 *
 *   npm run chaos:registry -- seeded-bugs [--only PART]
 */
import { parseArgs } from 'node:util';
import type { PartOptions } from '../../../scripts/parts.ts';
import { type SeededBug, seededBugs } from '../../../test/seeded-bugs/bugs.ts';
import { findingsBy, findingsOf } from '../../../test/seeded-bugs/proofs.ts';

export async function run({ args }: PartOptions): Promise<boolean> {
  const { values } = parseArgs({ args: [...args], options: { only: { type: 'string' } } });
  const bugs = seededBugs.filter(({ caughtBy }) => values.only === undefined || caughtBy === values.only);
  const proofs = new Set(bugs.flatMap(({ proof = [] }) => proof));
  let honest = 0;
  for (const proof of proofs) {
    const findings = await told(() => findingsBy(proof, null));
    if (findings.length === 0) honest += 1;
    else console.log(`  ${proof} finds something without a bug: ${findings[0]}`);
  }
  console.log(`  short proofs that find nothing without a bug: ${honest} of ${proofs.size}`);
  console.log('  bug | what is wrong | caught by');
  let caught = 0;
  for (const bug of bugs) caught += (await isCaught(bug)) ? 1 : 0;
  console.log(`  seeded bugs caught: ${caught} of ${bugs.length}`);
  return bugs.length > 0 && caught === bugs.length && honest === proofs.size;
}

async function isCaught(bug: SeededBug): Promise<boolean> {
  const { name, what, caughtBy, proof } = bug;
  const by = proof === undefined ? caughtBy : `${caughtBy} (${proof})`;
  try {
    const [first] = await findingsOf(bug);
    console.log(`  ${name} | ${what} | ${first === undefined ? 'NOT CAUGHT by ' : ''}${by}`);
    if (first !== undefined) console.log(`    ${first.split('\n')[0]?.slice(0, 200)}`);
    return first !== undefined;
  } catch (error) {
    console.log(`  ${name} | ${what} | NOT RUN: ${String(error)}`);
    return false;
  }
}

/** A proof that cannot be run finds that. */
async function told(work: () => Promise<readonly string[]>): Promise<readonly string[]> {
  return work().catch((error: unknown) => [String(error)]);
}
