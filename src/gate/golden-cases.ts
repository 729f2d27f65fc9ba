import { z } from 'zod';
import type { SqlEngine } from '../data/engine.ts';
import { UserError } from '../errors.ts';
import { Digest, parseJson } from '../json.ts';
import type { Store } from '../store/store.ts';

/** The file of golden cases as a stored object. */
export const GoldenInput = z.object({ file: Digest, format: z.enum(['jsonl', 'csv', 'parquet']) });
export type GoldenInput = z.infer<typeof GoldenInput>;

const limit = 10_000_000;
const most = 100_000;
const bound = z.number().optional();
const empty = (value: unknown) => (value === null ? undefined : value);

const Case = z.strictObject({
  key: z.union([z.string(), z.number(), z.boolean()]).transform(String),
  min: z.preprocess(empty, bound),
  max: z.preprocess(empty, bound),
  label: z.preprocess(
    empty,
    z
      .union([z.literal(0), z.literal(1), z.boolean(), z.enum(['0', '1', 'true', 'false'])])
      .transform((label) => (label === 1 || label === true || label === '1' || label === 'true' ? 1 : 0))
      .optional(),
  ),
});

/** A row of the evaluation set and what must be predicted for it: a range, a label, or both. */
export interface GoldenCase {
  key: string;
  min?: number | undefined;
  max?: number | undefined;
  label?: 0 | 1 | undefined;
}

/** Whether a path's ending names a format of golden cases; null for another ending. */
export function goldenFormat(file: string): GoldenInput['format'] | null {
  const ending = /\.(jsonl|ndjson|csv|parquet)$/i.exec(file)?.[1]?.toLowerCase();
  return ending === undefined ? null : ending === 'ndjson' ? 'jsonl' : (ending as GoldenInput['format']);
}

/** Reads golden cases. Throws `config_invalid` for a case without key or expectation, or a key that stands twice. */
export async function readGolden(
  engine: SqlEngine,
  { store, input }: { store: Store; input: GoldenInput },
): Promise<GoldenCase[]> {
  const raw =
    input.format === 'jsonl' ? await readLines(store, input.file) : await readTable(engine, store, input);
  const seen = new Set<string>();
  return raw.map((value, index) => {
    const parsed = Case.safeParse(value);
    const line = index + 1;
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      throw invalid(line, `${issue?.path.join('.') || 'the case'} is not valid: ${issue?.message ?? ''}`);
    }
    const { key, min, max, label } = parsed.data;
    if (min === undefined && max === undefined && label === undefined)
      throw invalid(line, 'it has neither min, max nor label');
    if (min !== undefined && max !== undefined && min > max) throw invalid(line, 'min is above max');
    if (seen.has(key)) throw invalid(line, `the key ${JSON.stringify(key.slice(0, 80))} stands there twice`);
    seen.add(key);
    return { key, min, max, label };
  });
}

async function readLines(store: Store, file: Digest): Promise<unknown[]> {
  const text = (await store.readBytes(file, limit)).toString('utf8');
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .map((line, index) => {
      try {
        return parseJson(line);
      } catch {
        throw invalid(index + 1, 'it is not JSON');
      }
    });
}

async function readTable(engine: SqlEngine, store: Store, { file, format }: GoldenInput): Promise<unknown[]> {
  if (format === 'jsonl') throw new Error('JSONL is not read as a table');
  await engine.addFile('gate_golden', await store.localFile(file), format);
  return engine.rows(`SELECT * FROM gate_golden LIMIT ${most}`);
}

function invalid(line: number, message: string): UserError {
  return new UserError({
    code: 'config_invalid',
    message: `Golden case ${line}: ${message}.`,
    where: { key: 'gate.golden' },
    fix: 'Give each case a key of the evaluation set, and a label (0 or 1), or min and max of its prediction.',
  });
}
