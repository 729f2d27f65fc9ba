import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DriftColumn } from '../../src/monitoring/drift-report.ts';
import { readable } from '../../src/monitoring/format.ts';
import { MonitoringPolicy } from '../../src/monitoring/policy.ts';
import { runStage } from '../../src/stages/define.ts';
import { drift } from '../../src/stages/drift.ts';
import { type Bench, bench, driftInputs } from './context.ts';

const flights = path.resolve('examples/flights/data/flights.parquet');

interface Change {
  time?: string | null;
  columns?: string[];
  policy?: Record<string, unknown>;
  importance?: string;
}

async function compare(bed: Bench, tables: { reference: string; current: string }, change: Change = {}) {
  const { policy, ...rest } = change;
  const inputs = { ...driftInputs, ...tables, ...rest };
  const outcome = await runStage(
    drift,
    { ...inputs, policy: MonitoringPolicy.parse({ permutations: 499, ...policy }) },
    bed.context,
  );
  const column = (name: string): DriftColumn => {
    const found = outcome.outputs.columns?.find((one) => one.name === name);
    if (found === undefined) throw new Error(`no column ${name}: ${outcome.summary}`);
    return found;
  };
  return { outcome, column };
}

/** 20 days of 60 rows a side; `value`, `level` and `id` are SQL over i (row), d (day) and u (uniform). */
async function days(bed: Bench, change: { value?: string; level?: string; more?: string } = {}) {
  const side = (name: string, first: string, salt: number, own: typeof change) =>
    bed.parquet(
      `${name}.parquet`,
      `SELECT DATE '${first}' + CAST(d AS INTEGER) AS event, ${own.value ?? '10 * u'} AS value,
         ${own.level ?? `CASE WHEN v < 0.6 THEN 'a' ELSE 'b' END`} AS level, 'id-' || i AS id ${own.more ?? ''}
       FROM (SELECT i, i // 60 AS d, (hash(i, ${salt}) % 10007) / 10007.0 AS u, (hash(i, ${salt + 1}) % 10007) / 10007.0 AS v
             FROM range(1200) AS t(i))`,
    );
  return {
    reference: await side('reference', '2013-01-07', 1, {}),
    current: await side('current', '2013-02-04', 5, change),
  };
}

