import { z } from 'zod';
import { canonicalJson, type Digest } from '../json.ts';
import { ancestors, nearest } from './lineage.ts';
import type { Manifest, ManifestKind } from './manifest.ts';
import type { Store } from './store.ts';

const json = z.json();
type Json = z.infer<typeof json>;

/** One thing in which two packages, or what is known of them, differ. */
export const Change = z.object({
  /** Such as `code`, `data.rows`, `params.depth`, `features.added`, `environment.python`. */
  what: z.string(),
  before: json,
  after: json,
  /** What a reader must know of it, e.g. which files of the code, or that two numbers cannot be compared. */
  note: z.string().optional(),
});
export type Change = z.infer<typeof Change>;

/** What a model package says of how it was made, itself and through the manifests upstream. */
export interface PackageDescription {
  /** Of the package's manifest. */
  digest: Digest;
  /** sha256 of model.onnx. */
  model: Digest | null;
  commit: string | null;
  code: Digest | null;
  /** sha256 of the code's files by name. */
  codeFiles: Record<string, string>;
  trained_at: Json;
  data: { dataset: Digest | null; window: Json; rows: Json };
  /** Digest of the feature SQL. */
  features: Json;
  /** Names of the model's features; null where the manifests do not tell. */
  featureNames: string[] | null;
  params: Json;
  seed: Json;
  environment: Json;
  /** What training reported, on its own validation rows. */
  metrics: Json;
  /** sha256 of those rows: only on the same ones can two models' metrics be compared. */
  validation: Digest | null;
}

/** Reads a package's description from its manifest and the manifests that it was made from. */
export async function describePackage(store: Store, digest: Digest): Promise<PackageDescription> {
  const lineage = await ancestors(store, digest);
  const model = await store.readManifest(digest, 'model');
  const of = (kind: ManifestKind): Manifest | null => nearest(lineage, kind)?.[1] ?? null;
  const rows = of('features')?.facts.rows ?? model.facts.rows ?? null;
  const code = model.inputs.code ?? nearest(lineage, 'code')?.[0] ?? null;
  const codeFiles = code === null ? [] : (lineage.get(code)?.files ?? []);
  return {
    digest,
    model: model.files.find(({ name }) => name === 'model.onnx')?.sha256 ?? null,
    commit: model.producer.commit,
    code,
    codeFiles: Object.fromEntries(codeFiles.map(({ name, sha256 }) => [name, sha256])),
    trained_at: model.facts.trained_at ?? null,
    data: {
      dataset: nearest(lineage, 'dataset')?.[0] ?? null,
      window: model.facts.window ?? hull([...lineage.values()]),
      rows,
    },
    features: of('features')?.inputs.code ?? null,
    featureNames: Names.safeParse(model.facts.features).data ?? null,
    params: model.facts.params ?? null,
    seed: model.facts.seed ?? null,
    environment: model.facts.environment ?? null,
    metrics: model.facts.metrics ?? null,
    validation: of('split')?.files.find(({ name }) => name === 'validation.parquet')?.sha256 ?? null,
  };
}

const Names = z.array(z.string());

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

/**
 * In what two packages differ: commit, code (with the files), data, features (SQL, added, removed), parameters,
 * seed, environment; metrics of training only where both were measured on the same rows.
 */
export function packageChanges(before: PackageDescription, after: PackageDescription): Change[] {
  const changes: Change[] = [];
  compareValues('commit', { before: before.commit, after: after.commit }, changes);
  if (before.code !== after.code) {
    const files = changedFiles(before.codeFiles, after.codeFiles);
    const note = files.length === 0 ? {} : { note: files.join(', ') };
    changes.push({ what: 'code', before: before.code, after: after.code, ...note });
  }
  compareValues('data', { before: before.data, after: after.data }, changes);
  compareValues('features', { before: before.features, after: after.features }, changes);
  if (before.featureNames !== null && after.featureNames !== null) {
    const [old, now] = [new Set(before.featureNames), new Set(after.featureNames)];
    const added = [...now].filter((name) => !old.has(name));
    const removed = [...old].filter((name) => !now.has(name));
    if (added.length > 0) changes.push({ what: 'features.added', before: null, after: added });
    if (removed.length > 0) changes.push({ what: 'features.removed', before: removed, after: null });
  }
  compareValues('params', { before: before.params, after: after.params }, changes);
  compareValues('seed', { before: before.seed, after: after.seed }, changes);
  compareValues('environment', { before: before.environment, after: after.environment }, changes);
  if (before.validation !== null && before.validation === after.validation)
    compareValues('metrics', { before: before.metrics, after: after.metrics }, changes);
  return changes;
}

function changedFiles(before: Record<string, string>, after: Record<string, string>): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.filter((name) => before[name] !== after[name]);
}

/** Members of mappings are compared one by one, so that a change names the parameter or metric. */
export function compareValues(
  what: string,
  { before, after }: { before: Json; after: Json },
  changes: Change[],
): void {
  if (canonicalJson(before) === canonicalJson(after)) return;
  if (!isMapping(before) || !isMapping(after)) {
    changes.push({ what, before, after });
    return;
  }
  for (const key of [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()) {
    const members = { before: before[key] ?? null, after: after[key] ?? null };
    compareValues(`${what}.${key}`, members, changes);
  }
}

function isMapping(value: Json): value is Record<string, Json> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
