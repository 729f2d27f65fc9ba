import { z } from 'zod';
import { blocksDifference, type ColumnDifference } from '../data/blocks-difference.ts';
import { readBlocks } from '../data/snapshot.ts';
import { instant } from '../data/time.ts';
import { UserError } from '../errors.ts';
import { Digest } from '../json.ts';
import { ancestors, nearest } from '../store/lineage.ts';
import type { Manifest, ManifestKind } from '../store/manifest.ts';
import type { Store } from '../store/store.ts';
import { ContractChange, contractChanges } from './upstream-contracts.ts';
import { readValidations, ValidationRecord } from './validation-log.ts';

const Maybe = z.number().nullable();

/** Rows that came after those that the model was trained on. */
const Arrival = z.object({
  source: z.string(),
  snapshot: Digest,
  /** When its validation was stored, and how that ended. */
  at: z.string(),
  verdict: ValidationRecord.shape.verdict,
  rows: z.json(),
  /** Its newest event time. */
  newest: z.json(),
});

const Column = z.object({
  source: z.string(),
  name: z.string(),
  change: z.enum(['added', 'removed', 'retyped', 'kept']),
  type_before: z.string().nullable(),
  type_after: z.string().nullable(),
  null_rate_before: Maybe,
  null_rate_after: Maybe,
  effect: Maybe,
  unit: z.enum(['sd', 'points']).nullable(),
}) satisfies z.ZodType<ColumnDifference>;

/** What has changed before the model's inputs, between the data it was trained on and the newest that the store knows. */
export const Upstream = z.object({
  /** The dataset of the training; null where the package does not lead to one. */
  trained_on: Digest.nullable(),
  /** The dataset that was validated last; null where no validation is known. */
  newest: Digest.nullable(),
  /** Snapshots that came since, the newest first. */
  arrivals: z.array(Arrival),
  /**
   * Columns of the newest snapshots against those of the training: what was added, removed or retyped; of the others
   * those that drifted or whose null rate moved by a point.
   */
  columns: z.array(Column),
  /** Contracts of the newest validation against those that the training's data had kept; only what changed. */
  contracts: z.array(ContractChange),
  /** Validations of the window or the last 24 hours that failed or warned, the newest first. */
  problems: z.array(ValidationRecord),
  /** Validations of the last 24 hours, the newest first. */
  last_day: z.array(ValidationRecord),
  /** What could not be compared, and why. */
  notes: z.array(z.string()),
});
export type Upstream = z.infer<typeof Upstream>;

/** So many of each are kept, and so many datasets are opened. */
const kept = { arrivals: 20, columns: 50, problems: 20, last_day: 50, datasets: 20 } as const;
const day = 86_400_000;
/** Shares of rows by which a null rate must differ to be told of a column that did not drift. */
const nullsMoved = 0.01;

export interface UpstreamRequest {
  model: string;
  /** Digest of the served package. */
  manifest: Digest;
  /** Features that drifted; a column of a source with the same name is told of. */
  drifted: readonly string[];
  /** Begin of the window, and the present. */
  since: Date;
  now: Date;
}

/** Reads stored manifests, profiles and validations; nothing is measured again. */
export async function readUpstream(store: Store, request: UpstreamRequest): Promise<Upstream> {
  const records = await readValidations(store.storage, request.model);
  const training = await trainingOf(store, request.manifest);
  const notes: string[] = [];
  const [newest] = records;
  const recent = records.filter(({ at }) => Date.parse(at) >= request.now.getTime() - day);
  const inWindow = records.filter((record) => judgedAt(record) >= request.since.getTime());
  const problems = records.filter(
    (record) => record.verdict !== 'pass' && (recent.includes(record) || inWindow.includes(record)),
  );
  if (training === null) notes.push('The package does not lead to the data that it was trained on.');
  if (newest === undefined) notes.push('The store remembers no validation of this model.');
  const before = training?.manifest.inputs ?? {};
  const after = newest === undefined ? null : await manifestOf(store, newest.dataset, 'dataset');
  if (newest !== undefined && after === null)
    notes.push(`The dataset ${newest.dataset.slice(0, 12)}, validated last, is not in the store any more.`);
  const moved = training !== null && after !== null && newest?.dataset !== training.digest;
  const columns = moved ? await columnChanges(store, { before, after: after.inputs, notes }) : [];
  const trained = training === null ? undefined : validationOf(records, training);
  // what came before the training was there to be trained on
  const since = trained === undefined ? records : records.slice(0, records.indexOf(trained));
  if (training !== null && newest !== undefined && trained === undefined)
    notes.push('The validation of the training data is not remembered: contracts are not compared.');
  return {
    trained_on: training?.digest ?? null,
    newest: newest?.dataset ?? null,
    arrivals: training === null ? [] : await arrivalsOf(store, before, since),
    columns: columns.filter((column) => isTold(column, request.drifted)).slice(0, kept.columns),
    contracts:
      trained === undefined || newest === undefined
        ? []
        : await contractChanges(store, { before: trained.contracts, after: newest.contracts }),
    problems: problems.slice(0, kept.problems),
    last_day: recent.slice(0, kept.last_day),
    notes,
  };
}

