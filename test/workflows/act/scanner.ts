import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { putProgram } from './stand-ins.ts';

/** Lists every pinned package as OSV-Scanner does; the one that a file beside it names has a critical weakness. */
const scanner = `#!/usr/bin/env node
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
const args = process.argv.slice(2);
const after = (flag) => args[args.indexOf(flag) + 1];
if (!args.includes('--all-packages')) throw new Error('packages without findings are left out');
if (process.env.ACTIONS_RUNTIME_TOKEN) throw new Error('a stranger sees the token of the job');
const weakFile = new URL('weak-package', import.meta.url);
const weak = existsSync(weakFile) ? readFileSync(weakFile, 'utf8') : null;
const image = args[1] === 'image';
const pinned = image ? 'openssl==3.0.9' : readFileSync(after('--lockfile').replace('requirements.txt:', ''), 'utf8');
const packages = [...pinned.matchAll(/^([A-Za-z0-9._-]+)==([^ ;\\\\]+)/gm)].map(([, name, version]) => ({
  package: { name, version, ecosystem: image ? 'Debian:12' : 'PyPI' },
  ...(name === weak
    ? {
        vulnerabilities: [{ id: 'GHSA-aaaa-bbbb-cccc', aliases: ['CVE-2099-0001'] }],
        groups: [{ ids: ['GHSA-aaaa-bbbb-cccc'], aliases: ['CVE-2099-0001'], max_severity: '9.8' }],
      }
    : {}),
}));
if (packages.length === 0) process.exit(128);
const results = [{ source: { path: 'x', type: 'lockfile' }, packages }];
const report = { results, experimental_config: {}, ...(image ? { image_metadata: {} } : {}) };
writeFileSync(after('--output-file'), JSON.stringify(report));
process.exit(packages.some(({ groups }) => groups) ? 1 : 0);
`;

/** Puts the scanner of these tests; gives the variable that names it to the scan jobs. */
export async function putScanner(programs: string): Promise<{ MODELGATE_SCANNER: string }> {
  await putProgram(programs, 'osv-scanner.mjs', scanner);
  return { MODELGATE_SCANNER: path.join(programs, 'osv-scanner.mjs') };
}

/** Names the package in which the scanner finds something critical; null: nothing. */
export async function weaken(programs: string, name: string | null): Promise<void> {
  const file = path.join(programs, 'weak-package');
  if (name === null) await rm(file, { force: true });
  else await writeFile(file, name);
}
