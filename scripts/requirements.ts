/** Prints the ledger: each requirement id with the tests whose names carry it. */
import { glob, readFile } from 'node:fs/promises';

const ledger = await readFile('docs/requirements.md', 'utf8');
const ids = [...ledger.matchAll(/^- \*\*([A-Z]{3}-\d+)\*\*/gm)].map(([, id = '']) => id);
const tests = new Map<string, string[]>(ids.map((id) => [id, []]));
const unknown: string[] = [];
for await (const file of glob('test/**/*.test.ts')) {
  const text = await readFile(file, 'utf8');
  for (const [, , name = ''] of text.matchAll(
    // the name stands first in a call: it('…'), it.each(table)('…')
    /\(\s*(['"`])(\[[A-Z]{3}-(?:\\.|(?!\1).)*)\1/gs,
  )) {
    for (const [, list = ''] of name.matchAll(/\[([A-Z]{3}-\d+(?:[ ,]+[A-Z]{3}-\d+)*)\]/g)) {
      for (const id of list.split(/[ ,]+/)) {
        const known = tests.get(id);
        if (known === undefined) unknown.push(`${id} in ${file}`);
        else known.push(`${file}: ${name.replace(/\s*\[[^\]]*\]\s*/g, ' ').trim()}`);
      }
    }
  }
}
for (const [id, names] of tests) {
  console.log(names.length === 0 ? `${id}  none` : `${id}  ${names.length}`);
  for (const name of names) console.log(`       ${name}`);
}
const shown = [...tests.values()].filter((names) => names.length > 0).length;
console.log(`\n${shown} of ${ids.length} requirements are named by a test.`);
if (unknown.length > 0) {
  console.error(`Unknown ids: ${unknown.join('; ')}`);
  process.exitCode = 1;
}