/** Whether anything is known to have changed. */
export function hasChanged({ arrivals, columns, contracts, problems }: Upstream): boolean {
  return arrivals.length + columns.length + contracts.length + problems.length > 0;
}

interface Training {
  digest: Digest;
  manifest: Manifest;
  trainedAt: string | null;
}

async function trainingOf(store: Store, model: Digest): Promise<Training | null> {
  const found = await ancestors(store, model).catch(ifMissing);
  const dataset = found === null ? null : nearest(found, 'dataset');
  if (found === null || dataset === null) return null;
  const at = found.get(model)?.facts.trained_at;
  return { digest: dataset[0], manifest: dataset[1], trainedAt: typeof at === 'string' ? at : null };
}

/** The last validation before the training; the first one at all where the clocks do not tell. */
function validationOf(
  records: readonly ValidationRecord[],
  { digest, trainedAt }: Training,
): ValidationRecord | undefined {
  const same = records.filter(({ dataset }) => dataset === digest);
  const until = Date.parse(trainedAt ?? '');
  return same.find(({ at }) => Date.parse(at) <= until) ?? same.at(-1);
}

/** Snapshots of these validations that the training did not have. */
async function arrivalsOf(
  store: Store,
  before: Record<string, Digest>,
  since: readonly ValidationRecord[],
): Promise<Upstream['arrivals']> {
  const known = new Set(Object.values(before));
  const latest = new Map<Digest, ValidationRecord>();
  for (const record of since) if (!latest.has(record.dataset)) latest.set(record.dataset, record);
  const found: Upstream['arrivals'] = [];
  for (const [digest, { at, verdict }] of [...latest].slice(0, kept.datasets)) {
    const dataset = await manifestOf(store, digest, 'dataset');
    for (const [source, snapshot] of Object.entries(dataset?.inputs ?? {})) {
      if (known.has(snapshot) || found.length >= kept.arrivals) continue;
      known.add(snapshot);
      const facts = (await manifestOf(store, snapshot, 'snapshot'))?.facts ?? {};
      found.push({
        ...{ source, snapshot, at, verdict },
        ...{ rows: facts.rows ?? null, newest: facts.newest ?? null },
      });
    }
  }
  return found;
}

async function columnChanges(
  store: Store,
  about: { before: Record<string, Digest>; after: Record<string, Digest>; notes: string[] },
): Promise<Upstream['columns']> {
  const { before, after, notes } = about;
  const found: Upstream['columns'] = [];
  for (const source of [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()) {
    const [one, other] = [before[source], after[source]];
    if (one === other) continue;
    if (one === undefined || other === undefined) {
      notes.push(`The source ${source} was ${one === undefined ? 'added' : 'removed'}.`);
      continue;
    }
    const profiles = [await profileOf(store, one), await profileOf(store, other)];
    const [old, now] = profiles;
    if (old == null || now == null) {
      notes.push(`The columns of ${source} are not compared: a snapshot has no stored profile.`);
      continue;
    }
    found.push(...blocksDifference(old, now).map((column) => ({ source, ...column })));
  }
  return found;
}

async function profileOf(store: Store, snapshot: Digest) {
  const manifest = await manifestOf(store, snapshot, 'snapshot');
  if (!manifest?.files.some(({ name }) => name === 'blocks.json')) return null;
  // one of another version's form is no reason to say nothing of the window
  return readBlocks(store, snapshot).catch((error) =>
    error instanceof z.ZodError ? null : ifMissing(error),
  );
}

function isTold(column: Upstream['columns'][number], drifted: readonly string[]): boolean {
  if (column.change !== 'kept' || drifted.includes(column.name)) return true;
  if (column.type_before !== column.type_after) return true;
  return Math.abs((column.null_rate_after ?? 0) - (column.null_rate_before ?? 0)) >= nullsMoved;
}

function judgedAt({ as_of, at }: ValidationRecord): number {
  const judged = instant(as_of);
  return Number.isNaN(judged) ? Date.parse(at) : judged;
}

async function manifestOf(store: Store, digest: Digest, kind: ManifestKind): Promise<Manifest | null> {
  return store.readManifest(digest, kind).catch(ifMissing);
}

/** Garbage collection takes what no version needs; damage is told by `registry verify`. */
function ifMissing(error: unknown): null {
  if (error instanceof UserError && ['object_missing', 'object_damaged'].includes(error.code)) return null;
  throw error;
}
