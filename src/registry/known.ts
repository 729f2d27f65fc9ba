import { requireModel } from './guards.ts';
import type { Registry } from './registry.ts';
import type { ModelState } from './state.ts';

/** Throws `model_unknown` for an empty log, `storage_unavailable` where there is no store to hold one. */
export async function requireKnownModel(registry: Registry, state: ModelState): Promise<void> {
  // an empty log looks the same in both: a listing tells them apart
  if (state.seq === 0) for await (const _ of registry.store.storage.folders('')) break;
  requireModel(state);
}
