import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

/** What all models extend; `model` is a model's own. */
export const base = `schema: modelgate/1
data:
  sources:
    rows: { file: rows.csv, contract: contract.yaml }
features: { sql: shared/features.sql, key: id, label: price }
split: { by: hash }
train: { script: shared/train.py, requirements: shared/requirements.lock, task: regression }
evaluation: { id: first, file: evaluation.parquet, sha256: "${'0'.repeat(64)}" }
gate: gate.yaml
`;
const gate = 'metrics:\n  - { metric: rmse, margin: 1% }\n';

export const nameOf = (number: number): string => `model-${String(number).padStart(3, '0')}`;
export const configOf = (number: number): string => `models/${nameOf(number)}/modelgate.yaml`;

/** Every model has a script of its own, every tenth names shared code, the second half another base. */
export function manyModels(count: number): Record<string, string> {
  const files: Record<string, string> = {
    ...{ 'base.yaml': base, 'base-b.yaml': 'extends: base.yaml\n', 'gate.yaml': gate },
    ...{
      'contract.yaml': '',
      'shared/features.sql': '',
      'shared/train.py': '',
      'shared/geo/distance.py': '',
    },
  };
  for (let number = 0; number < count; number += 1) {
    const paths = number % 10 === 0 ? "paths: ['../../shared/geo/**']\n" : '';
    files[configOf(number)] =
      `extends: ../../${number < count / 2 ? 'base' : 'base-b'}.yaml\nmodel: ${nameOf(number)}\n${paths}train: { script: train.py }\n`;
    files[`models/${nameOf(number)}/train.py`] = `seed = ${number}\n`;
    files[`models/${nameOf(number)}/modelgate.sample.yaml`] = 'extends: modelgate.yaml\n';
  }
  return files;
}

/** A git repository in a folder of its own. */
export async function openRepository() {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'repository-'));
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=olga', '-c', 'user.email=olga@example.org', ...args], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  git('init', '--quiet', '--initial-branch', 'main');
  return {
    folder,
    git,
    /** Commits these files; null removes one. */
    async commit(files: Readonly<Record<string, string | Buffer | null>>): Promise<string> {
      for (const [name, content] of Object.entries(files)) {
        const file = path.join(folder, name);
        await mkdir(path.dirname(file), { recursive: true });
        if (content === null) await rm(file);
        else await writeFile(file, content);
      }
      git('add', '--all');
      git('commit', '--quiet', '--message', 'A change');
      return git('rev-parse', 'HEAD');
    },
    async move(from: string, to: string): Promise<void> {
      await mkdir(path.dirname(path.join(folder, to)), { recursive: true });
      await rename(path.join(folder, from), path.join(folder, to));
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true, maxRetries: 3 }),
  };
}
