/**
 * `registry verify` sees every damage with its place, tells histories apart by their anchors, and survives whatever
 * stands in a store.
 *
 *   npm run chaos:registry -- verify [--flips 1000] [--mutants 10000] [--seed 1]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { PartOptions } from '../../../scripts/parts.ts';
import { isRight, tryAnchors } from '../../../test/registry/verify/anchor-cases.ts';
import { flipBits } from '../../../test/registry/verify/bit-flips.ts';
import { surviveMutants } from '../../../test/registry/verify/survival.ts';

/** MiB that verifying a spoilt registry may take, the test's own included. */
const memoryLimit = 1024;

export async function run({ args }: PartOptions): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      flips: { type: 'string', default: '1000' },
      mutants: { type: 'string', default: '10000' },
      seed: { type: 'string', default: '1' },
    },
  });
  const seed = Number(values.seed);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'modelgate-verify-'));
  try {
    const flipped = await provesFlips(path.join(folder, 'flips'), Number(values.flips), seed);
    const anchored = await provesAnchors(path.join(folder, 'anchors'));
    const survived = await provesSurvival(path.join(folder, 'mutants'), Number(values.mutants), seed);
    return flipped && anchored && survived;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function provesFlips(folder: string, count: number, seed: number): Promise<boolean> {
  const { flips, places, unseen } = await flipBits({ folder, count, seed });
  const hit = Object.entries(places).map(([place, number]) => `${number} in ${place}`);
  console.log(
    `single bit flips: ${flips} (${hit.join(', ')}), reported with their key: ${flips - unseen.length}`,
  );
  for (const one of unseen.slice(0, 10)) console.log(`  unseen: ${one}`);
  return unseen.length === 0;
}

async function provesAnchors(folder: string): Promise<boolean> {
  const cases = await tryAnchors(folder);
  console.log('histories: what was done | one anchor | two anchors | no anchor');
  for (const one of cases) {
    console.log(`  ${isRight(one) ? 'right' : 'WRONG'}: ${one.what} | ${one.one} | ${one.two} | ${one.none}`);
  }
  return cases.every(isRight);
}

async function provesSurvival(folder: string, count: number, seed: number): Promise<boolean> {
  const tell = (done: number) => {
    if (done % 1000 === 0) console.log(`  ${done} mutants`);
  };
  const { mutants, answers, slowest, memory, failures } = await surviveMutants({ folder, count, seed, tell });
  const told = Object.entries(answers).map(([answer, number]) => `${answer} ${number}`);
  console.log(
    `mutated registries: ${mutants}; ${told.join(', ')}; slowest ${slowest.toFixed(2)} CPU seconds; at most ${memory} MiB; ` +
      `crashed, hung or wrong: ${failures.length}`,
  );
  for (const one of failures.slice(0, 10)) console.log(`  ${one}`);
  return failures.length === 0 && memory <= memoryLimit;
}
