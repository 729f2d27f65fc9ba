import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasPython } from '../training/world.ts';
import { balancesCsv, deliveriesCsv } from './data.ts';
import { Newcomer } from './newcomer.ts';
import { differences, type Shown, withTranscript } from './page.ts';
import { model, servedSteps, serveStep, shownPort, steps } from './steps.ts';

const page = path.resolve('docs/start.md');
const python = await hasPython();

describe.skipIf(!python)('a newcomer with a CSV file', () => {
  const shown: Shown[] = [];
  let newcomer: Newcomer;
  beforeAll(async () => {
    newcomer = await Newcomer.make({ 'data/deliveries.csv': deliveriesCsv() });
    await newcomer.shell('git init --quiet && git add --all && git commit --quiet --message Data');
  });
  afterAll(() => newcomer.close());

  it.each(steps.map((step) => [step.command, step] as const))('%s', async (_, step) => {
    const { code, stdout, stderr } = await newcomer.shell(step.command);
    expect(code, `${stdout}${stderr}`).toBe(step.exit);
    expect(stdout).toMatch(step.says);
    shown.push({ ...step, output: stdout });
  });

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
    const text = await readFile(page, 'utf8');
    if (process.env.MODELGATE_UPDATE_DOCS === '1') await writeFile(page, withTranscript(text, shown));
    const commands = shown.map(({ command }) => command);
    expect(differences(await readFile(page, 'utf8'), commands)).toEqual([]);
  });

  it('left nothing in git but what the page says', async () => {
    const { stdout } = await newcomer.shell('git status --short');
    expect(stdout).toBe(' M modelgate.yaml\n');
  });
});

describe.skipIf(!python)(
  'a newcomer with numbers alone: no key, no time, a value that may be negative',
  () => {
    let newcomer: Newcomer;
    beforeAll(async () => {
      newcomer = await Newcomer.make({ 'balances.csv': balancesCsv() });
    });
    afterAll(() => newcomer.close());

    it('gets a repository whose first run passes its gate', async () => {
      const made = await newcomer.json('modelgate init --yes');
      expect(made).toMatchObject({
        exit: 0,
        chosen: { task: 'regression', label: 'balance', key: 'row_id', time: null, rows: 3000 },
      });
      expect(await newcomer.json('modelgate run')).toMatchObject({ exit: 0, verdict: 'pass', version: 1 });
    });
  },
);
