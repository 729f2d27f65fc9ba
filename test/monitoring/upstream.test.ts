import { utimes } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { buildAlert } from '../../src/monitoring/alert.ts';
import { lastDayAnswer, upstreamPart } from '../../src/monitoring/alert-upstream.ts';
import { plainSignal, type Signal } from '../../src/monitoring/signal.ts';
import { readUpstream, type Upstream } from '../../src/monitoring/upstream.ts';
import { readValidations } from '../../src/monitoring/validation-log.ts';
import { runStage } from '../../src/stages/define.ts';
import { ingest, prepareSources } from '../../src/stages/ingest.ts';
import { validate } from '../../src/stages/validate.ts';
import { keys } from '../../src/store/keys.ts';
import type { ManifestKind } from '../../src/store/manifest.ts';
import { type TestContext, testContext } from '../data/context.ts';

const model = 'parcels';
const contractText = (version: string, properties: string) => `apiVersion: v3.1.0
kind: DataContract
id: parcels
version: '${version}'
status: active
schema:
  - name: parcels
    properties:
${properties}
`;
const columns = `      - { name: parcel, logicalType: string, required: true }
      - { name: weight, logicalType: number }`;

let bed: TestContext;
beforeEach(async () => {
  bed = await testContext();
  onTestFinished(() => bed.close());
});

let batches = 0;
/** A dataset of one source `parcels` by SQL over i. */
async function dataset(select: string): Promise<string> {
  const file = await bed.parquet(`batch-${batches++}.parquet`, `SELECT ${select} FROM range(400) AS t(i)`);
  const sources = await prepareSources({ sources: { parcels: { file } }, store: bed.store });
  const { outputs, summary } = await runStage(ingest, { sources, model }, bed.context);
  if (outputs.dataset === undefined) throw new Error(summary);
  return outputs.dataset;
}

/** Validates at a day of June, as the store's clock has it too. */
async function validated(day: number, made: string, contract: string, of = model): Promise<string> {
  const before = new Set<string>();
  for await (const { key } of bed.store.storage.list(keys.stageCaches('validate'))) before.add(key);
  const as_of = `2026-06-${String(day).padStart(2, '0')}T06:00:00Z`;
  const { verdict, summary } = await runStage(
    validate,
    { model: of, dataset: made, contracts: { parcels: contract }, as_of, baseline: null },
    bed.context,
  );
  if (verdict === 'error') throw new Error(summary);
  for await (const { key } of bed.store.storage.list(keys.stageCaches('validate'))) {
    if (before.has(key)) continue;
    await utimes(path.join(bed.folder, 'store', key), new Date(as_of), new Date(as_of));
  }
  return verdict;
}

async function trainedOn(made: string, trained_at = '2026-06-02T00:00:00Z'): Promise<string> {
  const put = (kind: ManifestKind, inputs: Record<string, string>, facts = {}) =>
    bed.store.putManifest({ kind, files: [], inputs, facts, producer: bed.context.producer });
  const features = await put('features', { dataset: made });
  return put('model', { split: await put('split', { features }) }, { trained_at });
}

const read = (manifest: string, drifted: string[] = []): Promise<Upstream> =>
  readUpstream(bed.store, {
    ...{ model, manifest, drifted },
    since: new Date('2026-06-10T00:00:00Z'),
    now: new Date('2026-06-20T12:00:00Z'),
  });

const parcels = `'p' || i AS parcel, (i % 50)::DOUBLE AS weight, CASE WHEN i % 2 = 0 THEN 'north' ELSE 'south' END AS depot`;

