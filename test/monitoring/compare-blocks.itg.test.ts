import { describe, expect, it } from 'vitest';
import { identifier } from '../../src/data/engine.ts';
import { replayColumns } from '../../src/monitoring/replay.ts';
import { selfTest } from '../../src/monitoring/self-test.ts';
import { openPair } from '../../src/monitoring/tables.ts';
import { compareBothWays } from './both-ways.ts';

const timeout = 120_000;
const uniform = (salt: string) => `((hash(i, '${salt}') % 1000003) + 0.5) / 1000003.0`;

/** Shapes that flights and prices do not have: ties, heavy tails, an offset, two values, whole numbers, nulls. */
const columns = (salt: string): Record<string, string> => ({
  even: uniform(`${salt}a`),
  heavy: `pow(${uniform(`${salt}b`)}, -1.1)`,
  offset: `1e9 + ${uniform(`${salt}c`)}`,
  whole: `CAST(floor(40 * ${uniform(`${salt}d`)}) AS INTEGER)`,
  two: `CASE WHEN ${uniform(`${salt}e`)} < 0.2 THEN 1.0 ELSE 0.0 END`,
  holes: `CASE WHEN ${uniform(`${salt}f`)} < 0.1 THEN NULL ELSE ln(${uniform(`${salt}g`)}) END`,
  level: `CASE WHEN ${uniform(`${salt}h`)} < 0.5 THEN 'a' WHEN ${uniform(`${salt}h`)} < 0.8 THEN 'b' ELSE 'c' END`,
  flag: `${uniform(`${salt}i`)} < 0.3`,
});

const table = (salt: string, { first, days, moved = {} }: { first: string; days: number; moved?: object }) =>
  `SELECT ${Object.entries({ ...columns(salt), ...moved })
    .map(([name, sql]) => `${sql} AS ${identifier(name)}`)
    .join(', ')}, DATE '${first}' + CAST(i // 300 AS INTEGER) AS moment FROM range(${300 * days}) t(i)`;

const both = (
  moved: Record<string, string>,
  before: Record<string, string> = {},
  change: object = {},
): ReturnType<typeof compareBothWays> =>
  compareBothWays(
    {
      reference: table('r', { first: '2020-01-01', days: 30, moved: before }),
      current: table('c', { first: '2020-02-01', days: 14, moved }),
    },
    change,
  );

