import { z } from 'zod';
import { blocksDifference, type ColumnDifference } from '../data/blocks-difference.ts';
import { readBlocks } from '../data/snapshot.ts';
import { UserError } from '../errors.ts';
import { Behaviour } from '../gate/behaviour.ts';
import { Digest, parseJson } from '../json.ts';
import { Name } from '../names.ts';
import {
  type Described,
  MetricDifference,
  metricDifferences,
  versionChanges,
} from '../registry/difference.ts';
import { requireVersion } from '../registry/rules.ts';
import type { ModelState } from '../registry/state.ts';
import { describeVersion } from '../registry/status.ts';
import { Change } from '../store/package-changes.ts';
import type { Store } from '../store/store.ts';
import { defineStage } from './define.ts';
import { version } from './registry-inputs.ts';

const json = z.json();
const pair = <T extends z.ZodType>(type: T) => z.object({ before: type, after: type });

const Column = z.object({
  name: z.string(),
  change: z.enum(['added', 'removed', 'retyped', 'kept']),
  type_before: z.string().nullable(),
  type_after: z.string().nullable(),
  null_rate_before: z.number().nullable(),
  null_rate_after: z.number().nullable(),
  effect: z.number().nullable(),
  unit: z.enum(['sd', 'points']).nullable(),
}) satisfies z.ZodType<ColumnDifference>;

const Source = z.object({
  /** Its name in modelgate.yaml. */
  source: z.string(),
  change: z.enum(['added', 'removed', 'changed', 'same']),
  snapshot: pair(Digest.nullable()),
  rows: pair(json),
  window: pair(json),
  /** Empty where the snapshot is the same, or one of the two is not there. */
  columns: z.array(Column),
  /** Why no columns are compared. */
  note: z.string().nullable(),
});
type Source = z.infer<typeof Source>;

const counts = { rows: z.number(), lost: z.number(), gained: z.number() };

/** Rows whose prediction got wrong (lost) or right (gained) from the one version to the other. */
const BehaviourDifference = z.object({
  /** The gate that compared the two. */
  gate: Digest,
  task: z.string(),
  ...counts,
  slices: z.array(z.object({ column: z.string(), value: z.string().nullable(), ...counts })),
});
type BehaviourDifference = z.infer<typeof BehaviourDifference>;

/** In what two versions of a model differ. */
export const diff = defineStage({
  name: 'diff',
  description:
    'Says in what two versions differ: code, data, features, parameters, environment, metrics, behaviour.',
  inputs: z.object({ model: Name, before: version, after: version }),
  outputs: z.object({
    model: Name,
    before: version,
    after: version,
    /** One line each; what is equal is not in it. */
    changes: z.array(Change),
    data: z.object({
      dataset: pair(Digest.nullable()),
      rows: pair(json),
      window: pair(json),
      sources: z.array(Source),
    }),
    /** Of the gates, on the same rows alone. */
    metrics: z.array(MetricDifference),
    metrics_note: z.string().nullable(),
    behaviour: BehaviourDifference.nullable(),
    behaviour_note: z.string().nullable(),
  }),
  cache: false,
  run: async ({ model, before, after }, { registry, store }) => {
    const state = await registry.state(model);
    const [old, now] = await Promise.all([before, after].map((one) => describe(store, state, one)));
    const [one, other] = [old!, now!];
    const changes = versionChanges(one, other);
    const { metrics, note } = metricDifferences(one.evaluation, other.evaluation);
    const behaviour = await findBehaviour(store, state, { before, after });
    const [dataBefore, dataAfter] = [one.package.data, other.package.data];
    return {
      verdict: 'pass',
      reason_code: 'done',
      summary: `${model}@${before} and ${model}@${after} differ in ${changes.length === 0 ? 'nothing' : parts(changes)}.`,
      outputs: {
        model,
        before,
        after,
        changes,
        data: {
          dataset: { before: dataBefore.dataset, after: dataAfter.dataset },
          rows: { before: dataBefore.rows, after: dataAfter.rows },
          window: { before: dataBefore.window, after: dataAfter.window },
          sources: await sourceDifferences(store, dataBefore.dataset, dataAfter.dataset),
        },
        metrics,
        metrics_note: note,
        behaviour,
        behaviour_note:
          behaviour === null
            ? 'No gate compared these two: a gate compares a candidate with what serves at its time. For any other pair, put the predictions of both on the same rows into one file and run `modelgate compare`.'
            : null,
      },
    };
  },
});

async function describe(store: Store, state: ModelState, number: number): Promise<Described> {
  requireVersion(state, number);
  return (await describeVersion(store, state, number))!;
}

