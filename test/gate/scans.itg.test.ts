import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Nodes } from 'mdast';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import { unified } from 'unified';
import { describe, expect, it } from 'vitest';
import { openDuckDb } from '../../src/data/duckdb.ts';
import { ScansPolicy } from '../../src/gate/policy-scans.ts';
import { GateRecord } from '../../src/gate/record.ts';
import { gateMarkdown } from '../../src/gate/report-markdown.ts';
import { parseJson } from '../../src/json.ts';
import { exitCode } from '../../src/outcome.ts';
import { register } from '../../src/registry/register.ts';
import { promote } from '../../src/rollout/move.ts';
import { runStage, type StageContext } from '../../src/stages/define.ts';
import { gate } from '../../src/stages/gate.ts';
import { requireSomeScan, storeScans } from '../../src/stages/scan-files.ts';
import { zip } from '../actions/zip-writer.ts';
import { model, ready, sha } from '../chatops/world.ts';
import { storeRun } from '../registry/runs.ts';
import { alice, contextOf } from '../registry/world.ts';
import { missing, tools } from '../workflows/tools.ts';
import {
  binaryRows,
  type EvaluationRecipe,
  openContext,
  policyOf,
  storeEvaluation,
  storeParquet,
  temporaryFolder,
} from './world.ts';

const folder = path.join(import.meta.dirname, '../fixtures/scans');
const report = (name: string) => path.join(folder, name);
const lock = readFileSync(report('requirements.lock'), 'utf8');
const columns = (() => {
  const rows = binaryRows({ rows: 2000, seed: 1 });
  return { ...rows, candidate: rows.champion };
})();
const metrics = [{ metric: 'auc', margin: 0.01 }];

const nodesOf = (markdown: string): Nodes[] => {
  const all = (node: Nodes): Nodes[] => [node, ...('children' in node ? node.children.flatMap(all) : [])];
  return all(unified().use(remarkParse).use(remarkGfm).parse(markdown));
};

/** The same good candidate each time; only the scans differ. */
async function judge(
  scans: readonly string[],
  {
    policy = {},
    today = null,
    recipe = {},
    context = openContext(),
  }: {
    policy?: object;
    today?: string | null;
    recipe?: Partial<EvaluationRecipe>;
    context?: StageContext;
  } = {},
) {
  const evaluation = await storeEvaluation(context, { columns, lock, ...recipe });
  const outcome = await runStage(
    gate,
    {
      evaluation,
      policy: policyOf({ metrics, scans: policy }),
      scans: await storeScans(context.store, scans),
      today,
    },
    context,
  );
  const text = async (name: string) => {
    const { files } = await context.store.readManifest(outcome.outputs.gate ?? '', 'gate');
    const file = files.find((one) => one.name === name);
    return file === undefined ? null : (await context.store.readBytes(file.sha256)).toString('utf8');
  };
  return { outcome, text, context };
}

