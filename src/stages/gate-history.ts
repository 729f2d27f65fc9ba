import type { SetUse } from '../gate/checks/evaluation-set.ts';
import type { Digest } from '../json.ts';
import type { Registry } from '../registry/registry.ts';

/** What a model's log says to the gate about one evaluation. Reads the log only up to that evaluation's entry. */
export interface GateHistory {
  /** Consultations of the same set up to and including this one; null when this one is not in the log. */
  consultations: number | null;
  /** The gate by which the champion was judged, if the log holds it. */
  champion_gate: Digest | null;
  /** Measurements of retraining noise that earlier gates used; empty when there are fewer than two. */
  pooled_noise: Digest[];
}

/**
 * A question asked again gets the same answer: only what stands in the log before this evaluation counts, so
 * that a later question does not change the result of an earlier one.
 */
export async function gateHistory(
  registry: Registry,
  request: { model: string; evaluation: Digest; set: Digest; champion: Digest | null },
): Promise<GateHistory> {
  const { model, evaluation, set, champion } = request;
  const entries = (await registry.entries(model)).map(({ entry }) => entry);
  const place = entries.findIndex((entry) => entry.type === 'evaluate' && entry.evaluation === evaluation);
  const before = place === -1 ? entries : entries.slice(0, place + 1);
  const asked = before.filter((entry) => entry.type === 'evaluate' && entry.evaluation_set.sha256 === set);
  const versions = before.filter((entry) => entry.type === 'register');
  const noises = new Set<Digest>();
  for (const { gate } of versions) {
    const { noise } = (await registry.store.readManifest(gate, 'gate')).inputs;
    if (noise !== undefined) noises.add(noise);
  }
  return {
    consultations: place === -1 ? null : asked.length,
    champion_gate: versions.findLast(({ manifest }) => manifest === champion)?.gate ?? null,
    pooled_noise: noises.size < 2 ? [] : [...noises].sort().slice(-100),
  };
}

/** What the configuration and the log say of the evaluation set, as the gate's input. */
export function setUse(
  set: { budget: number; time?: string | undefined; maximum_age?: string | undefined },
  { consultations, as_of }: { consultations: number | null; as_of: string | null },
): SetUse {
  return {
    consultations,
    budget: set.budget,
    time: set.time ?? null,
    maximum_age: set.maximum_age ?? null,
    as_of,
  };
}
