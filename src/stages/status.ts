import { z } from 'zod';
import { UserError } from '../errors.ts';
import { Name } from '../names.ts';
import { DrillReport, lastDrill, reportDrill } from '../registry/drills.ts';
import { Interventions, recentInterventions } from '../registry/interventions.ts';
import { requireKnownModel } from '../registry/known.ts';
import { OverrideFigures, overrideFigures } from '../registry/overrides.ts';
import type { EnvironmentState } from '../registry/state.ts';
import { describeEnvironment, EnvironmentStatus } from '../registry/status.ts';
import { defineStage } from './define.ts';
import { at, momentOf } from './moment.ts';

/** What runs where, now or at a past moment. */
export const status = defineStage({
  name: 'status',
  description:
    'Says what runs where, since when, trained on what, what changed and what a rollback restores.',
  inputs: z.object({
    model: Name,
    at,
    /** Of this environment alone; null: of each. */
    environment: Name.nullable().default(null),
    /** A model that is not registered yet is none of its mistakes: nothing is deployed of it. */
    may_be_new: z.boolean().default(false),
  }),
  outputs: z.object({
    model: Name,
    versions: z.number(),
    seq: z.number(),
    head: z.string().nullable(),
    environments: z.array(EnvironmentStatus),
    /** Of the one that is asked for; null where nothing serves there, and where none is. */
    version: z.number().nullable(),
    generation: z.number().nullable(),
    rollback_to: z.number().nullable(),
    /** Of the whole log up to then. */
    overrides: OverrideFigures,
    /** Moves by hand, of this month and the two before it. */
    interventions: z.array(Interventions),
    /** The rollback drill that began last, up to then. */
    last_drill: DrillReport.nullable(),
  }),
  cache: false,
  run: async ({ model, at, environment: wanted, may_be_new }, { registry, store, now }) => {
    const moment = at === null ? now() : momentOf(at, now());
    const state = at === null ? await registry.state(model) : await registry.stateAt(model, moment);
    // before its first entry a model was not there yet, but that does not make it unknown
    const known = requireKnownModel(registry, at === null ? state : await registry.state(model));
    await known.catch((error: unknown) => {
      if (!may_be_new || !(error instanceof UserError) || error.code !== 'model_unknown') throw error;
    });
    const asked = [...state.environments.values()].filter(({ name }) => wanted === null || name === wanted);
    const drill = lastDrill(state);
    const environments: EnvironmentStatus[] = [];
    for (const environment of asked) {
      environments.push(await describeEnvironment(store, state, { environment, now: moment }));
    }
    const [only] = wanted === null ? [] : environments;
    const runs = served(asked, wanted);
    return {
      verdict: 'pass',
      reason_code: 'done',
      summary: at === null ? `${model}: ${runs}.` : `At ${told(moment)}, of ${model}: ${runs}.`,
      outputs: {
        model,
        versions: state.versions.length,
        seq: state.seq,
        head: state.head,
        environments,
        version: only?.version ?? null,
        generation: only?.generation ?? null,
        rollback_to: only?.rollback_to ?? null,
        overrides: overrideFigures(state),
        interventions: await recentInterventions(registry, state, moment),
        last_drill: drill === null ? null : reportDrill(drill),
      },
    };
  },
});

/** What served where, in one line: the question of every audit. */
function served(environments: readonly Readonly<EnvironmentState>[], wanted: string | null): string {
  const each = environments.map(({ name, version, since }) =>
    version === null || since === null
      ? `nothing in ${name}`
      : `version ${version} in ${name} since ${told(new Date(since))}`,
  );
  return each.join(', ') || (wanted === null ? 'nothing is deployed' : `nothing in ${wanted}`);
}

/** To the second, in UTC. */
function told(moment: Date): string {
  return moment
    .toISOString()
    .replace('T', ' ')
    .replace(/(:00)?\.\d{3}Z$/, ' UTC');
}
