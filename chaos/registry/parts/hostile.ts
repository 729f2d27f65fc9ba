/**
 * No name, archive or link leads out of the store, and none makes it hang.
 *
 *   npm run chaos:registry -- hostile [--names 10000] [--traced 500] [--archives 500] [--seed 1]
 *     [--only names|calls|archives|handoffs|links]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { PartOptions } from '../../../scripts/parts.ts';
import { noStrace } from '../../../test/registry/crash/strace.ts';
import { tryArchives } from '../../../test/store/hostile-archives.ts';
import { traceNames } from '../../../test/store/hostile-calls.ts';
import { tryHandoffs } from '../../../test/store/hostile-handoffs.ts';
import { tryLinks } from '../../../test/store/hostile-links.ts';
import { tryNames } from '../../../test/store/hostile-names.ts';

export async function run({ args }: PartOptions): Promise<boolean> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      names: { type: 'string', default: '10000' },
      traced: { type: 'string', default: '500' },
      archives: { type: 'string', default: '500' },
      seed: { type: 'string', default: '1' },
      only: { type: 'string' },
    },
  });
  const seed = Number(values.seed);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'modelgate-hostile-'));
  const proofs: Record<string, () => Promise<readonly string[]>> = {
    names: () => names(path.join(folder, 'names'), Number(values.names), seed),
    calls: () => calls(path.join(folder, 'calls'), Number(values.traced), seed),
    archives: () => archives(path.join(folder, 'archives'), Number(values.archives), seed),
    handoffs: () => handoffs(path.join(folder, 'handoffs')),
    links: () => links(path.join(folder, 'links')),
  };
  const problems: string[] = [];
  try {
    for (const [name, prove] of Object.entries(proofs)) {
      if (values.only === undefined || values.only === name) problems.push(...(await prove()));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  for (const problem of problems.slice(0, 20)) console.log(`  ${problem}`);
  console.log(`problems in all: ${problems.length}`);
  return problems.length === 0;
}

async function names(jail: string, count: number, seed: number) {
  const found = await tryNames({ jail, count, seed });
  console.log(
    `hostile names: ${found.names}, at all entrances ${found.tried}, let in as plain names ${found.accepted}, ` +
      `problems ${found.problems.length}`,
  );
  return found.problems;
}

async function calls(jail: string, count: number, seed: number) {
  const missing = noStrace();
  if (missing !== null) return [missing];
  const found = traceNames({ jail, count, seed });
  console.log(
    `system calls of ${found.names} hostile names: ${found.changing} that change a file, problems ${found.problems.length}`,
  );
  return found.problems;
}

async function archives(jail: string, count: number, seed: number) {
  const found = await tryArchives({ jail, count, seed });
  console.log(
    `crafted archives: ${found.archives}, refused ${found.refused}, harmless ${found.unpacked}; slowest ` +
      `${found.slowest.toFixed(2)} CPU seconds, at most ${found.growth} MiB more; problems ${found.problems.length}`,
  );
  return found.problems;
}

async function handoffs(jail: string) {
  const found = await tryHandoffs(jail);
  console.log(
    `links, pipes and folders in a hand-off: ${found.handoffs}, refused ${found.refused}, ` +
      `problems ${found.problems.length}`,
  );
  return found.problems;
}

async function links(jail: string) {
  const found = await tryLinks(jail);
  console.log(
    `links, pipes and folders in a store: ${found.cases}, operations ${found.operations}, refused ${found.refused}, ` +
      `problems ${found.problems.length}`,
  );
  return found.problems;
}