/** The parts that changed, each once, in the order in which they are told. */
function parts(changes: readonly Change[]): string {
  return [...new Set(changes.map(({ what }) => what.split('.')[0] ?? what))].join(', ');
}

/** Source by source; the columns from the stored profiles of both snapshots. */
async function sourceDifferences(
  store: Store,
  before: Digest | null,
  after: Digest | null,
): Promise<Source[]> {
  const snapshots = async (dataset: Digest | null) =>
    dataset === null ? {} : (await store.readManifest(dataset, 'dataset')).inputs;
  const [old, now] = [await snapshots(before), await snapshots(after)];
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])].sort();
  const sources: Source[] = [];
  for (const source of names) {
    const snapshot = { before: old[source] ?? null, after: now[source] ?? null };
    const facts = async (digest: Digest | null) =>
      digest === null ? {} : (await store.readManifest(digest, 'snapshot')).facts;
    const [factsBefore, factsAfter] = [await facts(snapshot.before), await facts(snapshot.after)];
    sources.push({
      source,
      change: changeOf(snapshot),
      snapshot,
      rows: { before: factsBefore.rows ?? null, after: factsAfter.rows ?? null },
      window: { before: factsBefore.window ?? null, after: factsAfter.window ?? null },
      ...(await columnDifferences(store, snapshot)),
    });
  }
  return sources;
}

function changeOf({ before, after }: Source['snapshot']): Source['change'] {
  if (before === null) return 'added';
  if (after === null) return 'removed';
  return before === after ? 'same' : 'changed';
}

async function columnDifferences(
  store: Store,
  { before, after }: Source['snapshot'],
): Promise<Pick<Source, 'columns' | 'note'>> {
  if (before === null || after === null) return { columns: [], note: 'only one version has this source' };
  if (before === after) return { columns: [], note: null };
  for (const digest of [before, after]) {
    const { files } = await store.readManifest(digest, 'snapshot');
    if (!files.some(({ name }) => name === 'blocks.json')) {
      return { columns: [], note: `the snapshot ${digest.slice(0, 12)} has no stored profile` };
    }
  }
  return {
    columns: blocksDifference(await readBlocks(store, before), await readBlocks(store, after)),
    note: null,
  };
}

/** What the gate of one of the two saw when the other one was its champion. */
async function findBehaviour(
  store: Store,
  { versions }: ModelState,
  { before, after }: { before: number; after: number },
): Promise<BehaviourDifference | null> {
  const [old, now] = [versions[before - 1]?.manifest, versions[after - 1]?.manifest];
  for (const { gate, manifest } of versions.toReversed()) {
    if (manifest !== old && manifest !== now) continue;
    const { facts, files } = await store.readManifest(gate, 'gate');
    const forwards = manifest === now && facts.champion === old;
    const backwards = manifest === old && facts.champion === now;
    const file = files.find(({ name }) => name === 'gate.json');
    if ((!forwards && !backwards) || file === undefined) continue;
    const record = parseJson((await store.readBytes(file.sha256, gateLimit)).toString('utf8'), gateLimit);
    const behaviour = GateBehaviour.safeParse(record).data?.behaviour;
    if (behaviour == null) continue;
    const turned = <T extends { lost: number; gained: number }>(one: T): T =>
      forwards ? one : { ...one, lost: one.gained, gained: one.lost };
    const { task, rows, lost, gained, slices } = behaviour;
    return { gate, task, ...turned({ rows, lost, gained }), slices: slices.map(turned) };
  }
  return null;
}

const gateLimit = 64_000_000;
const GateBehaviour = z.object({ behaviour: Behaviour.nullable() });

/** Two versions as people name them: MODEL@A MODEL@B, or MODEL A B. Throws `usage`. */
export function parsePair(texts: readonly (string | undefined)[]): {
  model: string;
  before: number;
  after: number;
} {
  const [first = '', second = '', third] = texts;
  const named = third === undefined ? [first, second] : [`${first}@${second}`, `${first}@${third}`];
  const [one, other] = named.map((text) => /^([^@]+)@v?([1-9]\d{0,8})$/.exec(text));
  if (!one || !other || one[1] !== other[1] || !Name.safeParse(one[1]).success) {
    throw new UserError({
      code: 'usage',
      message: `${texts
        .filter((text) => text !== undefined)
        .map((text) => JSON.stringify(text))
        .join(' ')} does not name two versions of one model.`,
      where: 'diff',
      fix: 'Give MODEL@A MODEL@B, or MODEL A B, e.g. flights-late@1 flights-late@2.',
    });
  }
  return { model: one[1]!, before: Number(one[2]), after: Number(other[2]) };
}
