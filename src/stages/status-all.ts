import { z } from 'zod';
import { UserError } from '../errors.ts';
import { Digest } from '../json.ts';
import { mapAtMost } from '../map-at-most.ts';
import { Actor } from '../registry/entries.ts';
import { lockHolds } from '../registry/guards.ts';
import type { Registry } from '../registry/registry.ts';
import { previousMove } from '../registry/rules.ts';
import { Lock, type ModelState } from '../registry/state.ts';
import { defineStage } from './define.ts';
import { at, momentOf } from './moment.ts';

/** So many models are read at once: a store far away answers in tens of milliseconds. */
const atOnce = 16;

const Environment = z.object({
  environment: z.string(),
  version: z.number().nullable(),
  generation: z.number(),
  since: z.string().nullable(),
  actor: Actor.nullable(),
  manifest: Digest.nullable(),
  rollback_to: z.number().nullable(),
  lock: Lock.nullable(),
});

const Model = z.object({
  model: z.string(),
  versions: z.number(),
  seq: z.number(),
  head: Digest.nullable(),
  environments: z.array(Environment),
  /** Why nothing can be said of this model; null when it can. */
  problem: z.object({ code: z.string(), message: z.string() }).nullable(),
});
type Model = z.infer<typeof Model>;

/** What runs where, of all models that have a log in the store. Reads the logs alone, no packages. */
export const statusAll = defineStage({
  name: 'status',
  description: 'Says of every model in the store what runs where, since when, and what a rollback restores.',
  inputs: z.object({ at }),
  outputs: z.object({ models: z.array(Model) }),
  cache: false,
  run: async ({ at }, { registry, now, signal }) => {
    const names = await registry.models();
    const moment = at === null ? now() : momentOf(at, now());
    const models = await mapAtMost(names, atOnce, async (name) => {
      signal.throwIfAborted();
      return describeModel(registry, name, { moment, past: at !== null });
    });
    const unreadable = models.filter(({ problem }) => problem !== null);
    const [first] = unreadable;
    return {
      verdict: first === undefined ? 'pass' : 'fail',
      reason_code: first === undefined ? 'done' : 'log_damaged',
      summary:
        first === undefined
          ? `${models.length} ${models.length === 1 ? 'model' : 'models'}${at === null ? '' : ` at ${at}`}.`
          : `${unreadable.length} of ${models.length} models cannot be read, ${first.model} among them: ${first.problem?.message}`,
      outputs: { models },
    };
  },
});

/** One model's damage does not hide the other models. */
async function describeModel(
  registry: Registry,
  model: string,
  { moment, past }: { moment: Date; past: boolean },
): Promise<Model> {
  try {
    const state = past ? await registry.stateAt(model, moment) : await registry.state(model);
    return { ...describeState(state, moment), problem: null };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { code, message } = error;
    return { model, versions: 0, seq: 0, head: null, environments: [], problem: { code, message } };
  } finally {
    registry.forget(model);
  }
}

function describeState(state: ModelState, moment: Date): Omit<Model, 'problem'> {
  return {
    model: state.model,
    versions: state.versions.length,
    seq: state.seq,
    head: state.head,
    environments: [...state.environments.values()].map((environment) => ({
      environment: environment.name,
      version: environment.version,
      generation: environment.generation,
      since: environment.since,
      actor: environment.actor,
      manifest: environment.manifest,
      rollback_to: previousMove(state, environment)?.version ?? null,
      lock: lockHolds(environment.lock, moment) ? environment.lock : null,
    })),
  };
}