describe('drift', () => {
  it('finds nothing between alike days, and leaves the identifier out and says so', async () => {
    const bed = await bench();
    const { outcome } = await compare(bed, await days(bed), { time: 'event' });
    expect(outcome).toMatchObject({ verdict: 'pass', reason_code: 'no_drift' });
    expect(outcome.outputs.drifted).toEqual([]);
    expect(outcome.outputs.assumes_independent_rows).toBe(false);
    expect(outcome.outputs.left_out).toEqual([
      expect.objectContaining({ name: 'event', reason: 'time' }),
      expect.objectContaining({ name: 'id', reason: 'identifier' }),
    ]);
  });

  it('tells a moved value, null rate and unseen level as effects of their own, with unit and threshold', async () => {
    const bed = await bench();
    const tables = await days(bed, {
      value: 'CASE WHEN i % 10 > 6 THEN NULL ELSE 10 * ((7 * u) % 1) END',
      level: `CASE WHEN v < 0.1 THEN 'new' WHEN v < 0.6 THEN 'a' ELSE 'b' END`,
    });
    const { outcome, column } = await compare(bed, tables, { time: 'event' });
    expect(outcome).toMatchObject({ verdict: 'inconclusive', reason_code: 'drift_found' });
    const nulls = column('value').aspects.find(({ aspect }) => aspect === 'nulls');
    expect(nulls).toMatchObject({ verdict: 'drift', unit: 'points', effect: expect.closeTo(30, 6) });
    expect(column('value').aspects.find(({ aspect }) => aspect === 'distribution')?.verdict).toBe('ok');
    expect(column('value').summary).toBe('value: nulls 0 % → 30 % of the rows');
    expect(column('level').aspects.find(({ aspect }) => aspect === 'unseen')).toMatchObject({
      verdict: 'drift',
    });
    expect(column('level').unseen).toMatchObject({ levels: ['new'], share: expect.closeTo(0.1, 1) });
  });

  it('lets segments add up to the whole, in the column itself and over another one', async () => {
    const bed = await bench();
    const tables = await days(bed, { value: `10 * u + CASE WHEN v < 0.6 THEN 5 ELSE 0 END` });
    const { column } = await compare(bed, tables, { time: 'event' });
    const { segments, psi, mean_current, mean_reference } = column('value');
    const sum = (dimension: string) =>
      segments
        .filter((one) => one.dimension === dimension)
        .reduce((total, { contribution }) => total + contribution, 0);
    expect(sum('value')).toBeCloseTo(psi!, 9);
    expect(sum('level')).toBeCloseTo(mean_current! - mean_reference!, 9);
    const [first] = segments.filter((one) => one.dimension === 'level');
    expect(first).toMatchObject({ segment: 'a', of: 'mean_difference' });
    expect(first!.contribution).toBeGreaterThan(0.8 * first!.total);
  });

  it('keeps a shift under the configured floor of its column for itself', async () => {
    const bed = await bench();
    const tables = await days(bed, { value: '10 * u + 2' });
    expect((await compare(bed, tables, { time: 'event' })).outcome.outputs.drifted).toEqual(['value']);
    const floored = await compare(bed, tables, {
      time: 'event',
      policy: { floors: { value: { shift: 3 } } },
    });
    expect(floored.outcome.outputs.drifted).toEqual([]);
    expect(floored.column('value').effect_threshold).toBeGreaterThan(floored.column('value').effect!);
  });

  it('[MON-1] runs K-S on continuous and chi-squared on categorical columns at 95 %, PSI and KL by choice', async () => {
    const bed = await bench();
    const tables = await days(bed, { value: '10 * u + 1', level: `CASE WHEN v < 0.5 THEN 'a' ELSE 'b' END` });
    // a floor that the decision by blocks does not pass: only the classical rules can speak
    const floor = { sd: 100, points: 100 };
    const silent = await compare(bed, tables, { time: 'event', policy: { floor } });
    expect(silent.outcome.outputs.drifted).toEqual([]);
    const classical = await compare(bed, tables, {
      time: 'event',
      policy: { floor, classical: { ks: 0.05, chi_square: 0.05 } },
    });
    expect(classical.column('value').rules_broken).toEqual([expect.stringMatching(/^ks p .* < 0\.05$/)]);
    expect(classical.column('level').rules_broken).toEqual([
      expect.stringMatching(/^chi_square p .* < 0\.05$/),
    ]);
    expect([...(classical.outcome.outputs.drifted ?? [])].sort()).toEqual(['level', 'value']);
    const chosen = await compare(bed, tables, {
      time: 'event',
      policy: { floor, classical: { psi: 0.05, kl: 10 } },
    });
    expect(chosen.column('value').rules_broken).toEqual([expect.stringMatching(/^psi .* > 0\.05$/)]);
    const every = await compare(bed, tables, {
      time: 'event',
      policy: {
        floor,
        classical: {
          ...{ ks: 0.05, cramer_von_mises: 0.05, chi_square: 0.05, g: 0.05, psi: 0.01, kl: 0.01 },
          ...{ js_distance: 0.01, hellinger: 0.01, total_variation: 0.01, l_infinity: 0.01 },
          wasserstein_normed: 0.01,
        },
      },
    });
    const told = (name: string) => every.column(name).rules_broken.map((rule) => rule.split(' ')[0]);
    const ofShares = ['psi', 'kl', 'js_distance', 'hellinger', 'total_variation', 'l_infinity'];
    expect(told('value')).toEqual(['ks', 'cramer_von_mises', ...ofShares, 'wasserstein_normed']);
    expect(told('level')).toEqual(['chi_square', 'g', ...ofShares]);
    // it sorts all rows: measured where it is asked for
    expect(every.column('value').cramer_von_mises).not.toBeNull();
    expect(classical.column('value').cramer_von_mises).toBeNull();
    const still = await compare(bed, await days(bed), {
      time: 'event',
      policy: { classical: { psi: 0.2, kl: 0.5, hellinger: 0.1, wasserstein_normed: 0.1 } },
    });
    expect(still.outcome.outputs.drifted).toEqual([]);
  });

  it('[MON-8] says what is missing to decide: rows, blocks, values', async () => {
    const bed = await bench();
    const full = await days(bed);
    const part = (name: string, where: string) => bed.parquet(name, `SELECT * FROM '${'x'}' WHERE ${where}`);
    await bed.engine.addFile('x', full.current);
    const fewRows = await compare(
      bed,
      { ...full, current: await part('few.parquet', `hash(id) % 10 = 0`) },
      { time: 'event' },
    );
    expect(fewRows.column('value')).toMatchObject({ verdict: 'too_few_rows', decidable: false });
    const fewDays = await compare(
      bed,
      { ...full, current: await part('days.parquet', `event < DATE '2013-02-09'`) },
      { time: 'event' },
    );
    expect(fewDays.column('value')).toMatchObject({
      verdict: 'not_decidable',
      decidable: false,
      p_block: null,
    });
    const none = await compare(
      bed,
      { ...full, current: await part('none.parquet', 'FALSE') },
      { time: 'event' },
    );
    expect(none.column('value')).toMatchObject({ verdict: 'empty', n_current: 0 });
    for (const { outcome } of [fewRows, fewDays, none]) {
      expect(outcome).toMatchObject({ verdict: 'inconclusive', reason_code: 'not_decidable' });
    }
  });

  it('takes the times of a file without rows for what they are in the other one', async () => {
    const bed = await bench();
    const tables = await days(bed, { value: '10 * u + 2' });
    const bare = path.join(bed.folder, 'bare.csv');
    await writeFile(bare, 'event,value,level,id\n');
    const { outcome, column } = await compare(bed, { ...tables, current: bare }, { time: 'event' });
    expect(column('value')).toMatchObject({ kind: 'numeric', verdict: 'empty' });
    expect(outcome.outputs.schema_differences).toMatchObject({ changed: [] });
    expect(outcome).toMatchObject({ verdict: 'inconclusive', reason_code: 'not_decidable' });
  });

  it('takes rows as independent without a time column, and flags it', async () => {
    const bed = await bench();
    const tables = await days(bed, { value: '10 * u + 2' });
    const { outcome, column } = await compare(bed, tables);
    expect(outcome.outputs).toMatchObject({
      assumes_independent_rows: true,
      drifted: ['value'],
      multiplicity: 'benjamini_hochberg',
    });
    expect(column('value').p_block).toBe(column('value').ks?.p_value);
  });

  it('weighs severity by importance', async () => {
    const bed = await bench();
    const importance = path.join(bed.folder, 'importance.json');
    await writeFile(importance, '{"value": 1, "level": 3}');
    const tables = await days(bed, { value: '10 * u + 2', level: `CASE WHEN v < 0.4 THEN 'a' ELSE 'b' END` });
    const { column } = await compare(bed, tables, { time: 'event', importance });
    const { importance: share, severity, effect, effect_threshold } = column('value');
    expect(share).toBe(0.25);
    expect(severity).toBeCloseTo((0.25 * effect!) / effect_threshold, 12);
  });

  it('says which columns are missing, new or of another type', async () => {
    const bed = await bench();
    const { reference, current } = await days(bed);
    await bed.engine.addFile('now', current);
    const changed = await bed.parquet(
      'changed.parquet',
      `SELECT event, CAST(value AS VARCHAR) AS value, level AS grade, id FROM now`,
    );
    const { outcome } = await compare(bed, { reference, current: changed }, { time: 'event' });
    expect(outcome).toMatchObject({ verdict: 'inconclusive', reason_code: 'schema_differs' });
    expect(outcome.outputs.schema_differences).toEqual({
      missing: ['level'],
      unexpected: ['grade'],
      changed: [{ name: 'value', reference: expect.any(String), current: 'VARCHAR' }],
    });
  });

  it('takes hostile column names and values as what they are', async () => {
    const bed = await bench();
    const name = `"; DROP TABLE x; --' | <b>@me`;
    const side = (file: string, level: string) =>
      bed.parquet(
        file,
        `SELECT CASE WHEN i % 2 = 0 THEN '${level}' ELSE 'b' END AS "${name.replaceAll('"', '""')}" FROM range(1000) AS t(i)`,
      );
    const tables = {
      reference: await side('a.parquet', '<script>'),
      current: await side('b.parquet', '@octocat'),
    };
    const { outcome, column } = await compare(bed, tables);
    expect(outcome.outputs.drifted).toEqual([name]);
    expect(column(name).unseen?.levels).toEqual(['@octocat']);
    const manifest = await bed.context.store.readManifest(outcome.outputs.drift!, 'drift');
    const issue = (
      await bed.context.store.readBytes(bed.context.store.file(manifest, 'issue.md').sha256)
    ).toString();
    expect(issue).not.toMatch(/@octocat|<script>|<b>/);
  });

  it('tells a user what is wrong with a column or a time', async () => {
    const bed = await bench();
    const tables = await days(bed);
    const error = async (change: Change) => (await compare(bed, tables, change)).outcome.error;
    expect(await error({ time: 'when' })).toMatchObject({
      code: 'usage',
      where: '--time',
      fix: expect.stringContaining('event'),
    });
    expect(await error({ time: 'Value' })).toMatchObject({ code: 'usage', fix: 'Did you mean "value"?' });
    expect(await error({ time: 'value' })).toMatchObject({
      code: 'usage',
      message: expect.stringContaining('holds no times'),
    });
    expect(await error({ time: 'level' })).toMatchObject({ code: 'data_unreadable' });
    expect(await error({ columns: ['nothing'] })).toMatchObject({ code: 'usage', where: '--columns' });
  });

  it('on real flights: silent on the other days of a month, and finds ten minutes more of delay', async () => {
    const bed = await bench();
    await bed.engine.addFile('flights', flights);
    const half = (name: string, parity: number, delay: number) =>
      bed.parquet(
        name,
        `SELECT time_hour, arr_delay + ${delay} AS arr_delay, carrier, origin, distance FROM flights
         WHERE month = 10 AND (day + day // 2) % 2 = ${parity}`,
      );
    const reference = await half('odd.parquet', 1, 0);
    const still = await compare(
      bed,
      { reference, current: await half('even.parquet', 0, 0) },
      { time: 'time_hour' },
    );
    expect(still.outcome.outputs.drifted).toEqual([]);
    // rows of one day are alike: a test of rows alarms on the same data
    expect(still.column('arr_delay').ks?.p_value).toBeLessThan(0.001);
    const moved = await compare(
      bed,
      { reference, current: await half('later.parquet', 0, 10) },
      { time: 'time_hour' },
    );
    expect(moved.outcome.outputs.drifted).toEqual(['arr_delay']);
  });

  it('compares numbers whose sums and differences no double holds', async () => {
    const bed = await bench();
    const side = (name: string) =>
      bed.parquet(name, 'SELECT (i % 100 - 50) * 3e306 AS x FROM range(1000) AS t(i)');
    const { outcome, column } = await compare(bed, {
      reference: await side('reference.parquet'),
      current: await side('current.parquet'),
    });
    expect(outcome).toMatchObject({ verdict: 'pass', reason_code: 'no_drift' });
    expect(column('x').mean_reference).toBeCloseTo(-1.5e306, -304);
    expect(column('x').histogram?.edges?.every(Number.isFinite)).toBe(true);
  });

  it('takes the largest double in a fifth of the rows for a value as any, and its own unit where no sd is held', async () => {
    const bed = await bench();
    const side = (name: string, moved: number) =>
      bed.parquet(
        name,
        `SELECT CASE WHEN i % 5 = 0 THEN -1.7976931348623157e308 ELSE i % 100 END AS unknown,
           (i % 100 + ${moved}) * 1e160 AS large FROM range(1000) AS t(i)`,
      );
    const { outcome, column } = await compare(bed, {
      reference: await side('reference.parquet', 0),
      current: await side('current.parquet', 50),
    });
    expect(outcome.error).toBeUndefined();
    expect(column('unknown')).toMatchObject({ verdict: 'ok', effect: 0 });
    expect(column('large')).toMatchObject({ verdict: 'drift', effect_unit: 'value' });
    expect(column('large').effect).toBeCloseTo(50e160, -150);
  });

  it('names the category whose share changed most, also where a dozen rare ones tell more of the psi', async () => {
    const bed = await bench();
    const side = (name: string, level: string) =>
      bed.parquet(name, `SELECT ${level} AS level FROM range(2000) AS t(i)`);
    const { column } = await compare(bed, {
      reference: await side(
        'reference.parquet',
        `CASE WHEN i % 5 > 0 THEN 'usual' ELSE 'rare-' || i % 13 END`,
      ),
      current: await side('current.parquet', `'usual'`),
    });
    expect(column('level').summary).toContain('most "usual": 80 % → 100 %');
  });

  it('tells very small numbers with real minus signs', () => {
    expect(readable(-1.5e-7)).toBe('−1.50e−7');
  });
});
