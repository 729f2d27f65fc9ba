import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { identifier } from '../../src/data/engine.ts';
import type { DriftColumn } from '../../src/monitoring/drift-report.ts';
import { MonitoringPolicy } from '../../src/monitoring/policy.ts';
import { runStage } from '../../src/stages/define.ts';
import { drift } from '../../src/stages/drift.ts';
import { fixture, type LongSamples, weyl } from '../stats/close.ts';
import { type Bench, bench, driftInputs } from './context.ts';

const fixtures = path.join(import.meta.dirname, 'fixtures');
interface Expected {
  types: Record<string, string>;
  columns: Record<string, Record<string, unknown> & { n_reference: number; n_current: number }>;
}
const expected = JSON.parse(await readFile(path.join(fixtures, 'expected.json'), 'utf8')) as Record<
  string,
  Expected
>;
/** Measured only where it is asked for; no p is below 0. */
const policy = MonitoringPolicy.parse({ classical: { cramer_von_mises: 0 } });

function close(actual: unknown, wanted: unknown, where: string): void {
  if (wanted === null || typeof wanted !== 'object') {
    if (typeof wanted !== 'number') expect(actual, where).toEqual(wanted);
    else
      expect(Math.abs((actual as number) - wanted), where).toBeLessThanOrEqual(
        1e-9 * Math.max(1, Math.abs(wanted)),
      );
    return;
  }
  for (const [key, value] of Object.entries(wanted)) {
    close((actual as Record<string, unknown> | null)?.[key], value, `${where}.${key}`);
  }
}

type Files = Record<'reference' | 'current', string>;

const csv = (name: string): Files => ({
  reference: path.join(fixtures, `${name}-reference.csv`),
  current: path.join(fixtures, `${name}-current.csv`),
});

/** The same tables with the types that the generator's values have, also where a column has no value. */
async function parquet(name: string, { engine, parquet: write }: Bench): Promise<Files> {
  const columns = Object.entries(expected[name]?.types ?? {});
  const typed = columns.map(
    ([label, type]) => `CAST(${identifier(label)} AS ${type}) AS ${identifier(label)}`,
  );
  const { reference, current } = csv(name);
  const typedFile = async (side: string, file: string) => {
    await engine.addFile(side, file);
    return write(`${side}.parquet`, `SELECT ${typed.join(', ')} FROM ${identifier(side)}`);
  };
  return {
    reference: await typedFile('reference', reference),
    current: await typedFile('current', current),
  };
}

async function driftColumns({ context }: Bench, files: Files, columns: string[]): Promise<DriftColumn[]> {
  const outcome = await runStage(drift, { ...driftInputs, ...files, columns, policy }, context);
  expect(outcome.error).toBeUndefined();
  expect(outcome.outputs.schema_differences).toEqual({ missing: [], unexpected: [], changed: [] });
  return outcome.outputs.columns as DriftColumn[];
}

const pairs = Object.keys(expected).flatMap((name) => [
  { name, kind: 'csv' as const },
  { name, kind: 'parquet' as const },
]);

describe('drift against SciPy', () => {
  it.each(pairs)(
    'gives the statistics of the table pair $name to 1e-9, from $kind',
    async ({ name, kind }) => {
      const { columns } = expected[name] as Expected;
      const room = await bench();
      const files = kind === 'csv' ? csv(name) : await parquet(name, room);
      const found = await driftColumns(room, files, Object.keys(columns));
      expect(found.map((column) => column.name)).toEqual(Object.keys(columns));
      for (const column of found) {
        const wanted = columns[column.name] as Expected['columns'][string];
        close(column, wanted, `${name}.${column.name}`);
        const empty = wanted.n_reference === 0 || wanted.n_current === 0;
        const values = column.aspects.find(({ aspect }) => aspect === 'distribution');
        expect(values?.verdict === 'empty', column.name).toBe(empty);
        if (empty) expect(values).toMatchObject({ effect: null, p_block: null, q_value: null });
      }
    },
  );

  const { long } = fixture<{ long: LongSamples[] }>('two-samples');
  it.each(long.filter(({ n }) => n >= 100_000))('gives those of $n and $m rows', async (one) => {
    const room = await bench();
    const samples = {
      reference: weyl(one.n, { digits: one.digits }),
      current: weyl(one.m, { ...one, step: 0.7548776662466927 }),
    };
    for (const [side, values] of Object.entries(samples))
      await writeFile(path.join(room.folder, `${side}.csv`), `x\n${values.join('\n')}\n`);
    const files = {
      reference: path.join(room.folder, 'reference.csv'),
      current: path.join(room.folder, 'current.csv'),
    };
    const [column] = await driftColumns(room, files, ['x']);
    const test = ([statistic, p_value]: [number, number]) => ({ statistic, p_value });
    const wanted = { ks: test(one.ks), cramer_von_mises: test(one.cvm), wasserstein: one.wasserstein };
    close(column, wanted, `${one.n}`);
  });
});
