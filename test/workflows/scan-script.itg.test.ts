import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { sha256 } from '../../src/json.ts';
import { putScanner } from './act/scanner.ts';
import { workflows } from './templates.ts';

const script = workflows.find(({ file }) => file === 'train.yml')!.jobs.scan!.steps[1]!.run!;
const lock = `numpy==1.0 --hash=sha256:${'a'.repeat(64)}\n`;

/** Runs the step of the job on what a training handed over, of which some may be replaced. */
async function scan(replaced: Readonly<Partial<Record<'model' | 'code' | 'lock', string>>> = {}) {
  const root = await mkdtemp(path.join(os.tmpdir(), 'scan-'));
  try {
    const code = JSON.stringify({ files: [{ name: 'requirements.lock', sha256: sha256(lock) }] });
    const model = JSON.stringify({ inputs: { code: sha256(code) } });
    const handoff = 'workspace/trained/handoff';
    const files = {
      'workspace/trained/outcome.json': JSON.stringify({ outputs: { model: sha256(model) } }),
      [`${handoff}/manifests/${sha256(model)}`]: replaced.model ?? model,
      [`${handoff}/manifests/${sha256(code)}`]: replaced.code ?? code,
      [`${handoff}/objects/${sha256(lock)}`]: replaced.lock ?? lock,
    };
    for (const [name, text] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(root, name)), { recursive: true });
      await writeFile(path.join(root, name), text);
    }
    for (const name of ['programs', 'temporary']) await mkdir(path.join(root, name));
    await putScanner(path.join(root, 'programs'));
    const env = {
      PATH: `${path.join(root, 'programs')}:${process.env.PATH}`,
      GITHUB_WORKSPACE: path.join(root, 'workspace'),
      RUNNER_TEMP: path.join(root, 'temporary'),
      SCANNER: 'https://github.com/google/osv-scanner/releases/download/v0/x',
      SHA256: /SHA256: ([0-9a-f]{64})/.exec(workflows.find(({ file }) => file === 'train.yml')!.text)![1]!,
    };
    const shell = ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script];
    const { status, stderr } = spawnSync('bash', shell, {
      ...{ env, cwd: path.join(root, 'workspace'), encoding: 'utf8' },
    });
    return { green: status === 0, stderr };
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

it('[GOV-8] the scan job reads the lock that was trained with, and nothing that was put in its place', async () => {
  expect(await scan()).toMatchObject({ green: true });
  const other = lock.replace('1.0', '2.0');
  expect(await scan({ lock: other })).toMatchObject({ green: false });
  // a manifest that names another lock, which is there
  const code = JSON.stringify({ files: [{ name: 'requirements.lock', sha256: sha256(lock) }], more: 1 });
  expect(await scan({ code })).toMatchObject({ green: false });
  const model = {
    inputs: {
      code: sha256(JSON.stringify({ files: [{ name: 'requirements.lock', sha256: sha256(lock) }] })),
    },
  };
  expect(await scan({ model: JSON.stringify({ ...model, more: 1 }) })).toMatchObject({ green: false });
});
