import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { silentLogger } from '../../../src/logger.ts';
import { Registry } from '../../../src/registry/registry.ts';
import { openStorage } from '../../../src/store/open.ts';
import { Store } from '../../../src/store/store.ts';
import { root } from '../../actions/job.ts';
import { putGitHubCommand } from '../../bot/jobs/github-command.ts';
import { modelFiles } from '../../bot/story/model-repository.ts';
import { FakeGitHubServer } from '../../github/fake/server.ts';
import { bucket, startS3 } from '../../store/servers/s3-server.ts';
import { workflows } from '../templates.ts';
import { ActRunner } from './runner.ts';
import { putScanner, weaken } from './scanner.ts';
import { artifactClient, localRepositories, putProgram } from './stand-ins.ts';

export type ActWorld = Awaited<ReturnType<typeof openWorld>>;

/** A model repository under git with the templates as they are shipped, act, an S3 server, and GitHub's API. */
export async function openWorld() {
  await using resources = new AsyncDisposableStack();
  const folder = await mkdtemp(path.join(os.tmpdir(), 'act-'));
  resources.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  const repository = path.join(folder, 'repository');
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=olga', '-c', 'user.email=olga@example.org', ...args], {
      cwd: repository,
      encoding: 'utf8',
    }).trim();
  const github = resources.use(await FakeGitHubServer.start());
  const onGitHub = github.repository('acme/parcels');
  /** Commits files on the checked-out branch; the commit's full SHA. */
  const commit = async (files: Readonly<Record<string, string | Buffer>>) => {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(repository, name)), { recursive: true });
      await writeFile(path.join(repository, name), content);
    }
    git('add', '--all');
    git('commit', '--quiet', '--message', 'A change');
    const sha = git('rev-parse', 'HEAD');
    onGitHub.git.commits.set(sha, { ...onGitHub.commit('main')!, sha });
    return sha;
  };
  await mkdir(repository);
  git('init', '--quiet', '--initial-branch', 'main');
  git('remote', 'add', 'origin', 'https://github.com/acme/parcels.git');
  const templates = workflows.map(({ file, text }) => [`.github/workflows/${file}`, text] as const);
  const first = await commit({ ...(await modelFiles()), ...Object.fromEntries(templates) });

  const s3 = await startS3();
  resources.defer(() => s3.stop());
  const store = `s3://${bucket}/parcels`;
  const programs = path.join(folder, 'programs');
  const runs = path.join(folder, 'runs');
  await putPrograms(programs);
  const scanner = await putScanner(programs);
  const runner = resources.use(
    await ActRunner.open({
      ...{ home: path.join(folder, 'act'), repository, programs },
      localRepositories: await localRepositories(
        path.join(folder, 'actions'),
        workflows.map(({ text }) => text),
      ),
      variables: {
        ...{ MODELGATE_STORE: store, MODELGATE_REGION: 'us-east-1' },
        MODELGATE_ROLE: 'arn:aws:iam::123456789012:role/models',
      },
      environment: {
        ...{ ACT_ORIGIN: repository, ACT_ROLE: JSON.stringify(s3.environment), ACT_RUNS: runs },
        ...{ ACT_GITHUB: github.url, GITHUB_API_URL: github.url, MODELGATE_NATIVE: root },
        ...scanner,
      },
    }),
  );
  Object.assign(process.env, s3.environment);
  const registry = new Registry({
    store: new Store(await openStorage(store)),
    now: () => new Date(),
    logger: silentLogger,
  });

  const held = resources.move();
  return {
    ...{ folder, repository, git, commit, first, github, onGitHub, store, runner, registry },
    role: s3.environment,
    /** Names the package in which the scanner finds something critical; null: nothing. */
    weaken: (name: string | null) => weaken(programs, name),
    /** Where the stand-in of `gh run` looks for a run's artifact. */
    artifactOf: (run: number, name: string) => path.join(runs, String(run), name),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

/** What hosted runners have and this machine may not have: GitHub's command line, as far as the templates use it. */
export async function putPrograms(folder: string): Promise<void> {
  const api = path.join(folder, 'api');
  await putGitHubCommand(api);
  await writeFile(
    path.join(folder, 'download.mjs'),
    `import path from 'node:path';
import { DefaultArtifactClient } from ${JSON.stringify(artifactClient)};
const [into, pattern] = process.argv.slice(2);
const client = new DefaultArtifactClient();
for (const { id, name } of (await client.listArtifacts({ latest: true })).artifacts)
  if (path.matchesGlob(name, pattern)) await client.downloadArtifact(id, { path: path.join(into, name) });
`,
  );
  await putProgram(
    folder,
    'gh',
    `#!/bin/sh
set -eu
case "$1 $2" in
  'run list') ls -r "$ACT_RUNS" 2> /dev/null | sed 's/$/ success/' ;; # as --jq leaves it, the newest first
  'run download')
    case "$*" in
      *--pattern*) exec node '${path.join(folder, 'download.mjs')}' "$7" "$9" ;; # of the same run
      *) mkdir -p "$9"; cp "$ACT_RUNS/$3/$7/"* "$9" ;;
    esac ;;
  *) GITHUB_API_URL="$ACT_GITHUB" exec '${api}/gh' "$@" ;;
esac
`,
  );
}
