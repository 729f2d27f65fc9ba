import { z } from 'zod';
import { Digest, parseJson } from '../json.ts';
import { mapAtMost } from '../map-at-most.ts';
import { Name } from '../names.ts';
import { keys } from '../store/keys.ts';
import type { Storage } from '../store/storage.ts';

/** One validation of a dataset, as its stored outcome tells. */
export const ValidationRecord = z.object({
  model: Name,
  /** When it was stored, ISO 8601 in UTC, by the store's clock. */
  at: z.string(),
  /** The present by which it judged freshness. */
  as_of: z.string(),
  /** `warn`: it passed, and at least one rule that only warns is broken. */
  verdict: z.enum(['pass', 'warn', 'fail']),
  dataset: Digest,
  /** The contract of a source: code with one file. */
  contracts: z.record(z.string(), Digest),
  counts: z.object({ pass: z.number(), warn: z.number(), fail: z.number() }),
  /** Messages of broken rules, those that fail first; at most five. */
  problems: z.array(z.string()),
});
export type ValidationRecord = z.infer<typeof ValidationRecord>;

/** So many stored outcomes of all models are looked at, the newest ones, so many at a time. */
export const mostRead = 300;
const atOnce = 16;
const problemsKept = 5;
/** Bytes: 5,000 checks with their messages fit. */
const limit = 8_000_000;

const count = z.number().int().nonnegative();
const Stored = z.object({
  schema: z.literal('modelgate.cache/1'),
  value: z.object({
    stage: z.literal('validate'),
    verdict: z.enum(['pass', 'fail']),
    inputs: z.object({
      model: Name,
      dataset: Digest,
      contracts: z.record(Name, Digest),
      as_of: z.string().max(40),
    }),
    outputs: z.object({
      counts: z.object({ pass: count, warn: count, fail: count }),
      checks: z.array(z.object({ verdict: z.enum(['pass', 'fail', 'warn']), message: z.string() })).max(5000),
    }),
  }),
});

/**
 * The validations of a model's data (null: of all models) that the store remembers, the newest first: `validate` stores each outcome under
 * its inputs. One that ended in an error has none, and garbage collection removes old ones. What cannot be read is
 * left out.
 */
export async function readValidations(storage: Storage, model: string | null): Promise<ValidationRecord[]> {
  const listed: { key: string; modified: Date }[] = [];
  for await (const { key, modified } of storage.list(keys.stageCaches('validate')))
    listed.push({ key, modified });
  const newest = listed
    .sort((a, b) => b.modified.getTime() - a.modified.getTime() || (a.key < b.key ? -1 : 1))
    .slice(0, mostRead);
  const records = await mapAtMost(newest, atOnce, (one) => readRecord(storage, one, model));
  return records.filter((record) => record !== null);
}

async function readRecord(
  storage: Storage,
  { key, modified }: { key: string; modified: Date },
  model: string | null,
): Promise<ValidationRecord | null> {
  const bytes = await storage.read(key, limit).catch(() => null);
  if (bytes === null) return null;
  let json: unknown;
  try {
    json = parseJson(bytes.toString('utf8'), limit);
  } catch {
    return null;
  }
  const stored = Stored.safeParse(json).data?.value;
  if (stored === undefined || (model !== null && stored.inputs.model !== model)) return null;
  const { dataset, contracts, as_of } = stored.inputs;
  const { counts, checks } = stored.outputs;
  const broken = (verdict: 'fail' | 'warn') =>
    checks.filter((check) => check.verdict === verdict).map(({ message }) => message.slice(0, 300));
  return {
    model: stored.inputs.model,
    at: modified.toISOString(),
    ...{ as_of, dataset, contracts, counts },
    verdict: stored.verdict === 'fail' ? 'fail' : counts.warn > 0 ? 'warn' : 'pass',
    problems: [...broken('fail'), ...broken('warn')].slice(0, problemsKept),
  };
}
