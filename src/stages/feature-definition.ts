import { FeatureDefinition } from '../data/definition.ts';
import { Digest, parseJson } from '../json.ts';
import type { Manifest, ManifestFile } from '../store/manifest.ts';
import type { Store } from '../store/store.ts';

/** How a model's features are made: what its package carries, so that every later use makes the same ones. */
export interface FeatureRecipe {
  definition: FeatureDefinition;
  /** The stored features.sql. */
  sql: ManifestFile;
}

const sqlLimit = 1_000_000;

/** The recipe of the features that a split was made from. */
export async function recipeOfSplit(store: Store, split: Manifest): Promise<FeatureRecipe> {
  const features = await store.readManifest(Digest.parse(split.inputs.features), 'features');
  const code = await store.readManifest(Digest.parse(features.inputs.code), 'code');
  return {
    definition: FeatureDefinition.parse(features.facts.definition),
    sql: store.file(code, 'features.sql'),
  };
}

/** The recipe that a model package carries, with the SQL's text. */
export async function recipeOfModel(
  store: Store,
  model: Manifest,
): Promise<{ definition: FeatureDefinition; sql: string }> {
  const stored = await store.readBytes(store.file(model, 'feature-definition.json').sha256, sqlLimit);
  const sql = await store.readBytes(store.file(model, 'features.sql').sha256, sqlLimit);
  return {
    definition: FeatureDefinition.parse(parseJson(stored.toString('utf8'))),
    sql: sql.toString('utf8'),
  };
}