describe('a comparison from stored blocks', () => {
  it.each([
    ['nothing moved', {}],
    ['a shift', { even: `0.15 + ${uniform('ca')}`, offset: `1e9 + 0.2 + ${uniform('cc')}` }],
    ['a spread', { even: `0.5 + 1.4 * (${uniform('ca')} - 0.5)`, heavy: `pow(${uniform('cb')}, -1.4)` }],
    ['shares', { two: `CASE WHEN ${uniform('ce')} < 0.35 THEN 1.0 ELSE 0.0 END`, level: `'b'` }],
    [
      'nulls and unseen levels',
      { holes: 'NULL::DOUBLE', level: `CASE WHEN i % 9 = 0 THEN 'new' ELSE 'a' END` },
    ],
    ['whole numbers', { whole: `CAST(3 + floor(40 * ${uniform('cd')}) AS INTEGER)` }],
  ])('decides as one from rows does: %s', { timeout }, async (_, moved) => {
    const { rows, blocks } = await both(moved as Record<string, string>);
    expect(blocks.drifted.toSorted()).toEqual(rows.drifted.toSorted());
    rows.columns.forEach((exact, i) => {
      const told = blocks.columns[i] as typeof exact;
      expect(told).toMatchObject({
        ...{ name: exact.name, kind: exact.kind, verdict: exact.verdict },
        ...{ n_reference: exact.n_reference, n_current: exact.n_current, unseen: exact.unseen },
        ...{ null_rate_reference: exact.null_rate_reference, null_rate_current: exact.null_rate_current },
        ...{ chi_square: exact.chi_square, g: exact.g },
      });
      for (const field of ['mean_reference', 'mean_current'] as const) {
        if (exact[field] === null) expect(told[field]).toBeNull();
        else expect(Math.abs((told[field] as number) / exact[field] - 1)).toBeLessThan(1e-9);
      }
      // a bin is at most 1/128 of the bulk wide, and the bulk of these shapes some three standard deviations
      if (exact.effect === null) expect(told.effect).toBeNull();
      else expect(Math.abs((told.effect as number) - exact.effect)).toBeLessThan(0.02 + 0.02 * exact.effect);
      for (const field of ['total_variation', 'hellinger', 'l_infinity'] as const) {
        if (exact[field] === null) expect(told[field]).toBeNull();
        else expect(Math.abs((told[field] as number) - exact[field]), field).toBeLessThan(0.02);
      }
      if (exact.ks !== null) {
        expect(told.ks?.statistic).toBeLessThan(exact.ks.statistic + 1e-12);
        expect(told.ks?.statistic).toBeGreaterThan(exact.ks.statistic - 0.02);
        const squares = exact.cramer_von_mises?.statistic ?? Number.NaN;
        const error = Math.abs((told.cramer_von_mises?.statistic ?? 0) - squares);
        expect(error).toBeLessThan(0.05 + 0.02 * squares);
      }
    });
  });

  it('one value far outside of the rest hides no drift and makes none', { timeout }, async () => {
    const even = (salt: string, wild: string) => `CASE WHEN i = 2000 THEN ${wild} ELSE ${uniform(salt)} END`;
    const widthOf = 0.98 / Math.sqrt(1 / 12); // of the quantiles, in standard deviations
    for (const [before, shift, verdict] of [
      ['1e9', 0.3, 'drift'],
      ['-1e9', 0, 'ok'],
    ] as const) {
      const { rows, blocks } = await both(
        { even: `${shift} + ${even('ca', shift === 0 ? '1e12' : '0.5')}` },
        { even: even('ra', before) },
      );
      for (const report of [rows, blocks]) {
        const told = report.columns.find(({ name }) => name === 'even');
        expect(told, `${before} ${shift}`).toMatchObject({ verdict, ends: expect.anything() });
        expect(told?.ends?.high).toBeCloseTo(0.99 + 10 * 0.98, 0);
        // the far value itself counts as the end, some ten widths away, in one of 9,000 rows or of 4,200
        const own = shift / Math.sqrt(1 / 12);
        expect(told?.effect).toBeGreaterThan(0.85 * own);
        expect(told?.effect).toBeLessThan(1.05 * own + (11 * widthOf) / 4200 + 0.03);
        const { value } = told?.smallest_detectable ?? { value: 4 };
        expect(value).toBeLessThan(0.3);
      }
    }
  });

  it('a column that is nearly always one value is as fine as the rest of it', { timeout }, async () => {
    const flag = (salt: string, share: number, far: string) => ({
      two: `CASE WHEN i = 2000 THEN ${far} WHEN ${uniform(salt)} < ${share} THEN 1.0 ELSE 0.0 END`,
      whole: `CASE WHEN i = 2000 THEN 999 WHEN ${uniform(salt)} < ${share} THEN 1 ELSE 0 END`,
      heavy: `CASE WHEN ${uniform(salt)} < ${share} THEN pow(${uniform(`${salt}v`)}, -1.1) ELSE 0.0 END`,
    });
    const { rows, blocks } = await both(flag('ca', 0.12, '0.0'), flag('ra', 0.03, '1e9'));
    for (const name of ['two', 'whole', 'heavy']) {
      const [exact, told] = [rows, blocks].map((report) => report.columns.find((one) => one.name === name));
      expect(exact?.verdict).toBe('drift');
      expect(told?.verdict, name).toBe('drift');
      const effect = exact?.effect ?? Number.NaN;
      expect(Math.abs((told?.effect ?? Number.NaN) - effect), name).toBeLessThan(0.02 + 0.05 * effect);
    }
  });

  it.each([
    ['even, whole and heavy-tailed values', {}],
    [
      'mostly one value',
      {
        two: (salt: string) => `CASE WHEN ${uniform(salt)} < 0.03 THEN 1.0 ELSE 0.0 END`,
        whole: (salt: string) => `CASE WHEN ${uniform(salt)} < 0.03 THEN 1 ELSE 0 END`,
        even: (salt: string) =>
          `CASE WHEN ${uniform(salt)} < 0.1 THEN 2 + ${uniform(`${salt}v`)} ELSE 0.0 END`,
      },
    ],
  ])(
    'tells the smallest shift as one from rows and as the self-test does: %s',
    { timeout },
    async (_, of) => {
      const some = ['even', 'heavy', 'whole', 'two'];
      const moved = (salt: string) =>
        Object.fromEntries(Object.entries(of).map(([name, sql]) => [name, sql(salt)]));
      const { rows, blocks, pair, policy, engine } = await both(moved('ca'), moved('ra'), { columns: some });
      await engine.execute('CREATE VIEW every AS SELECT * FROM reference UNION ALL SELECT * FROM current');
      const every = await openPair(engine, {
        ...{ reference: 'every', current: '(SELECT * FROM every WHERE false)' },
        ...{ time: 'moment', unit: 'day', exclude: [], columns: some },
      });
      const { smallest } = selfTest({
        columns: await replayColumns(engine, every, policy),
        ...{ blocks: every.reference.blocks, length: pair.current.blocks.length, policy, deals: 1 },
      });
      for (const { name, kind, smallest_detectable: exact } of rows.columns) {
        if (kind !== 'numeric') continue;
        const told = blocks.columns.find((one) => one.name === name)?.smallest_detectable;
        const simulated = smallest.find((one) => one.name === name);
        const ratios: [string, number][] = [['blocks', (told?.value ?? 0) / (exact?.value ?? 0)]];
        // of a heavy tail 20 deals decide: by its seed the self-test itself gives 0.4 to 0.7 of its unit
        if (name !== 'heavy') ratios.push(['self-test', (exact?.value ?? 0) / (simulated?.value ?? 0)]);
        for (const [beside, ratio] of ratios) {
          expect(ratio, `${name}, ${beside}`).toBeGreaterThan(0.75);
          expect(ratio, `${name}, ${beside}`).toBeLessThan(1.33);
        }
      }
    },
  );

  it('what is cut off leaves a configured floor within reach', { timeout }, async () => {
    const { rows, blocks } = await both(
      { even: `35 + 0.1 * ${uniform('ca')}` },
      { even: `20 + 0.1 * ${uniform('ra')}` },
      { floors: { even: { shift: 5 } } },
    );
    for (const report of [rows, blocks]) expect(report.drifted).toContain('even');
  });

  it('one far value changes no other effect of its column', { timeout }, async () => {
    const tailed = (salt: string, shift: number, far: string) => ({
      even: `CASE WHEN i = 7 THEN ${far} WHEN ${uniform(`${salt}t`)} < 0.009 THEN 1 + 5 * ${uniform(`${salt}u`)}
        ELSE ${shift} + ${uniform(salt)} END`,
    });
    const effects = [];
    for (const far of ['0.5', '1e9']) {
      const { rows, blocks } = await both(tailed('ca', 0.01, far), tailed('ra', 0, '0.5'));
      for (const { columns: all } of [rows, blocks])
        effects.push(all.find(({ name }) => name === 'even')?.effect ?? Number.NaN);
    }
    // the far value itself: some ten widths in one of 4,200 rows
    for (const effect of effects) expect(Math.abs(effect - (effects[0] as number))).toBeLessThan(0.015);
  });

  it('a day in another unit is far away and blurs no other', { timeout }, async () => {
    const wild = { even: `CASE WHEN i < 300 THEN 1e6 ELSE 1 END * (0.2 + ${uniform('ca')})` };
    const { rows, blocks } = await both(wild);
    const [exact, told] = [rows, blocks].map((report) => report.columns.find(({ name }) => name === 'even'));
    expect(told?.ks?.statistic).toBeGreaterThan((exact?.ks?.statistic ?? 0) - 0.02);
    expect((told?.effect ?? 0) / (exact?.effect ?? 1)).toBeCloseTo(1, 2);
  });

  it('rows in another unit leave the others of their day where they are', { timeout }, async () => {
    const wild = 'CASE WHEN i < 900 THEN 1000 ELSE 1 END';
    const { rows, blocks } = await both(
      {
        even: `CASE WHEN i < 900 AND ${uniform('cz')} < 0.1 THEN 1000 ELSE 1 END * (0.2 + ${uniform('ca')})`,
        offset: `CASE WHEN i < 900 AND ${uniform('cz')} < 0.1 THEN 1000 ELSE 1 END * (50 + 20 * ${uniform('cc')})`,
        whole: `${wild} * CASE WHEN ${uniform('cd')} < 0.3 THEN floor(60 * ${uniform('cd')}) ELSE 0 END`,
      },
      {
        even: `0.2 + ${uniform('ra')}`,
        offset: `50 + 20 * ${uniform('rc')}`,
        whole: `CASE WHEN ${uniform('rd')} < 0.3 THEN floor(60 * ${uniform('rd')}) ELSE 0 END`,
      },
      { columns: ['even', 'offset', 'whole'], permutations: 99 },
    );
    rows.columns.forEach(({ name, effect }, i) => {
      const told = blocks.columns[i];
      expect(Math.abs((told?.effect ?? Number.NaN) - (effect ?? 0)), name).toBeLessThan(0.02);
    });
  });
});
