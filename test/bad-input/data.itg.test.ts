import { readFile, truncate, writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/stats/random.ts';
import { requireClear, requireDone, requireSound } from './claims.ts';
import { goodRows, Project } from './project.ts';

let project: Project;
beforeAll(async () => {
  project = await Project.make();
});
afterEach(() => project.mend());
afterAll(() => project.close());

const faults: { name: string; code: string; says: RegExp; make(): Promise<void> }[] = [
  {
    name: 'Parquet that was cut off',
    code: 'data_unreadable',
    says: /not a whole Parquet file/,
    make: () => truncate(project.file('orders.parquet'), 4_000),
  },
  {
    name: 'Parquet with damaged pages',
    code: 'data_unreadable',
    says: /cannot be read/,
    make: () => overwrite((bytes) => bytes.fill(0xff, 4, bytes.length >> 1)),
  },
  {
    name: 'Parquet with a damaged footer',
    code: 'data_unreadable',
    says: /cannot be read/,
    make: () => overwrite((bytes) => bytes.fill(0xff, bytes.length - 300, bytes.length - 8)),
  },
  {
    name: 'a file without a byte',
    code: 'data_unreadable',
    says: /0 bytes/,
    make: () => truncate(project.file('orders.parquet'), 0),
  },
  {
    name: 'an empty table',
    code: 'data_empty',
    says: /orders has no rows/,
    make: () => project.write('orders.parquet', `${goodRows} LIMIT 0`),
  },
  {
    name: 'a column that is null in every row',
    code: 'feature_sql_failed',
    says: /weight has no value in any of/,
    make: () =>
      project.write('orders.parquet', `SELECT * REPLACE (CAST(NULL AS DOUBLE) AS weight) FROM (${goodRows})`),
  },
  {
    name: 'one class only',
    code: 'label_invalid',
    says: /late is 1 in all .* nothing to learn/,
    make: () => project.write('orders.parquet', `SELECT * REPLACE (TRUE AS late) FROM (${goodRows})`),
  },
];

async function overwrite(damage: (bytes: Buffer) => void): Promise<void> {
  const bytes = await readFile(project.file('orders.parquet'));
  damage(bytes);
  await writeFile(project.file('orders.parquet'), bytes);
}

describe('data that cannot be used are refused, and the same command works when they are mended', () => {
  it.each(faults)('$name', { timeout: 120_000 }, async ({ code, says, make }) => {
    await make();
    const error = requireClear(await project.run(), code);
    expect(error.message).toMatch(says);
    expect(error.message).not.toContain(project.folder);
    await requireSound(project);
    await project.mend();
    requireDone(await project.run());
  });

  it('single bytes that flipped: read as they are, or refused, never a fault of ours', {
    timeout: 120_000,
  }, async () => {
    const random = seededRandom(11);
    for (let attempt = 0; attempt < 8; attempt++) {
      await project.mend();
      await overwrite((bytes) => {
        const at = 4 + random.below(bytes.length - 8);
        bytes[at] = bytes[at]! ^ (1 << random.below(8));
      });
      const answer = await project.run({ args: ['ingest'] });
      if (answer.code !== 0) requireClear(answer, answer.json?.reason_code ?? '');
    }
    await project.mend();
    requireDone(await project.run());
  });
});
