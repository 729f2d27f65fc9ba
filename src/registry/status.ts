import { z } from 'zod';
import { canonicalJson, Digest } from '../json.ts';
import { Verdict } from '../outcome.ts';
import type { Manifest, ManifestKind } from '../store/manifest.ts';
import type { Store } from '../store/store.ts';
import { Actor } from './entries.ts';
import { ancestors, nearest } from './record.ts';
import { previousMove } from './rules.ts';
import { type EnvironmentState, Lock, type ModelState } from './state.ts';

const json = z.json();

const Change = z.object({
  /** Such as `code`, `data.rows`, `params.depth`, `metrics.auc`, `features`. */
  what: z.string(),
  before: json,
  after: json,
});
export type Change = z.infer<typeof Change>;

export const EnvironmentStatus = z.object({
  environment: z.string(),
  version: z.number().nullable(),
  generation: z.number(),
  /** When this version came to serve here. */
  since: z.string().nullable(),
  actor: Actor.nullable(),
  /** Digest of the package. */
  manifest: Digest.nullable(),
  verdict: Verdict.nullable(),
  commit: z.string().nullable(),
  trained_at: json,
  /** What it was trained on. */
  data: z.object({ dataset: Digest.nullable(), window: json, rows: json }).nullable(),
  /** What the training reported, on rows that it held back: of each version's own window, so not to be compared. */
  metrics: json,
  /** What its gate saw on the pinned evaluation set; null where the gate's manifest says nothing of it. */
  evaluation: z.object({ gate: Digest, set: json, metrics: json }).nullable(),
  /** Against the version that served here before; null when there was none. */
  changed: z.array(Change).nullable(),
  /** The version that a rollback would restore. */
  rollback_to: z.number().nullable(),
  lock: Lock.nullable(),
});
export type EnvironmentStatus = z.infer<typeof EnvironmentStatus>;

/** What runs in an environment and how it came about, from the fold and the manifests. */
export async function describeEnvironment(
  store: Store,
  state: ModelState,
  environment: Readonly<EnvironmentState>,
): Promise<EnvironmentStatus> {
  const { name, version, manifest, generation, since, actor, history, lock } = environment;
  const current = manifest === null ? null : await describePackage(store, manifest);
  const before = history.findLast((move) => move.version !== version)?.manifest ?? null;
  const earlier = before === null ? null : await describePackage(store, before);
  return {
    environment: name,
    version,
    generation,
    since,
    actor,
    manifest,
    verdict: version === null ? null : (state.versions[version - 1]?.verdict ?? null),
    commit: current?.commit ?? null,
    trained_at: current?.trained_at ?? null,
    data: current?.data ?? null,
    metrics: current?.metrics ?? null,
    evaluation: version === null ? null : await describeEvaluation(store, state.versions[version - 1]?.gate),
    changed: current === null || earlier === null ? null : differences(earlier, current),
    rollback_to: previousMove(state, environment)?.version ?? null,
    lock,
  };
}

async function describeEvaluation(store: Store, gate: Digest | undefined) {
  if (gate === undefined) return null;
  const { facts, inputs } = await store.readManifest(gate, 'gate');
  const evaluation = Digest.safeParse(inputs.evaluation);
  const about = evaluation.success ? await store.readManifest(evaluation.data, 'evaluation') : null;
  return { gate, set: about?.facts.evaluation_set ?? null, metrics: facts.metrics ?? null };
}

type Json = z.infer<typeof json>;

interface PackageDescription {
  commit: string | null;
  code: Json;
  trained_at: Json;
  data: { dataset: Digest | null; window: Json; rows: Json };
  features: Json;
  params: Json;
  metrics: Json;
}

async function describePackage(store: Store, digest: Digest): Promise<PackageDescription> {
  const lineage = await ancestors(store, digest);
  const model = await store.readManifest(digest, 'model');
  const of = (kind: ManifestKind): Manifest | null => nearest(lineage, kind)?.[1] ?? null;
  const rows = of('features')?.facts.rows ?? model.facts.rows ?? null;
  return {
    commit: model.producer.commit,
    code: model.inputs.code ?? nearest(lineage, 'code')?.[0] ?? null,
    trained_at: model.facts.trained_at ?? null,
    data: {
      dataset: nearest(lineage, 'dataset')?.[0] ?? null,
      window: model.facts.window ?? hull([...lineage.values()]),
      rows,
    },
    features: of('features')?.inputs.code ?? null,
    params: model.facts.params ?? null,
    metrics: model.facts.metrics ?? null,
  };
}

/** The window that all snapshots together span: earliest `from`, latest `until`, of those that have one. */
function hull(manifests: readonly Manifest[]): Json {
  const windows = manifests
    .filter(({ kind }) => kind === 'snapshot')
    .map(({ facts }) => Window.safeParse(facts.window).data)
    .filter((window) => window !== undefined);
  if (windows.length === 0) return null;
  const froms = windows.map(({ from }) => from).filter(isText);
  const untils = windows.map(({ until }) => until).filter(isText);
  return { from: froms.sort()[0] ?? null, until: untils.sort().at(-1) ?? null };
}

const Window = z.object({ from: z.string().nullish(), until: z.string().nullish() });
const isText = (value: string | null | undefined): value is string => typeof value === 'string';

function differences(before: PackageDescription, after: PackageDescription): Change[] {
  const changes: Change[] = [];
  for (const [part, value] of Object.entries(after)) {
    if (part === 'trained_at') continue;
    compare(part, before[part as keyof PackageDescription], value, changes);
  }
  return changes;
}

/** Members of mappings are compared one by one, so that a change names the parameter or metric. */
function compare(what: string, before: Json, after: Json, changes: Change[]): void {
  if (canonicalJson(before) === canonicalJson(after)) return;
  if (!isMapping(before) || !isMapping(after)) {
    changes.push({ what, before, after });
    return;
  }
  for (const key of [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()) {
    compare(`${what}.${key}`, before[key] ?? null, after[key] ?? null, changes);
  }
}

function isMapping(value: Json): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