describe('[GOV-8] scans in the gate', () => {
  it('a critical finding stops a candidate that is as good as the champion', async () => {
    expect((await judge([])).outcome.verdict).toBe('pass');
    const { outcome, text, context } = await judge([report('osv-scanner.json')], {
      policy: { unknown: 'warn' },
    });
    expect(outcome).toMatchObject({ verdict: 'fail', reason_code: 'gate_failed' });
    expect(exitCode(outcome as never)).toBe(1);
    expect(outcome.outputs.reasons).toEqual([
      'OSV-Scanner has 1 finding in the dependencies that stops the candidate: GHSA-aaaa-bbbb-cccc (CVE-2099-0001) in numpy 1.26.0, critical, fixed in 1.26.9.',
    ]);
    // the record says which findings were known, and keeps the report itself
    const manifest = await context.store.readManifest(outcome.outputs.gate ?? '', 'gate');
    expect(manifest.facts.scans).toMatchObject([
      {
        subject: 'dependencies',
        tool: 'OSV-Scanner',
        packages: 5,
        counts: { stops: 1, unknown: 1, below: 2 },
      },
    ]);
    expect(await text('scan-1.json')).toBe(readFileSync(report('osv-scanner.json'), 'utf8'));
    const record = GateRecord.parse(parseJson((await text('gate.json'))!, 8_000_000));
    expect(record.scans?.[0]?.findings[0]).toMatchObject({ id: 'GHSA-aaaa-bbbb-cccc', consequence: 'stops' });
    for (const name of ['report.md', 'report.html']) {
      const page = (await text(name))!;
      expect(page).toMatch(/Scans/);
      for (const said of ['CVE-2099-0002', 'pillow', '1.26.9', 'to look at']) expect(page).toContain(said);
    }
  });

  it('an equal question keeps its answer, another report or the day after an acceptance is a new one', async () => {
    const context = openContext();
    const accept = ['CVE-2099-0001', 'CVE-2099-0002'].map((id) => ({
      ...{ id, until: '2026-06-01', reason: 'not reached' },
    }));
    const ask = async (scan: string, today: string) =>
      (await judge([report(scan)], { policy: { accept }, today, context })).outcome;
    const first = await ask('osv-scanner.json', '2026-06-01');
    expect(first).toMatchObject({ verdict: 'pass', cached: false });
    expect(await ask('osv-scanner.json', '2026-06-01')).toMatchObject({ verdict: 'pass', cached: true });
    expect(await ask('osv-scanner.json', '2026-06-02')).toMatchObject({ verdict: 'fail', cached: false });
    expect(await ask('pip-audit.json', '2026-06-01')).toMatchObject({ verdict: 'pass', cached: false });
  });

  it('what is required and does not show anything is an error', async () => {
    const policy = { require: ['dependencies'] };
    const ended = async (scans: string[], recipe: Partial<EvaluationRecipe> = {}) => {
      const { outcome } = await judge(scans, { policy, recipe });
      expect([outcome.verdict, exitCode(outcome as never), outcome.outputs]).toEqual(['error', 1, {}]);
      return outcome.reason_code;
    };
    expect(await ended([])).toBe('scan_missing');
    expect(await ended([report('trivy-image.json')])).toBe('scan_missing');
    expect(await ended([report('README.md')])).toBe('scan_unreadable');
    // named by hand, since SARIF does not say what was scanned; nor does it list what was looked at
    expect(await ended([`dependencies=${report('osv-scanner.sarif')}`])).toBe('scan_incomplete');
    expect(await ended([`image=${report('osv-scanner.json')}`])).toBe('scan_unreadable');
    expect(() => requireSomeScan(ScansPolicy.parse(policy), [])).toThrow('none was given');
    expect(() => requireSomeScan(ScansPolicy.parse({}), [])).not.toThrow();
    const hash = `--hash=sha256:${'a'.repeat(64)}`;
    expect(await ended([report('osv-scanner.json')], { lock: `keras==3.0 ${hash}\n` })).toBe(
      'scan_incomplete',
    );
    await expect(judge([report('nowhere.json')])).rejects.toMatchObject({ code: 'scan_missing' });
    await expect(judge([folder])).rejects.toMatchObject({ code: 'scan_missing' });
  });

  it('names of a hostile report stay text, and the report within its limit', async () => {
    const evil = '</details>|@team [x](http://e) <img src=x> `a` \u202e\n## pass';
    const packages = Array.from({ length: 300 }, (_, i) => ({
      package: { name: `${evil}${i}`, version: evil, ecosystem: evil },
      vulnerabilities: [{ id: `GHSA-${i}${evil}`, aliases: [evil] }],
      groups: [{ ids: [`GHSA-${i}${evil}`], aliases: [evil], max_severity: '9.8' }],
    }));
    const results = [{ source: { path: evil, type: 'lockfile' }, packages }];
    const file = path.join(temporaryFolder(), 'evil.json');
    writeFileSync(file, JSON.stringify({ results, experimental_config: {} }));
    const { outcome, text } = await judge([file], { recipe: { lock: '' } });
    expect(outcome.verdict).toBe('fail');
    const record = GateRecord.parse(parseJson((await text('gate.json'))!, 8_000_000));
    for (const limit of [60_000, 5000]) {
      const page = gateMarkdown(record, { limit });
      expect(page.length).toBeLessThanOrEqual(limit);
      const nodes = nodesOf(page);
      const html = nodes.flatMap((node) => (node.type === 'html' ? [node.value] : []));
      expect(
        html.filter(
          (one) => !/^(<details><summary>[^<]*<\/summary>|<\/details>|<\/?sub>|<!-- modelgate)/.test(one),
        ),
      ).toEqual([]);
      expect(html.filter((one) => one.startsWith('<details>'))).toHaveLength(
        html.filter((one) => one === '</details>').length,
      );
      expect(nodes.filter(({ type }) => ['link', 'image', 'linkReference'].includes(type))).toEqual([]);
      const plain = nodes.flatMap((node) => (node.type === 'text' ? [node.value] : []));
      expect(plain.filter((one) => /@team/.test(one))).toEqual([]);
    }
    const html = (await text('report.html'))!;
    expect(html).not.toContain('<img src=x');
  });

  it('/promote refuses the version, and so does the command line', async () => {
    const world = await ready();
    const { store } = world.registry;
    world.open({ headSha: sha('2') });
    const folder = temporaryFolder();
    const context: StageContext = {
      ...contextOf(world.registry, alice),
      engine: (options) => openDuckDb({ workDirectory: folder, ...options }),
      producer: { commit: sha('2'), run: '2', attempt: 1, trigger: 'push', modelgate: '0.1.0' },
    };
    const { label, candidate } = columns;
    const key = Array.from(label, (_, i) => `e${i}`);
    const judged = await storeRun(store, {
      seed: 9,
      model: { producer: context.producer },
      evaluation: {
        files: [{ name: 'predictions.parquet', ...(await storeParquet(context, { key, label, candidate })) }],
        facts: { rows: label.length, evaluation_set: { id: 'june', sha256: 'e'.repeat(64) } },
      },
    });
    const evaluation = (await store.readManifest(judged)).inputs.evaluation!;
    const decide = async (scans: string[]) =>
      runStage(
        gate,
        {
          evaluation,
          policy: policyOf({ floors: [{ metric: 'auc', min: 0.6 }] }),
          scans: await storeScans(store, scans),
        },
        context,
      );
    expect((await decide([])).verdict).toBe('pass');
    const outcome = await decide([report('osv-scanner.json')]);
    expect(exitCode(outcome as never)).toBe(1);
    const { version } = await register(world.registry, { model, gate: outcome.outputs.gate!, actor: alice });

    const refused = await world.say('max', '/promote to staging');
    expect(refused).toMatchObject({ decision: 'refused', reason: 'gate_failed' });
    expect(world.github.workflowRuns).toEqual([]);
    await expect(
      promote(world.registry, {
        ...{ model, version, environment: 'staging', environments: ['staging', 'production'] },
        ...{ actor: alice, op_id: null, reason: null, dry_run: false, override: null },
        expected_generation: null,
      }),
    ).rejects.toMatchObject({ code: 'not_passed' });
    const told = await world.say('max', `/explain ${model}@${version}`);
    expect(told.details).toContain('GHSA-');
    expect(told.details).toContain('numpy');
  });
});