describe('[ALR-1] what changed upstream', () => {
  it('tells new snapshots, contracts, columns and validations since the training, from what the stages stored', async () => {
    const old = await bed.code({
      'contract.yaml': contractText('1.0.0', `${columns}\n      - { name: depot }`),
    });
    const now = await bed.code({
      'contract.yaml': contractText(
        '1.1.0',
        `${columns.replace('logicalType: number', 'logicalType: number, quality: [{metric: nullValues, mustBeLessThan: 5, unit: percent}]')}\n      - { name: floor }`,
      ),
    });
    const first = await dataset(parcels);
    await validated(1, first, old);
    const manifest = await trainedOn(first);
    const second = await dataset(
      `'p' || i AS parcel, CASE WHEN i % 4 = 0 THEN NULL ELSE (i % 50)::INTEGER + 10 END AS weight, 1 AS floor`,
    );
    expect(await validated(19, second, now)).toBe('fail');
    expect(await validated(20, second, old)).toBe('fail');
    expect(await validated(20, second, old, 'another')).toBe('fail');

    const upstream = await read(manifest, ['weight']);
    expect(upstream).toMatchObject({ trained_on: first, newest: second, notes: [] });
    expect(upstream.arrivals).toMatchObject([
      { source: 'parcels', at: '2026-06-20T06:00:00.000Z', verdict: 'fail', rows: 400 },
    ]);
    const told = upstream.columns.map(({ name, change, type_before, type_after }) => [
      ...[name, change, type_before, type_after],
    ]);
    expect(told).toEqual([
      ['weight', 'retyped', 'DOUBLE', 'INTEGER'],
      ['depot', 'removed', 'VARCHAR', null],
      ['floor', 'added', null, 'INTEGER'],
    ]);
    expect(upstream.columns[0]).toMatchObject({ null_rate_before: 0, null_rate_after: 0.25 });
    expect(upstream.problems.map(({ at, verdict }) => [at.slice(0, 10), verdict])).toEqual([
      ['2026-06-20', 'fail'],
      ['2026-06-19', 'fail'],
    ]);
    expect(upstream.last_day.map(({ at }) => at.slice(0, 10))).toEqual(['2026-06-20']);
    expect(upstream.contracts).toEqual([]);

    // and the contract that changed is told once it is the newest
    await validated(21, second, now);
    const later = await read(manifest, ['weight']);
    expect(later.contracts).toMatchObject([
      { source: 'parcels', change: 'changed', version_before: '1.0.0', version_after: '1.1.0', note: null },
    ]);
    expect(later.contracts[0]?.rules).toEqual([
      { rule: 'depot.type', before: 'any', after: null },
      { rule: 'weight.nullValues', before: null, after: 'less than 5 percent' },
      { rule: 'floor.type', before: null, after: 'any' },
    ]);
    const text = upstreamPart(later);
    expect(text).toContain(String.raw`went from version 1\.0.0 to 1\.1.0: 3 rules differ`);
    expect(text).toMatch(/\| parcels \| weight \| DOUBLE → INTEGER \| 0 % → 25 % \|/);
    expect(text).toContain('**Snapshots that came since the training**');
    expect(text).toContain('**Validations that failed or warned**');
  });

  it('tells how far a drifted column moved in the source, and leaves alone one that did not', async () => {
    const contract = await bed.code({ 'contract.yaml': contractText('1', columns) });
    const first = await dataset(parcels);
    await validated(1, first, contract);
    const manifest = await trainedOn(first);
    await validated(19, await dataset(parcels.replace('i % 50', 'i % 50 + 25')), contract);
    const { columns: told } = await read(manifest, ['weight']);
    expect(told).toMatchObject([{ name: 'weight', change: 'kept', unit: 'sd' }]);
    // 25 of a standard deviation of 14.4, to within a bin
    expect(told[0]?.effect).toBeCloseTo(25 / 14.4, 0);
    expect((await read(manifest)).columns).toEqual([]);
  });

  it('says plainly that nothing known changed, or that nothing is known', async () => {
    const contract = await bed.code({
      'contract.yaml': contractText('1', `${columns}\n      - { name: depot }`),
    });
    const first = await dataset(parcels);
    const manifest = await trainedOn(first);
    const unknown = await read(manifest);
    expect(unknown.notes).toEqual(['The store remembers no validation of this model.']);
    expect(upstreamPart(unknown)).toContain('Nothing is known to have changed upstream.');
    await validated(1, first, contract);
    await validated(20, first, contract);
    const same = await read(manifest);
    expect(same).toMatchObject({ arrivals: [], columns: [], contracts: [], problems: [], notes: [] });
    expect(upstreamPart(same)).toContain('Nothing known changed upstream: the data that were validated last');
    const without = await bed.store.putManifest({
      ...{ kind: 'model', files: [], inputs: {}, facts: {}, producer: bed.context.producer },
    });
    expect((await read(without)).notes).toEqual([
      'The package does not lead to the data that it was trained on.',
    ]);
  });

  it('leaves out stored outcomes that are damaged, of another form or of another model', async () => {
    const contract = await bed.code({
      'contract.yaml': contractText('1', `${columns}\n      - { name: depot }`),
    });
    await validated(1, await dataset(parcels), contract);
    const [good] = await readValidations(bed.store.storage, model);
    expect(good).toMatchObject({ verdict: 'pass', as_of: '2026-06-01T06:00:00Z', problems: [] });
    const wrong = ['{', '[]', `${'['.repeat(300)}${']'.repeat(300)}`, '{"__proto__": 1}', '\u0000'];
    for (const [i, text] of wrong.entries()) {
      await bed.store.storage.create(keys.cache('validate', String(i).repeat(64)), Buffer.from(text));
    }
    expect(await readValidations(bed.store.storage, model)).toEqual([good]);
    expect(await readValidations(bed.store.storage, 'another')).toEqual([]);
  });

  it('lets no name, type, rule or message become markup, a link or a mention, and stays small', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 80 }),
      fc.constantFrom(
        '<img src=x onerror=alert(1)>',
        '@octocat #1',
        '![a](http://x.y)',
        '| a |\n# h',
        '-->',
        '```\n',
      ),
    );
    fc.assert(
      fc.property(hostile, (word) => {
        const many = <T>(one: T): T[] => Array.from({ length: 300 }, () => one);
        const at = '2026-06-20T06:00:00.000Z';
        const record = {
          ...{ model, at, as_of: word, verdict: 'fail' as const, dataset: 'd'.repeat(64), contracts: {} },
          ...{ counts: { pass: 1, warn: 2, fail: 3 }, problems: [word, word] },
        };
        const text = upstreamPart({
          ...{ trained_on: 'a'.repeat(64), newest: 'b'.repeat(64), notes: [word] },
          arrivals: many({
            source: word,
            snapshot: 'c'.repeat(64),
            at,
            verdict: 'warn',
            rows: 1,
            newest: word,
          }),
          columns: many({
            ...{ source: word, name: word, change: 'retyped', type_before: word, type_after: word },
            ...{ null_rate_before: 0, null_rate_after: null, effect: null, unit: null },
          }),
          contracts: [
            {
              ...{ source: word, change: 'changed', before: null, after: null, note: null },
              ...{ version_before: word, version_after: `${word}2` },
              rules: many({ rule: word, before: word, after: null }),
            },
          ],
          problems: many(record),
          last_day: many(record),
        });
        expect(text).not.toMatch(/@[A-Za-z0-9]|(^|[^\\])!\[|\]\(|<(?!\/?(details|summary)>)/);
        expect(text.match(/^#+ /gm)).toEqual(['### ']);
        expect(text.length).toBeLessThan(40_000);
      }),
      { seed: 7, numRuns: 40 },
    );
  });
});

