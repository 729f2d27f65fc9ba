import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasPython } from '../training/world.ts';
import type { ActRunner } from '../workflows/act/runner.ts';
import { missing } from '../workflows/tools.ts';
import { deliveriesCsv, trainingScript } from './data.ts';
import { Newcomer } from './newcomer.ts';
import { differences, type Shown, withTranscript } from './page.ts';
import { headsOf, openGitHub, runPullRequest } from './pull-request.ts';
import {
  laterSteps,
  model,
  pullRequestText,
  type Step,
  servedSteps,
  serveStep,
  shownPort,
  steps,
} from './steps.ts';

const page = path.resolve('docs/start.md');
const skipped = (await hasPython()) ? missing('act') : 'no Python';

describe.skipIf(skipped !== null)('a newcomer with a CSV file and a training script', () => {
  const shown: Shown[] = [];
  let newcomer: Newcomer;
  let github: ActRunner;
  beforeAll(async () => {
    newcomer = await Newcomer.make({ 'data/deliveries.csv': deliveriesCsv(), 'train.py': trainingScript });
    await newcomer.shell(`git init --quiet --bare ${newcomer.origin} && git init --quiet`);
    await newcomer.shell('git add --all && git commit --quiet --message Data');
  });
  afterAll(async () => {
    await github?.[Symbol.asyncDispose]();
    await newcomer.close();
  });

  const take = async (step: Step) => {
    const { code, stdout, stderr } = await newcomer.shell(step.command);
    expect(code, `${stdout}${stderr}`).toBe(step.exit);
    expect(stdout).toMatch(step.says);
    shown.push({ ...step, output: stdout });
  };
  const named = (list: readonly Step[]) => list.map((step) => [step.command, step] as const);

  it.each(named(steps))('%s', (_, step) => take(step));

  it('[TRG-1] opens a pull request: pull-request.yml as init wrote it gives a gate result with nothing set up', async () => {
    github = await openGitHub(newcomer);
    const sample = await runPullRequest(github);
    expect(sample.result.jobs).toEqual({ models: 'success', sample: 'success', result: 'success' });
    expect(sample.artifact.length).toBeLessThan(256_000);
    expect(sample.outcome).toMatchObject({ stage: 'run', verdict: 'pass', inputs: {} });
    const output = headsOf(sample);
    expect(output).toMatch(/validate: ✅ pass[\s\S]*run: ✅ pass\nauc is 0\.\d+, its lower bound/);
    shown.push({ text: pullRequestText, command: null, output, shows: /./ });
  });

  it('starts no training on a GPU runner by a push to main, as long as no store is set up', async () => {
    const pushed = await github.run({ workflow: 'release.yml', event: 'push' });
    expect([pushed.exitCode, pushed.jobs], pushed.said).toEqual([0, {}]);
  });

  it.each(named(laterSteps))('%s', (_, step) => take(step));

  it('serves what was promoted, and takes it back', async () => {
    const log = path.join(newcomer.folder, '.modelgate/predictions');
    const service = await newcomer.serve(
      `--model ${model} --environment production --port 0 --log-directory ${log}`.split(' '),
    );
    try {
      const place = (text: string) => text.replaceAll(`:${service.port}`, `:${shownPort}`);
      shown.push({ ...serveStep, output: place(service.line), shows: /./ });
      for (const step of servedSteps) {
        const { code, stdout } = await newcomer.shell(
          step.command.replaceAll(`:${shownPort}/`, `:${service.port}/`),
        );
        expect(code).toBe(step.exit);
        expect(stdout).toMatch(step.says);
        shown.push({ ...step, output: place(stdout) });
      }
    } finally {
      await service.stop();
    }
  });

  it('is told in docs/start.md by the same commands; MODELGATE_UPDATE_DOCS=1 writes the page', async () => {
    // what failed before is in its own test; half a page is none
    expect(shown).toHaveLength(steps.length + laterSteps.length + servedSteps.length + 2);
    const text = await readFile(page, 'utf8');
    if (process.env.MODELGATE_UPDATE_DOCS === '1') await writeFile(page, withTranscript(text, shown));
    const commands = shown.flatMap(({ command }) => (command === null ? [] : [command]));
    const told = await readFile(page, 'utf8');
    expect(differences(told, commands)).toEqual([]);
    for (const { text } of shown) expect(told).toContain(text);
  });

  it('left nothing in git but what the page says', async () => {
    const { stdout } = await newcomer.shell('git status --short');
    expect(stdout).toBe(' M modelgate.yaml\n');
  });
});
