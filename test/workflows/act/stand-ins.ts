import { execFileSync } from 'node:child_process';
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
  // as deep as is asked for; a pull request is merged into main, as GitHub does before it starts anything
  'actions/checkout': {
    inputs: {
      ...{ ref: { default: '$' + '{{ github.sha }}' }, 'fetch-depth': { default: '1' } },
      'persist-credentials': {},
    },
    main: `import { execFileSync } from 'node:child_process';
if (${input('persist-credentials')} !== 'false') throw new Error('the token stays in the checkout');
const git = (...args) =>
  execFileSync('git', ['-c', 'user.name=github', '-c', 'user.email=github@example.org', ...args], {
    ...{ cwd: process.env.GITHUB_WORKSPACE, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
  }).trim();
const [head, depth] = [${input('ref')}, Number(${input('fetch-depth')})];
const fetch = (ref, deep) =>
  git('fetch', '--quiet', '--upload-pack', 'git -c uploadpack.allowAnySHA1InWant=true upload-pack',
    ...(deep > 0 ? ['--depth', String(deep)] : []), 'file://' + process.env.ACT_ORIGIN, ref);
git('init', '--quiet');
let commit = head;
const side = depth > 0 ? Math.max(1, depth - 1) : 0;
if (process.env.GITHUB_EVENT_NAME === 'pull_request') {
  fetch('refs/heads/main', side);
  const base = git('rev-parse', 'FETCH_HEAD');
  fetch(head, side);
  commit = git('commit-tree', head + '^{tree}', '-p', base, '-p', head, '-m', 'Merge');
} else fetch(head, depth);
git('checkout', '--quiet', '--force', '--detach', commit);`,
  },
  // the machine's own Python
  'actions/setup-python': { inputs: { 'python-version': {} }, main: '' },
  'actions/upload-artifact': {
    inputs: { name: {}, path: {}, 'retention-days': {}, 'if-no-files-found': {}, overwrite: {} },
    main: `import path from 'node:path';
import { appendFileSync, readdirSync, statSync } from 'node:fs';
import { DefaultArtifactClient } from ${JSON.stringify(artifactClient)};
const given = path.resolve(${input('path')});
const whole = statSync(given).isDirectory(); // its files, without the folder itself
const files = whole
  ? readdirSync(given, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name))
  : [given];
const client = new DefaultArtifactClient();
if (${input('overwrite')} === 'true')
  await client.deleteArtifact(${input('name')}).catch((error) => {
    if (error.name !== 'ArtifactNotFoundError') throw error;
  });
const { id } = await client.uploadArtifact(${input('name')}, files, whole ? given : path.dirname(given));
appendFileSync(process.env.GITHUB_OUTPUT, 'artifact-id=' + id + '\\n');`,
  },
  'actions/upload-pages-artifact': {
    inputs: { path: {} },
    main: `import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { DefaultArtifactClient } from ${JSON.stringify(artifactClient)};
const file = path.join(process.env.RUNNER_TEMP, 'artifact.tar');
execFileSync('tar', ['--create', '--file', file, '--directory', ${input('path')}, '.']);
await new DefaultArtifactClient().uploadArtifact('github-pages', [file], path.dirname(file));`,
  },
  // publishes nothing: what it would publish must be there
  'actions/deploy-pages': {
    inputs: {},
    main: `import { DefaultArtifactClient } from ${JSON.stringify(artifactClient)};
await new DefaultArtifactClient().getArtifact('github-pages');`,
  },
  'actions/download-artifact': {
    inputs: { name: {}, 'artifact-ids': {}, path: {} },
    main: `import path from 'node:path';
import { DefaultArtifactClient } from ${JSON.stringify(artifactClient)};
const client = new DefaultArtifactClient();
const id = Number(${input('artifact-ids')}) || (await client.getArtifact(${input('name')})).artifact.id;
await client.downloadArtifact(id, { path: path.resolve(${input('path')}) });`,
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
    if (uses.startsWith('./')) continue; // another workflow of the same commit
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
  if (existsSync(folder)) return;
  if (!existsSync(path.join(root, 'dist/verify.js'))) {
    execFileSync(process.execPath, ['scripts/build.ts'], { cwd: root });
  }
  await mkdir(path.dirname(folder), { recursive: true });
  await writeReleaseTree(folder);
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
