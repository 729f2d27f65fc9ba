import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { templateFolder, workflowFiles } from './templates.ts';
import { missing, tools } from './tools.ts';

const root = path.join(import.meta.dirname, '../..');
const inFolder = (folder: string, files: readonly string[]) => files.map((file) => path.join(folder, file));
const ownFolder = path.join(root, '.github/workflows');
const ownWorkflows = inFolder(ownFolder, readdirSync(ownFolder));
/** The templates stand as in a repository that has taken them: one calls another by its place there. */
const repository = mkdtempSync(path.join(os.tmpdir(), 'lint-'));
const taken = path.join(repository, '.github/workflows');
cpSync(templateFolder, taken, { recursive: true });
execFileSync('git', ['init', '--quiet', repository]);
const workflows = [...inFolder(taken, workflowFiles), ...ownWorkflows];
const actions = [
  path.join(root, 'action.yml'),
  ...readdirSync(path.join(root, 'actions'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'stage')
    .map(({ name }) => path.join(root, 'actions', name, 'action.yml')),
];

interface Linter {
  tool: keyof typeof tools;
  /** Everything that is shipped; nothing may be found in it. */
  ours: [args: readonly string[], files: readonly string[]][];
  /** A file in which something must be found, or else the linter looks at nothing. */
  bad: { args: readonly string[]; file: string; text: string; says: string };
}

const expression = '$' + '{{ github.event.pull_request.title }}';
const injection = `name: Bad
on: pull_request
permissions: {}
concurrency: { group: bad, cancel-in-progress: true }
jobs:
  a:
    name: A
    runs-on: ubuntu-latest
    steps:
      - run: echo "${expression}"
`;
const actionlintArgs = ['-no-color', '-config-file', path.join(templateFolder, 'actionlint.yaml')];
// the auditor's persona also tells what may be a false alarm
const zizmorArgs = [
  ...['--offline', '--no-progress', '--quiet', '--persona=auditor', '--strict-collection'],
  ...['--config', path.join(templateFolder, 'zizmor.yaml')],
];
const schema = (name: string) => ['--builtin-schema', `vendor.github-${name}`];

const linters: Linter[] = [
  {
    tool: 'actionlint',
    ours: [[actionlintArgs, workflows]],
    bad: { args: actionlintArgs, file: 'bad.yml', text: injection, says: 'untrusted' },
  },
  {
    tool: 'zizmor',
    ours: [[zizmorArgs, [...workflows, ...actions]]],
    bad: { args: zizmorArgs, file: 'bad.yml', text: injection, says: 'template-injection' },
  },
  {
    tool: 'checkJsonschema',
    ours: [
      [schema('workflows'), workflows],
      [schema('actions'), actions],
    ],
    bad: {
      ...{ args: schema('actions'), file: 'action.yml', says: 'using' },
      text: 'name: a\ndescription: b\nruns: { using: node3, main: c.js }\n',
    },
  },
];

afterAll(() => rm(repository, { recursive: true, force: true }));

const lint = (tool: keyof typeof tools, args: readonly string[]) => {
  const { stdout, stderr, status } = spawnSync(tools[tool], args, { encoding: 'utf8' });
  return { said: stdout + stderr, status };
};

describe.each(linters)('$tool', ({ tool, ours, bad }) => {
  const skipped = missing(tool);

  it('is there under CI (scripts/install-tools.sh)', ({ skip }) => {
    if (skipped !== null) skip(skipped);
    expect(execFileSync(tools[tool], ['--version'], { encoding: 'utf8' })).toMatch(/\d+\.\d+/);
  });

  it('[GOV-2] finds nothing in what is shipped', ({ skip }) => {
    if (skipped !== null) skip(skipped);
    for (const [args, files] of ours) {
      expect(files.length).toBeGreaterThan(1);
      const { said, status } = lint(tool, [...args, ...files]);
      expect(status, said).toBe(0);
    }
  });

  it('would find a mistake', async ({ skip }) => {
    if (skipped !== null) skip(skipped);
    const file = path.join(repository, bad.file);
    await writeFile(file, bad.text);
    const { said, status } = lint(tool, [...bad.args, file]);
    expect(status).not.toBe(0);
    expect(said).toContain(bad.says);
  });
});

describe('a call of another workflow', () => {
  it('with an input that it does not have is found', async ({ skip }) => {
    const skipped = missing('actionlint');
    if (skipped !== null) skip(skipped);
    const right = await readFile(path.join(taken, 'release.yml'), 'utf8');
    const file = path.join(taken, 'misspelt.yml');
    await writeFile(file, right.replace('move-to: staging', 'move-too: staging'));
    expect(lint('actionlint', [...actionlintArgs, file]).said).toContain('input "move-too" is not defined');
    await rm(file);
  });
});
