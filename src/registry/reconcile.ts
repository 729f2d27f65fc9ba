import { z } from 'zod';
import { Digest } from '../json.ts';
import { Name } from '../names.ts';
import { environmentOf, type ModelState } from './state.ts';

/** What somebody saw: a server that answers for an environment, or a place that did not answer. */
export const Observation = z.strictObject({
  /** Where it was seen: a URL, a host, a cluster's name. */
  where: z.string().min(1).max(500),
  environment: Name,
  /** Null: nothing came back, or nothing is loaded there. */
  model: z.string().min(1).max(200).nullable(),
  /** Of the model package; null where only the version is known. */
  digest: Digest.nullable().default(null),
  version: z.number().int().positive().nullable().default(null),
  generation: z.number().int().positive().nullable().default(null),
  /** Why it could not be asked; null when it answered. */
  unreachable: z.string().max(500).nullable().default(null),
});
export type Observation = z.infer<typeof Observation>;

/** `--observed FILE`: what a person or another tool saw. */
export const Observed = z
  .array(
    z.strictObject({
      where: Observation.shape.where,
      environment: Observation.shape.environment,
      /** Null: it was looked at, and nothing serves there. */
      model: z.string().min(1).max(200).nullable(),
      digest: Digest.nullish(),
      version: z.number().int().positive().nullish(),
    }),
  )
  .max(10_000);

/**
 * `shadow`: it serves, and the registry does not know it, or never put it there. `stale`: it served there once, and
 * something else should now. `missing`: nothing was seen of what should serve. `unreachable`: it gave no answer.
 */
export const states = ['as_recorded', 'shadow', 'stale', 'missing', 'unreachable'] as const;

export const Serving = z.object({
  where: z.string(),
  environment: z.string(),
  model: z.string().nullable(),
  digest: Digest.nullable(),
  version: z.number().nullable(),
  /** What the registry says should serve there; null: nothing. */
  recorded: z.object({ model: Name, version: z.number(), digest: Digest, generation: z.number() }).nullable(),
  state: z.enum(states),
  reason: z.string(),
});
export type Serving = z.infer<typeof Serving>;

/**
 * Holds what was seen against what the logs say. `known` are the models that the registry has; `expected` the
 * environments of which all servers were looked at: what should serve there and was not seen is missing.
 */
export function reconcile(
  observations: readonly Observation[],
  known: ReadonlyMap<string, ModelState>,
  expected: readonly { model: string; environment: string }[],
): Serving[] {
  const serving = observations.map((seen) => judge(seen, known));
  for (const { model, environment } of expected) {
    const recorded = recordedIn(known.get(model), environment);
    const seen = observations.some((one) => one.environment === environment && one.model === model);
    // a server that does not answer is told as that, not twice
    const silent = observations.some((one) => one.environment === environment && one.unreachable !== null);
    if (recorded === null || seen || silent) continue;
    serving.push({
      where: environment,
      ...{ environment, model, digest: null, version: null, recorded },
      state: 'missing',
      reason: `version ${recorded.version} should serve, and nothing was seen that does`,
    });
  }
  return serving;
}

function judge(seen: Observation, known: ReadonlyMap<string, ModelState>): Serving {
  const { where, environment, model, digest, version } = seen;
  const state = model === null ? undefined : known.get(model);
  const recorded = recordedIn(state, environment);
  const told = (end: Serving['state'], reason: string): Serving => ({
    ...{ where, environment, model, digest, version, recorded, reason },
    state: end,
  });
  if (seen.unreachable !== null) return told('unreachable', seen.unreachable);
  if (model === null) return told('missing', 'nothing serves there');
  if (state === undefined || state.seq === 0) return told('shadow', 'the registry has no such model');
  const fits =
    recorded !== null &&
    (digest !== null || version !== null) &&
    (digest === null || digest === recorded.digest) &&
    (version === null || version === recorded.version);
  if (fits) return told('as_recorded', `version ${recorded.version}, as recorded`);
  const number = versionOf(seen, state);
  if (number === null) {
    return told(
      'shadow',
      digest === null && version === null
        ? 'nothing tells which version it is'
        : 'no version of the model is this package',
    );
  }
  if (recorded === null) return told('shadow', `version ${number} serves where the registry has put nothing`);
  const served = environmentOf(state, environment).served.some((move) => move.version === number);
  return served
    ? told('stale', `version ${number} served there before; version ${recorded.version} should now`)
    : told('shadow', `version ${number} was never promoted there; version ${recorded.version} should serve`);
}

/** The version that was seen, or null when the registry has none that fits all that is known of it. */
function versionOf({ digest, version, environment }: Observation, state: ModelState): number | null {
  if (digest === null) return version !== null && version <= state.versions.length ? version : null;
  const fitting = state.versions.filter(
    (one) => one.manifest === digest && (version === null || one.version === version),
  );
  // the same package may be registered more than once
  const { served } = environmentOf(state, environment);
  const there = fitting.find((one) => served.some((move) => move.version === one.version));
  return (there ?? fitting.at(-1))?.version ?? null;
}

function recordedIn(state: ModelState | undefined, environment: string): Serving['recorded'] {
  if (state === undefined) return null;
  const { version, manifest, generation } = environmentOf(state, environment);
  if (version === null || manifest === null) return null;
  return { model: state.model, version, digest: manifest, generation };
}
