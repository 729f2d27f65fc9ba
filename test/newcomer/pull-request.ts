import { mkdtemp, readFile } from 'node:fs/promises';
import path from 'node:path';
import { Outcome } from '../../src/outcome.ts';
import { root } from '../actions/job.ts';
import { type ActResult, ActRunner } from '../workflows/act/runner.ts';
import { localRepositories } from '../workflows/act/stand-ins.ts';
import type { Newcomer } from './newcomer.ts';

export interface SampleRun {
  result: ActResult;
  /** Text of the artifact's JSON file. */
  artifact: string;
  outcome: Outcome;
}

/** GitHub as far as it starts workflows: those that `init` wrote, by act, with nothing set up. */
export async function openGitHub(newcomer: Newcomer): Promise<ActRunner> {
  const folder = path.join(newcomer.folder, '.github/workflows');
  const texts = ['pull-request.yml', 'release.yml'].map((name) => readFile(path.join(folder, name), 'utf8'));
  const home = await mkdtemp(path.join(newcomer.base, 'act-'));
  return ActRunner.open({
    ...{ home, repository: newcomer.folder, programs: path.join(home, 'programs') },
    localRepositories: await localRepositories(path.join(home, 'actions'), await Promise.all(texts)),
    variables: {},
    // the checkout takes the commit from what was pushed
    environment: { ACT_ORIGIN: newcomer.origin, MODELGATE_NATIVE: root },
  });
}

/** What a pull request of the branch that was pushed starts. */
export async function runPullRequest(github: ActRunner): Promise<SampleRun> {
  const workflow = 'pull-request.yml';
  const result = await github.run({ workflow, event: 'pull_request', payload: { number: 1 } });
  if (result.jobs.sample !== 'success') throw new Error(`${workflow} failed:\n${result.said}`);
  const artifact = await readFile(path.join(await github.unpack('modelgate-result'), 'outcome.json'), 'utf8');
  return { result, artifact, outcome: Outcome.parse(JSON.parse(artifact)) };
}

/** The heads of the job summary, one an action, without what this machine is. */
export function headsOf({ result }: SampleRun): string {
  const heads = result.summary.matchAll(/^### (ModelGate .+)\n\n(.+)$/gm);
  return [...heads].map(([, head, text]) => `${head}\n${plain(text ?? '')}`).join('\n');
}

/** As a browser shows it. */
const plain = (markdown: string) =>
  markdown
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replaceAll('\u2060', '');