const skipped = missing('osvScanner');

describe.skipIf(skipped !== null)(
  `[GOV-8] OSV-Scanner itself${skipped === null ? '' : ` (${skipped})`}`,
  () => {
    it('scans the lock, over a database of its own', async () => {
      const work = temporaryFolder();
      const entry = {
        ...{ schema_version: '1.6.0', id: 'GHSA-aaaa-bbbb-cccc', modified: '2025-01-01T00:00:00Z' },
        severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
        affected: [
          {
            package: { ecosystem: 'PyPI', name: 'numpy' },
            ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '1.26.9' }] }],
          },
        ],
      };
      mkdirSync(path.join(work, 'osv-scalibr/PyPI'), { recursive: true });
      const database = zip([{ name: `${entry.id}.json`, content: Buffer.from(JSON.stringify(entry)) }]);
      writeFileSync(path.join(work, 'osv-scalibr/PyPI/all.zip'), database);
      const scan = (text: string, name: string) => {
        writeFileSync(path.join(work, 'requirements.lock'), text);
        const file = path.join(work, name);
        const args = ['scan', 'source', '--offline', '--all-packages', '--format', 'json'];
        const source = ['--lockfile', `requirements.txt:${path.join(work, 'requirements.lock')}`];
        try {
          execFileSync(tools.osvScanner, [...args, ...source, '--output-file', file], {
            env: { ...process.env, OSV_SCANNER_LOCAL_DB_CACHE_DIRECTORY: work },
            stdio: 'pipe',
          });
          return { file, status: 0 };
        } catch (error) {
          return { file, status: (error as { status: number }).status };
        }
      };
      const bad = scan(lock, 'bad.json');
      expect(bad.status).toBe(1);
      const policy = { require: ['dependencies'] };
      const stopped = await judge([bad.file], { policy });
      expect(stopped.outcome.summary).toContain('numpy 1.26.0, critical, fixed in 1.26.9');
      const mended = lock.replace('numpy==1.26.0', 'numpy==1.26.9');
      const good = scan(mended, 'good.json');
      expect(good.status).toBe(0);
      expect((await judge([good.file], { policy, recipe: { lock: mended } })).outcome.verdict).toBe('pass');
      // the clean scan of the mended lock does not speak for the old one
      expect((await judge([good.file], { policy })).outcome.reason_code).toBe('scan_incomplete');
      expect(scan('', 'empty.json').status).toBe(128);
      // it sees every package of a lock as init writes it
      const flights = readFileSync(
        path.join(import.meta.dirname, '../../examples/flights/train/requirements.lock'),
        'utf8',
      );
      const { file } = scan(flights, 'flights.json');
      const { outcome } = await judge([file], { policy, recipe: { lock: flights } });
      expect(outcome.reason_code).toMatch(/^gate_/);
    });
  },
);
