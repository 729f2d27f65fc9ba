import path from 'node:path';
import { z } from 'zod';
import { identifier } from '../data/engine.ts';
import { UserError } from '../errors.ts';
import { Digest } from '../json.ts';
import type { Store } from '../store/store.ts';
import { defineStage } from './define.ts';

/** Feature rows of a window → the rows of an evaluation set: who is asked, and what is true. */
export const pin = defineStage({
  name: 'pin',
  description:
    'Makes an evaluation set: keys, labels and slice columns of a window, with the hash to pin it by.',
  inputs: z.object({
    features: Digest,
    /** Take only the rows that this split holds back from every training: its part `test`. */
    split: Digest.nullable().default(null),
    key: z.string(),
    label: z.string(),
    time: z.string().nullable(),
    /** Columns beside key and label: for slices and clusters. */
    columns: z.array(z.string()).max(100),
    from: z.string().nullable(),
    until: z.string().nullable(),
  }),
  outputs: z.object({ sha256: Digest, rows: z.number().int() }),
  cache: { version: 1 },
  async run(input, { store, engine: open, workDirectory }) {
    if (input.time === null && (input.from !== null || input.until !== null)) {
      throw new UserError({
        code: 'usage',
        message: 'A window is given, but the features have no time.',
        where: 'features.time',
        fix: 'Leave --from and --until out, or name the time column in modelgate.yaml.',
      });
    }
    const engine = await open({ threads: 1 });
    try {
      await engine.addFile('features', await rowsFile(store, input));
      const columns = [
        ...new Set([input.key, input.label, ...(input.time === null ? [] : [input.time]), ...input.columns]),
      ];
      const time = input.time === null ? 'NULL' : `CAST(${identifier(input.time)} AS TIMESTAMP)`;
      const file = path.join(workDirectory, 'evaluation-set.parquet');
      const bound = (side: '>=' | '<', moment: string | null) =>
        moment === null ? 'TRUE' : `${time} ${side} TIMESTAMP '${timestamp(moment)}'`;
      const rows = await engine.writeParquet(
        `SELECT ${columns.map(identifier).join(', ')} FROM features
         WHERE ${bound('>=', input.from)} AND ${bound('<', input.until)} ORDER BY ${identifier(input.key)}`,
        file,
      );
      if (rows === 0) {
        throw new UserError({
          code: 'data_empty',
          message: `No rows from ${input.from ?? 'the beginning'} until ${input.until ?? 'the end'}.`,
          where: 'evaluation.window',
          fix: 'Choose a window that the sources cover; evaluation.window must hold it.',
        });
      }
      const { sha256 } = await store.putFile(file);
      return {
        verdict: 'pass',
        reason_code: 'done',
        summary: `${rows} rows; pin them by sha256 ${sha256}.`,
        outputs: { sha256, rows },
      };
    } finally {
      await engine.close();
    }
  },
});

/** The file with the rows to choose from. */
async function rowsFile(store: Store, input: { features: Digest; split: Digest | null }): Promise<string> {
  if (input.split === null) return store.manifestFile(input.features, 'features.parquet');
  const split = await store.readManifest(input.split, 'split');
  if (split.files.some(({ name }) => name === 'test.parquet')) {
    return store.manifestFile(input.split, 'test.parquet');
  }
  throw new UserError({
    code: 'config_invalid',
    message: 'The split holds no rows back.',
    where: { key: 'split.test' },
    fix: 'Split by hash and give the part `test` a share, e.g. 0.2; or pin a window of time instead.',
  });
}

/** A time as SQL takes it in UTC; anything else was refused at the edge. */
function timestamp(moment: string): string {
  const date = new Date(
    /\d[T ]\d/.test(moment) && !/(Z|[+-]\d\d:\d\d)$/.test(moment) ? `${moment.replace(' ', 'T')}Z` : moment,
  );
  return date.toISOString().replace('T', ' ').replace('Z', '');
}
