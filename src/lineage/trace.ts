import type { Json } from '../json.ts';
import type { Manifest, ManifestKind, Producer } from '../store/manifest.ts';
import type { Store } from '../store/store.ts';

export interface TracedSnapshot {
  /** Name of the source in modelgate.yaml. */
  source: string;
  digest: string;
  rows: Json;
  /** First and last moment of its rows. */
  window: Json;
  newest: Json;
}

/** What a model was made from, read from the manifests. */
export interface Origin {
  /** Digest of the model package. */
  model: string;
  run: Producer;
  commit: string | null;
  trainedAt: Json;
  /** Rows that it was trained on. */
  rows: Json;
  split: string | null;
  dataset: string | null;
  snapshots: TracedSnapshot[];
  /** All manifests upstream, nearest first. */
  lineage: { role: string; kind: ManifestKind; digest: string }[];
}

const manifestsLimit = 1000;

/** Goes from a model package back to its data. Throws `object_missing`, `object_damaged`. */
export async function traceOrigin(store: Store, model: string): Promise<Origin> {
  const manifest = await store.readManifest(model, 'model');
  const upstream = await walk(store, manifest);
  const nearest = (kind: ManifestKind) => upstream.find((one) => one.manifest.kind === kind);
  const split = nearest('split');
  return {
    model,
    run: manifest.producer,
    commit: manifest.producer.commit,
    trainedAt: manifest.facts.trained_at ?? null,
    rows: manifest.facts.rows ?? split?.manifest.facts.rows ?? null,
    split: split?.digest ?? null,
    dataset: nearest('dataset')?.digest ?? null,
    snapshots: upstream
      .filter((one) => one.manifest.kind === 'snapshot')
      .map(({ role, digest, manifest: { facts } }) => ({
        source: role,
        digest,
        rows: facts.rows ?? null,
        window: facts.window ?? null,
        newest: facts.newest ?? null,
      })),
    lineage: upstream.map(({ role, digest, manifest: { kind } }) => ({ role, kind, digest })),
  };
}

/** All manifests that one was made from, breadth first, each once. */
async function walk(store: Store, from: Manifest) {
  const found: { role: string; digest: string; manifest: Manifest }[] = [];
  const seen = new Set<string>();
  let level = [from];
  while (level.length > 0 && found.length < manifestsLimit) {
    const next: Manifest[] = [];
    for (const [role, digest] of level.flatMap((manifest) => Object.entries(manifest.inputs))) {
      if (seen.has(digest)) continue;
      seen.add(digest);
      // `file` of an evaluation, for one, names an object: it has no manifest
      const manifest = await store.readManifest(digest).catch(ifMissing);
      if (manifest === null) continue;
      found.push({ role, digest, manifest });
      next.push(manifest);
    }
    level = next;
  }
  return found;
}

function ifMissing(error: unknown): null {
  if (error instanceof Error && 'code' in error && error.code === 'object_missing') return null;
  throw error;
}
