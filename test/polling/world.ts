import { execFile, execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { stringify } from 'yaml';
import { prepareSources } from '../../src/data/sources.ts';
import { silentLogger } from '../../src/logger.ts';
import { usualTimes } from '../../src/polling/start-once.ts';
import { gitHubOfJob } from '../../src/stages/commands/job-github.ts';
import { runStage } from '../../src/stages/define.ts';
import { poll } from '../../src/stages/poll.ts';
import { openProject } from '../../src/stages/project.ts';
import { hashFile } from '../../src/store/store.ts';
import { FakeGitHubServer } from '../github/fake/server.ts';
import { temporaryFolder } from '../registry/world.ts';

export const model = 'flights-late';
const root = path.join(import.meta.dirname, '../..');
const sources = { rows: { file: 'rows.csv' } };

const config = {
  ...{ schema: 'modelgate/1', model, data: { sources }, split: { by: 'hash' } },
  features: { sql: 'features.sql', key: 'id', label: 'late' },
  train: { script: 'train.py', requirements: 'requirements.lock', task: 'classification' },
  evaluation: { id: 'june', file: 'evaluation.parquet', sha256: 'e'.repeat(64) },
  gate: { metrics: [{ metric: 'auc', margin: 0.01 }] },
};

/** Runs on, and can be moved forward. */
export class RunningClock {
  private offset = 0;
  now = () => new Date(Date.now() + this.offset);
  forward(milliseconds: number) {
    this.offset += milliseconds;
  }
}

/** Between two looks a moment: the clock of a test decides about the rest. */
const quick = { ...usualTimes, pause: 100 };

export type PollWorld = Awaited<ReturnType<typeof openWorld>>;

/** A model repository on this machine and on a GitHub that a test controls. */
export async function openWorld() {
  const clock = new RunningClock();
  const folder = temporaryFolder();
  const server = await FakeGitHubServer.start({ now: clock.now });
  const template = await readFile(path.join(root, 'workflows-templates/train.yml'), 'utf8');
  const repository = server.repository('acme/flights', {
    files: { '.github/workflows/train.yml': template },
  });
  const texts = { 'features.sql': 'SELECT 1', 'train.py': '', 'requirements.lock': '' };
  const put = async (files: Readonly<Record<string, string>>) => {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
      await writeFile(path.join(folder, name), text);
    }
  };
  await put({ ...texts, 'modelgate.yaml': stringify(config) });
  const token = server.actionsToken(repository, { actions: 'write', contents: 'read' });
  server.tokens.get(token)!.expiresAt = Number.POSITIVE_INFINITY; // the clock goes by hours here
  const variables = {
    ...{ GITHUB_ACTIONS: 'true', GITHUB_TOKEN: token, GITHUB_API_URL: server.url },
    ...{ GITHUB_REPOSITORY: 'acme/flights', GITHUB_WORKSPACE: folder },
  };

  const open = (store: string) =>
    openProject({
      ...{ configFile: path.join(folder, 'modelgate.yaml'), store, logger: silentLogger },
      ...{ actor: { name: 'ann', via: 'action' }, signal: new AbortController().signal },
    });

  const world = {
    sources: { sources, folder },
    ...{ clock, folder, put, server, repository, variables, open },
    runs: () => repository.runs.filter(({ event }) => event === 'workflow_dispatch'),
    async write(rows: readonly string[]): Promise<void> {
      await put({ 'rows.csv': ['id,late', ...rows, ''].join('\n') });
    },
    git: (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=ann', '-c', 'user.email=ann@example.org', ...args], {
        ...{ cwd: folder, encoding: 'utf8' },
      }).trim(),
    /** One poll with clients of its own, in this process, so that its clock can be moved. */
    async poll(store: string, { patience = quick.patience } = {}) {
      await using project = await open(store);
      const stage = poll({
        ...{ github: gitHubOfJob(variables), hash: { putFile: hashFile }, times: { ...quick, patience } },
        read: (store) => prepareSources({ ...world.sources, store }),
        committed: async () => new Set(),
      });
      const input = {
        ...{ model, config: 'modelgate.yaml', workflow: 'train.yml' },
      };
      return await runStage(stage, input, { ...project.context, now: clock.now });
    },
    /** `modelgate poll` as a process. */
    command(store: string, { env = {} as NodeJS.ProcessEnv, args = [] as string[] } = {}) {
      const line = [path.join(root, 'bin/modelgate.js'), 'poll', '--json', '--store', store, ...args];
      const child = execFile(process.execPath, line, {
        cwd: folder,
        env: { ...process.env, ...variables, ...env },
      });
      let said = '';
      child.stdout?.on('data', (text: string) => {
        said += text;
      });
      const ended = new Promise<{ code: number | null; said: string }>((resolve) =>
        child.once('close', (code) => resolve({ code, said })),
      );
      return { child, ended };
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
  return world;
}
