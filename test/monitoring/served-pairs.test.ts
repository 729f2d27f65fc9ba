import { expect, it } from 'vitest';
import type { Blocks } from '../../src/data/blocks.ts';
import { MonitoringPolicy } from '../../src/monitoring/policy.ts';
import type { ServedDay } from '../../src/monitoring/served-blocks.ts';
import { inputPair } from '../../src/monitoring/served-pairs.ts';

const policy = MonitoringPolicy.parse({});
const inputs = [{ name: 'city', type: 'string' as const }];

/** One block with the column `city`: so many rows with a value, so many without; null: without the column. */
function profile(city: { values: number; nulls: number } | null, day: string | null): Blocks {
  const rows = city === null ? 5 : city.values + city.nulls;
  const column = {
    ...{ name: 'city', type: 'string' as const, physicalType: 'VARCHAR', distinct: 1 },
    ...{ kind: 'category' as const, categories: ['Oslo'], complete: true },
    parts: [{ nulls: city?.nulls ?? 0, counts: city?.values ? [0, city.values] : [], other: 0 }],
  };
  return {
    ...{ schema: 'modelgate.blocks/1' as const, time: 'at', rows, blocks: [{ day, rows }] },
    columns: city === null ? [] : [column],
  };
}
const training = {
  schema: 'modelgate.reference-blocks/1' as const,
  blocks: profile({ values: 9, nulls: 0 }, '2026-01-01'),
  left_out: [],
};

function comparedOn(...cities: ('hashed' | { values: number; nulls: number })[]) {
  const days = cities.map((city, at): ServedDay => {
    const day = `2026-02-0${at + 1}`;
    const hashed = city === 'hashed';
    const blocks = profile(hashed ? null : city, null);
    return {
      ...{ schema: 'modelgate.served-day/1' as const, day, hashed: hashed ? ['city'] : [] },
      versions: [{ version: 1, blocks }],
    };
  });
  const { columns, leftOut, schema } = inputPair(training, days, { inputs, policy });
  return { compared: columns.map(({ name }) => name), leftOut, missing: schema.missing };
}
const excluded = [{ name: 'city', reason: 'excluded', detail: 'only a hash of it is logged' }];

it('an input that is logged as a hash alone is left out, also where other days have no value of it', () => {
  expect(comparedOn('hashed', 'hashed')).toEqual({ compared: [], leftOut: excluded, missing: [] });
  expect(comparedOn('hashed', { values: 0, nulls: 4 })).toMatchObject({ compared: [], leftOut: excluded });
  expect(comparedOn({ values: 0, nulls: 4 }, 'hashed')).toMatchObject({ compared: [], leftOut: excluded });
});

it('with values on some day it is compared', () => {
  expect(comparedOn('hashed', { values: 3, nulls: 1 })).toMatchObject({ compared: ['city'], leftOut: [] });
  expect(comparedOn({ values: 0, nulls: 4 })).toMatchObject({ compared: ['city'], leftOut: [] });
});

it('an input that another version of the window does not take is left out, and no broken schema', () => {
  const day = { schema: 'modelgate.served-day/1' as const, day: '2026-02-01', hashed: [] };
  const taken = new Map([
    [1, new Set<string>()],
    [2, new Set(['city'])],
  ]);
  const pairOf = (city: Parameters<typeof profile>[0]) =>
    inputPair(training, [{ ...day, versions: [{ version: 1, blocks: profile(city, null) }] }], {
      ...{ inputs, policy, taken },
    });
  for (const city of [null, { values: 0, nulls: 4 }]) {
    const { columns, leftOut, schema } = pairOf(city);
    expect({ columns, missing: schema.missing }).toEqual({ columns: [], missing: [] });
    expect(leftOut).toEqual([
      {
        ...{ name: 'city', reason: 'other_version' },
        detail: 'version 1 served in the window, and does not take it',
      },
    ]);
  }
});