describe('an alert with much to tell of upstream', () => {
  it('keeps its runbook and decision, and leaves the rest to the report', () => {
    const summary = `${'long '.repeat(70)}moved`;
    const signals: Signal[] = Array.from({ length: 31 }, (_, i) => ({
      ...{ ...plainSignal, signal: 'data_drift', name: `feature_${i}`, verdict: 'alert', summary },
    }));
    const word = '_*#|'.repeat(60);
    const at = '2026-06-20T06:00:00.000Z';
    const arrivals: Upstream['arrivals'] = Array.from({ length: 20 }, () => ({
      ...{ source: word, snapshot: 'c'.repeat(64), at, verdict: 'pass', rows: 1, newest: word },
    }));
    const rules = Array.from({ length: 50 }, () => ({ rule: word, before: word, after: word }));
    const problems = Array.from({ length: 20 }, (): Upstream['problems'][number] => ({
      ...{ model, at, as_of: at, verdict: 'fail', dataset: 'd'.repeat(64), contracts: {} },
      ...{ counts: { pass: 1, warn: 2, fail: 3 }, problems: [word, word] },
    }));
    const upstream: Upstream = {
      ...{ trained_on: null, newest: null, arrivals, columns: [], problems, last_day: problems },
      notes: Array.from({ length: 60 }, () => word.repeat(2)),
      contracts: [
        {
          ...{ source: word, change: 'changed', before: null, after: null, note: null, rules },
          ...{ version_before: '1', version_after: '2' },
        },
      ],
    };
    const { body } = buildAlert({
      ...{ cause: 'data_drift', subject: null, signals, report: null, predictions: [], upstream },
      runbook: { runbook: 'drift', steps: [], action: 'retrain', reason: 'So.', days: null },
    });
    expect(body.length).toBeLessThan(50_000);
    expect(body).toContain('The report has it.');
    expect(body).toContain('### Decision: Retrain');
  });
});

describe('[VAL-8] the validations of the last 24 hours', () => {
  const record = (verdict: 'pass' | 'warn' | 'fail', problems: string[] = []) => ({
    ...{ model, at: '2026-06-20T06:00:00.000Z', as_of: '2026-06-20', dataset: 'd'.repeat(64), contracts: {} },
    ...{ verdict, problems, counts: { pass: 1, warn: 0, fail: 0 } },
  });

  it('are answered yes, no or unknown, with how many and the first broken rule', () => {
    expect(lastDayAnswer([])).toEqual({ answer: 'unknown', detail: 'none was stored in the last 24 hours' });
    expect(lastDayAnswer([record('pass')])).toEqual({
      answer: 'yes',
      detail: '1 validation in 24 hours, none failed',
    });
    expect(lastDayAnswer([record('warn', ['tail is 6 % null']), record('pass')])).toEqual({
      ...{ answer: 'yes', detail: '2 validations in 24 hours, none failed, 1 warned: tail is 6 % null' },
    });
    expect(lastDayAnswer([record('pass'), record('fail', ['distance is gone'])])).toEqual({
      ...{ answer: 'no', detail: '2 validations in 24 hours, 1 failed: distance is gone' },
    });
  });
});
