import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { templateFolder, workflowFiles } from './templates.ts';

const tools =
  process.env.MODELGATE_TOOLS ??
  path.join(process.env.XDG_CACHE_HOME ?? path.join(os.homedir(), '.cache'), 'modelgate-tools');
const actionlint = path.join(tools, 'bin', 'actionlint');
const config = path.join(templateFolder, 'actionlint.yaml');

describe('actionlint', () => {
  it('is there under CI (scripts/install-tools.sh)', ({ skip }) => {
    if (!process.env.CI && !existsSync(actionlint)) skip('run scripts/install-tools.sh');
    expect(execFileSync(actionlint, ['--version'], { encoding: 'utf8' })).toMatch(/^v?\d+\./);
  });

  it('finds nothing in the workflow templates', ({ skip }) => {
    if (!process.env.CI && !existsSync(actionlint)) skip('run scripts/install-tools.sh');
    const files = workflowFiles.map((file) => path.join(templateFolder, file));
    const { stdout, status } = spawnSync(actionlint, ['-no-color', '-config-file', config, ...files], {
      encoding: 'utf8',
    });
    expect(stdout).toBe('');
    expect(status).toBe(0);
  });

  it('would find a mistake', async ({ skip }) => {
    if (!process.env.CI && !existsSync(actionlint)) skip('run scripts/install-tools.sh');
    const folder = await mkdtemp(path.join(os.tmpdir(), 'actionlint-'));
    try {
      const file = path.join(folder, 'bad.yml');
      const expression = '$' + '{{ github.event.pull_request.title }}';
      await writeFile(
        file,
        `on: pull_request\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n      - run: echo "${expression}"\n`,
      );
      expect(spawnSync(actionlint, ['-config-file', config, file]).status).toBe(1);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
