import { z } from 'zod';
import { expectedByNature, judgeEqualRows } from '../gate/equal-rows.ts';
import { findLeakage, type Leakage } from '../gate/leakage.ts';
import { formatCount, plural } from '../gate/numbers.ts';
import { defineStage } from './define.ts';

const column = z.string().min(1).max(200);

/** Looks for rows of an evaluation set in a training set, in any two tables. */
export const leakage = defineStage({
  name: 'leakage',
  description:
    'Looks for rows of the evaluation set in the training set: equal, nearly equal, by key, by time.',
  inputs: z.object({
    /** Local Parquet or CSV files. */
    train: z.string().min(1),
    evaluation: z.string().min(1),
    key: column.nullable().default(null),
    time: column.nullable().default(null),
    /** Jaccard similarity from which a row is nearly another. */
    threshold: z.number().min(0.5).max(1).default(0.9),
    seed: z.number().int().nonnegative().default(0),
  }),
  outputs: z.object({
    rows: z.number(),
    train_rows: z.number(),
    columns: z.array(z.string()),
    /** Columns of both tables whose types cannot be equal: nothing was compared on these. */
    incomparable: z.array(z.string()),
    /** Equal in all columns but key and time. */
    exact: z.number(),
    /** Of these, equal in key and time too. */
    identical: z.number(),
    /** Training rows that equal another one under another key. */
    repeated: z.number(),
    near: z.number(),
    near_limited: z.number(),
    key: z.number().nullable(),
    /** Rows of both tables without a key. */
    key_missing: z.number().nullable(),
    /** Without a key: columns that tell all rows apart, and how many rows are equal but for them. */
    but_for: z.object({ columns: z.array(z.string()), rows: z.number() }).nullable(),
    temporal: z.number().nullable(),
    newest_train: z.string().nullable(),
    oldest_evaluation: z.string().nullable(),
    examples: z.array(
      z.object({
        kind: z.enum(['exact', 'near', 'key']),
        evaluation_row: z.number(),
        train_row: z.number(),
        key: z.string().nullable(),
        similarity: z.number().optional(),
      }),
    ),
  }),
  cache: false,
  async run(inputs, context) {
    const engine = await context.engine();
    try {
      await engine.addFile('train', inputs.train);
      await engine.addFile('evaluation', inputs.evaluation);
      const outputs = await findLeakage(engine, {
        train: 'train',
        evaluation: 'evaluation',
        key: inputs.key,
        time: inputs.time,
        threshold: inputs.threshold,
        seed: inputs.seed,
      });
      const { exact, near, key, temporal, rows } = outputs;
      const equal = judgeEqualRows(outputs);
      const counts = [
        `${formatCount(exact)} equal`,
        `${formatCount(near)} nearly equal`,
        key === null ? null : `${formatCount(key)} with a known key`,
        temporal === null ? null : `${formatCount(temporal)} not newer than the training rows`,
      ].filter((part) => part !== null);
      const notes = notesOn(outputs);
      const leaks = equal === 'fail' || (key ?? 0) + (temporal ?? 0) > 0;
      const unsure = equal === 'inconclusive' || near > 0 || notes.some(({ open }) => open);
      return {
        verdict: leaks ? 'fail' : unsure ? 'inconclusive' : 'pass',
        reason_code:
          leaks || equal === 'inconclusive' || near > 0 || outputs.but_for !== null
            ? 'evaluation_leak'
            : unsure
              ? 'not_decidable'
              : 'checks_passed',
        summary: [
          `Of ${plural(rows, 'row')} of the evaluation set, the training set knows ${counts.join(', ')}.`,
          ...notes.map(({ text }) => text),
        ].join(' '),
        outputs,
      };
    } finally {
      await engine.close();
    }
  },
});

/** What the counts alone do not say; `open`: it leaves the question undecided. */
function notesOn(found: Leakage): { text: string; open: boolean }[] {
  const { exact, identical, repeated, near_limited, key_missing, incomparable, but_for } = found;
  const list = (names: readonly string[]) =>
    names
      .slice(0, 5)
      .map((name) => JSON.stringify(name.slice(0, 80)))
      .join(', ');
  const notes: { text: string; open: boolean }[] = [];
  if (exact > 0 && identical === 0 && repeated > 0) {
    const expected = formatCount(expectedByNature(found));
    notes.push({
      text: `As often as training rows repeat one another, ${expected} would be equal.`,
      open: false,
    });
  }
  if (near_limited > 0)
    notes.push({
      text: `${plural(near_limited, 'row')} are like so many training rows that not all were compared.`,
      open: true,
    });
  if ((key_missing ?? 0) > 0)
    notes.push({
      text: `${plural(key_missing ?? 0, 'row')} of the two tables have no key and cannot be looked for.`,
      open: true,
    });
  if (incomparable.length > 0)
    notes.push({
      text: `The tables hold ${list(incomparable)} in types that cannot be equal: give the same type in both.`,
      open: true,
    });
  if (but_for !== null)
    notes.push({
      text: `${plural(but_for.rows, 'row')} are equal but for ${list(but_for.columns)}: name the row's id with --key.`,
      open: true,
    });
  return notes;
}
