import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DriftColumn } from '../../src/monitoring/drift-report.ts';
import { runStage } from '../../src/stages/define.ts';
import { drift } from '../../src/stages/drift.ts';
import { bench, driftInputs } from './context.ts';

const fixtures = path.join(import.meta.dirname, 'fixtures');
type Expected = Record<string, Record<string, Record<string, unknown>>>;
const expected = JSON.parse(await readFile(path.join(fixtures, 'expected.json'), 'utf8')) as Expected;

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

describe('drift against SciPy', () => {
  it.each(Object.keys(expected))('gives the statistics of the table pair %s to 1e-9', async (name) => {
    const { context } = await bench();
    const outcome = await runStage(
      drift,
      {
        ...driftInputs,
        reference: path.join(fixtures, `${name}-reference.csv`),
        current: path.join(fixtures, `${name}-current.csv`),
        columns: Object.keys(expected[name] ?? {}),
      },
      context,
    );
    expect(outcome.error).toBeUndefined();
    const columns = outcome.outputs.columns as DriftColumn[];
    expect(columns.map((column) => column.name)).toEqual(Object.keys(expected[name] ?? {}));
    for (const column of columns) close(column, expected[name]?.[column.name], `${name}.${column.name}`);
  });
});
