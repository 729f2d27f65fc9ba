import { existsSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';
import { writeReleaseTree } from '../../../scripts/release-tree.ts';

const root = path.join(import.meta.dirname, '../../..');

/** GitHub's own client, as a module to import. */
export const artifactClient = path.join(root, 'node_modules/@actions/artifact/lib/artifact.js');

interface StandIn {
  inputs: Record<string, { default?: string }>;
  main: string;
}

const input = (name: string) => `process.env['INPUT_${name.toUpperCase()}']`;
const exported = (variable: string) =>
  `import { appendFileSync } from 'node:fs';
for (const [name, value] of Object.entries(JSON.parse(process.env.${variable} ?? '{}')))
  appendFileSync(process.env.GITHUB_ENV, name + '=' + value + '\\n');`;

/** Actions of others cannot be fetched here: these do what the templates use of them. */
const standIns: Record<string, StandIn> = {
  'actions/checkout': {
    inputs: { ref: { default: '$' + '{{ github.sha }}' }, 'persist-credentials': {} },
    main: `import { execFileSync } from 'node:child_process';
if (${input('persist-credentials')} !== 'false') throw new Error('the token stays in the checkout');
const archive = execFileSync('git', ['-C', process.env.ACT_ORIGIN, 'archive', ${input('ref')}], { maxBuffer: 1e8 });
execFileSync('tar', ['--extract', '--directory', process.env.GITHUB_WORKSPACE], { input: archive });`,
  },
  // the machine's own Python
  'actions/setup-python': { inputs: { 'python-version': {} }, main: '' },
  'actions/upload-artifact': {
    inputs: { name: {}, path: {}, 'retention-days': {} },
    main: `import path from 'node:path';
import { DefaultArtifactClient } from ${JSON.stringify(artifactClient)};
const file = path.resolve(${input('path')});
await new DefaultArtifactClient().uploadArtifact(${input('name')}, [file], path.dirname(file));`,
  },
  // there is no OIDC here: the test gives the keys of its own S3 server, which later steps see as those of a role
  'aws-actions/configure-aws-credentials': {
    inputs: { 'role-to-assume': {}, 'aws-region': {} },
    main: `if (!${input('role-to-assume')}) throw new Error('no role');\n${exported('ACT_ROLE')}`,
  },
};

/**
 * Puts our actions as a release tag holds them, and stand-ins for those of others, into folders, and gives the value of act's
 * --local-repository for each action that these texts use: the workflows themselves stay as they are shipped.
 */
export async function localRepositories(folder: string, workflows: readonly string[]): Promise<string[]> {
  const used = new Set(
    workflows.flatMap((text) => [...text.matchAll(/\buses: ([^\s#]+)/g)].map(([, uses = '']) => uses)),
  );
  const found = new Set<string>();
  for (const uses of used) {
    const [name = '', ref] = uses.split('@');
    const repository = name.split('/').slice(0, 2).join('/');
    const local = path.join(folder, repository);
    if (repository === 'modelgate/modelgate') await putRelease(local);
    else await putStandIn(local, repository);
    found.add(`${repository}@${ref}=${local}`);
  }
  return [...found];
}

async function putRelease(folder: string): Promise<void> {
  await mkdir(path.dirname(folder), { recursive: true });
  if (!existsSync(folder)) await writeReleaseTree(folder);
}

async function putStandIn(folder: string, repository: string): Promise<void> {
  const standIn = standIns[repository];
  if (standIn === undefined) throw new Error(`there is no stand-in for ${repository}`);
  await mkdir(folder, { recursive: true });
  const inputs = Object.entries(standIn.inputs).map(([name, more]) => [name, { description: name, ...more }]);
  const action = {
    ...{ name: repository, description: 'A stand-in.', inputs: Object.fromEntries(inputs) },
    runs: { using: 'node24', main: 'main.mjs' },
  };
  await writeFile(path.join(folder, 'action.yml'), stringify(action));
  await writeFile(path.join(folder, 'main.mjs'), standIn.main);
}

/** Puts a program into a folder that stands first in PATH. */
export async function putProgram(folder: string, name: string, script: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, name), script);
  await chmod(path.join(folder, name), 0o755);
}
