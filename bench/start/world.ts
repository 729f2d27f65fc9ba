import { execFileSync } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { prepareStart } from '../../test/packaging/action.ts';
import { type Prepared, prepare } from '../../test/packaging/prepared.ts';
import { type GitHubProcess, startGitHub } from './github.ts';
import { prepareTrained, type RunAction, type Trained } from './trained.ts';

/** What the actions find: repositories, stores, programs, a GitHub. */
export interface World {
  prepared: Prepared;
  trained: Trained;
  /** The bundled actions. */
  dist: string;
  /** Where a measured run writes: made anew for each. */
  home: string;
  /** Variables of every run. */
  env: Record<string, string>;
  /** Commit of the repository before the last one. */
  before: string;
  github: GitHubProcess;
  /** Variables of a run on a GitHub made anew, where a maintainer has just commented. */
  commented(): Promise<Record<string, string>>;
  /** Runs an action to its end, and gives the store as it left it. */
  runAction: RunAction;
}

/** Fills an empty folder. `tools` is a tool cache with the native libraries in it. */
export async function makeWorld(
  folder: string,
  { dist, tools }: { dist: string; tools: string },
): Promise<World> {
  const prepared = await prepare(path.join(folder, 'prepared'));
  const file = (name: string) => path.join(prepared.workspace, name);
  await writeFile(file('scan.yaml'), 'extends: modelgate.yaml\ntrain: { requirements: scanned.lock }\n');
  await writeFile(file('scanned.lock'), `numpy==1.0 --hash=sha256:${'a'.repeat(64)}\n`);
  const served = { where: 'http://orders', environment: 'production', model: prepared.model, version: 2 };
  await writeFile(file('observed.json'), JSON.stringify([served]));
  const before = commitTwice(prepared.workspace);
  const scanner = path.join(folder, 'scanner');
  await writeFile(scanner, emptyScan);
  await chmod(scanner, 0o755);
  const env = {
    ...{ MODELGATE_NATIVE: '', RUNNER_TOOL_CACHE: tools, MODELGATE_SCANNER: scanner, CI: 'true' },
    ...{ MODELGATE_CACHE: path.join(folder, 'cache'), PYTHON: python() },
  };
  let runs = 0;
  const runAction: RunAction = async (place, { entry, inputs, env: more }) => {
    runs += 1;
    const home = path.join(folder, 'runs', String(runs));
    const ready = await prepareStart({
      ...{ entry, inputs, dist, home },
      ...{ prepared: { ...prepared, ...place }, env: { ...env, ...more } },
    });
    const { code, log } = await ready.run();
    if (code !== 0) throw new Error(`${entry} ended with ${code}:\n${log}`);
    return path.join(home, 'store');
  };
  const trained = await prepareTrained(path.join(folder, 'trained'), { prepared, runAction });
  const github = startGitHub({
    config: await readFile(file('modelgate.yaml'), 'utf8'),
    comment: `/rollback ${prepared.model} in production`,
  });
  const eventFile = path.join(folder, 'event.json');
  return {
    ...{ prepared, trained, dist, home: path.join(folder, 'home'), env, before, github, runAction },
    async commented() {
      const { url, token, event } = await github.anew();
      await writeFile(eventFile, event);
      return {
        ...{ GITHUB_API_URL: url, GITHUB_TOKEN: token, 'INPUT_GITHUB-TOKEN': token },
        ...{ GITHUB_EVENT_NAME: 'issue_comment', GITHUB_EVENT_PATH: eventFile },
      };
    },
  };
}

/** The repository with git: a first commit, and one that changes the features. */
function commitTwice(workspace: string): string {
  const who = ['-c', 'user.name=alice', '-c', 'user.email=alice@example.org'];
  const git = (...args: string[]) =>
    execFileSync('git', [...who, ...args], { cwd: workspace, encoding: 'utf8' });
  git('init', '--quiet');
  git('add', '.', ':!features.sql');
  git('commit', '--quiet', '--message', 'Orders');
  git('add', '.');
  git('commit', '--quiet', '--message', 'Features');
  return git('rev-parse', 'HEAD~1').trim();
}

/** The interpreter itself: a wrapper in PATH may need a home that a run does not have. */
const python = (): string =>
  execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();

/** A scanner that knows nothing against the one package. */
const emptyScan = `#!/bin/sh
while [ "$1" != --output-file ]; do shift; done
cat > "$2" <<'REPORT'
{"results":[{"source":{"path":"x"},"packages":[{"package":{"name":"numpy","version":"1.0"}}]}],"experimental_config":{}}
REPORT
`;
