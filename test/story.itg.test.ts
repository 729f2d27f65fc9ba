import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const root = path.join(import.meta.dirname, '..');
const example = path.join(root, 'examples/flights');
const minutes = 60_000;

async function start(): Promise<string> {
  const { stdout } = await run(process.execPath, [path.join(example, 'start.ts')], {
    cwd: root,
    maxBuffer: 10_000_000,
  });
  return stdout;
}

async function modelgate(...args: string[]): Promise<Record<string, unknown>> {
  const { stdout } = await run(process.execPath, [path.join(root, 'bin/modelgate.js'), ...args, '--json'], {
    cwd: example,
    maxBuffer: 10_000_000,
  });
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** The lines of one chapter. */
function chapter(story: string, number: number): string {
  return story.split(/\n(?=\d {2})/).find((part) => part.startsWith(`${number}  `)) ?? '';
}

describe('npm start', () => {
  let story: string;
  beforeAll(async () => {
    await rm(path.join(example, '.modelgate'), { recursive: true, force: true });
    story = await start();
  }, 15 * minutes);

  it('makes the first version of January and promotes it in order [REG-4]', () => {
    expect(chapter(story, 1)).toMatch(/✓ gate .*floor/);
    expect(chapter(story, 1)).toMatch(
      /staging promoted from nothing to version 1[\s\S]*production promoted from nothing/,
    );
  });

  it('scores a better candidate beside the champion and promotes it [EVA-4]', () => {
    expect(chapter(story, 2)).toContain('Scored candidate and champion on');
    expect(chapter(story, 2)).toMatch(/✓ gate .*auc rose by .*\[.*\]; the margin is/);
    expect(chapter(story, 2)).toContain('production promoted from version 1 to version 2');
  });

  it('stops a worse candidate with interval and margin, and refuses to promote it [GAT-2, GAT-4]', () => {
    expect(chapter(story, 3)).toMatch(/✗ gate .*auc fell by .*\[.*\]; the margin is/);
    expect(chapter(story, 3)).toMatch(/✗ promote .*failed its gate/);
  });

  it('does not fail a twin, and says that the difference lies within the noise of retraining', () => {
    expect(chapter(story, 4)).toMatch(/noise .*5 retrainings/);
    expect(chapter(story, 4)).not.toContain('✗ gate');
    expect(chapter(story, 4)).toMatch(/gate .*within the noise of retraining/);
  });

  it('refuses broken batches before training, naming old and new column [ING-1, ING-2, ING-4, VAL-5]', () => {
    expect(chapter(story, 5)).toMatch(/✗ .*carrier → airline/);
    expect(chapter(story, 5)).toMatch(/✗ .*type of distance changed/);
    expect(chapter(story, 5)).toMatch(/✗ .*stale/);
    expect(chapter(story, 5)).toMatch(/✗ .*rows repeat/);
    expect(chapter(story, 5)).not.toContain('train ');
  });

  it('serves June and July, finds what moved, and decides on retraining [SRV-2, ALR-1, MON-1]', () => {
    expect(chapter(story, 6)).toMatch(/✓ serve .*55307 flights/);
    expect(chapter(story, 6)).toMatch(/monitor .*mean .* → .*sd apart/);
    expect(chapter(story, 7)).toContain('retrain: ');
  });

  it('promotes the retrained model, rolls it back, and the serving process follows [DEP-4]', () => {
    expect(chapter(story, 7)).toContain('production promoted from version 2 to version 5');
    expect(chapter(story, 7)).toContain('production rolled back from version 5 to version 2');
    expect(chapter(story, 7)).toMatch(/✓ serve .*answers with version 2/);
  });

  it('answers what runs and traces a prediction to its data [REG-2, OBS-4]', async () => {
    expect(chapter(story, 8)).toMatch(/data: .*flights [0-9a-f]{12} \(80687 rows\)/);
    const status = await modelgate('status');
    expect(status.environments).toMatchObject([
      { environment: 'staging', version: 5, rollback_to: 2 },
      { environment: 'production', version: 2, generation: 4 },
    ]);
    expect((await modelgate('registry', 'verify', '--read-data')).answer).toBe('sound');
  });

  it('writes a report that asks nothing of the network', async () => {
    const html = await readFile(path.join(example, '.modelgate/report.html'), 'utf8');
    expect(html).toContain('<svg');
    expect(html).not.toMatch(/(src|href)="(https?:)?\/\//);
  });

  it(
    'reads every stage back at the second start [TRN-12, ING-11]',
    async () => {
      const again = await start();
      for (const stage of ['ingest', 'features', 'split', 'train', 'evaluate', 'noise', 'gate']) {
        const lines = again.split('\n').filter((line) => new RegExp(`^   [✓✗?] ${stage} `).test(line));
        expect(lines.length).toBeGreaterThan(0);
        for (const line of lines) expect(line).toContain('(read back)');
      }
    },
    5 * minutes,
  );
});
