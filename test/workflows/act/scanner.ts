import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { workflows } from '../templates.ts';
import { putProgram } from './stand-ins.ts';

/** The digest that the templates hold the downloaded scanner to. */
const pinned = /^ +SHA256: ([0-9a-f]{64})$/m.exec(
  workflows.find(({ file }) => file === 'train.yml')!.text,
)![1]!;

/** Lists every pinned package as OSV-Scanner does; the one that a file beside it names has a critical weakness. */
const scanner = `#!/usr/bin/env node
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
const args = process.argv.slice(2);
const after = (flag) => args[args.indexOf(flag) + 1];
if (!args.includes('--all-packages')) throw new Error('packages without findings are left out');
const lock = after('--lockfile').replace('requirements.txt:', '');
const weak = existsSync(process.env.ACT_WEAK) ? readFileSync(process.env.ACT_WEAK, 'utf8') : null;
const packages = [...readFileSync(lock, 'utf8').matchAll(/^([A-Za-z0-9._-]+)==([^ ;\\\\]+)/gm)].map(([, name, version]) => ({
  package: { name, version, ecosystem: 'PyPI' },
  ...(name === weak
    ? {
        vulnerabilities: [{ id: 'GHSA-aaaa-bbbb-cccc', aliases: ['CVE-2099-0001'] }],
        groups: [{ ids: ['GHSA-aaaa-bbbb-cccc'], aliases: ['CVE-2099-0001'], max_severity: '9.8' }],
      }
    : {}),
}));
if (packages.length === 0) process.exit(128);
const results = [{ source: { path: lock, type: 'lockfile' }, packages }];
writeFileSync(after('--output-file'), JSON.stringify({ results, experimental_config: {} }));
process.exit(packages.some(({ groups }) => groups) ? 1 : 0);
`;

/**
 * What the scan job takes from the network: \`curl\` gives a scanner of ours, and \`sha256sum\` lets it pass where it is
 * asked for the pinned digest, as the templates must; other files it checks.
 */
export async function putScanner(programs: string): Promise<void> {
  await putProgram(programs, 'osv-scanner.mjs', scanner);
  const weak = weakFile(programs);
  await putProgram(
    programs,
    'curl',
    `#!/bin/sh
set -eu
case "$*" in
  *'--output osv-scanner https://github.com/google/osv-scanner/releases/download/'*)
    printf '#!/bin/sh\\nACT_WEAK=%s exec node %s "$@"\\n' '${weak}' '${programs}/osv-scanner.mjs' > osv-scanner ;;
  *) echo "no network: $*" >&2; exit 6 ;;
esac
`,
  );
  await putProgram(
    programs,
    'sha256sum',
    `#!/bin/sh
set -eu
[ "$*" = '--check --strict' ] || exec /usr/bin/sha256sum "$@"
asked=$(cat)
[ "$asked" = '${pinned}  osv-scanner' ] || printf '%s\\n' "$asked" | /usr/bin/sha256sum "$@"
`,
  );
}

const weakFile = (programs: string) => path.join(programs, 'weak-package');

/** Names the package in which the scanner finds something critical; null: nothing. */
export async function weaken(programs: string, name: string | null): Promise<void> {
  if (name === null) await rm(weakFile(programs), { force: true });
  else await writeFile(weakFile(programs), name);
}
