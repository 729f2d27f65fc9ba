import { z } from 'zod';
import { Name } from '../names.ts';
import { DrillReport, lastDrill, reportDrill } from '../registry/drills.ts';
import { Interventions, recentInterventions } from '../registry/interventions.ts';
import { requireKnownModel } from '../registry/known.ts';
import { OverrideFigures, overrideFigures } from '../registry/overrides.ts';
import type { ModelState } from '../registry/state.ts';
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
  }),
  outputs: z.object({
    model: Name,
    versions: z.number(),
    seq: z.number(),
    head: z.string().nullable(),
    environments: z.array(EnvironmentStatus),
    /** Of the whole log up to then. */
    overrides: OverrideFigures,
    /** Moves by hand, of this month and the two before it. */
    interventions: z.array(Interventions),
    /** The rollback drill that began last, up to then. */
    last_drill: DrillReport.nullable(),
  }),
  cache: false,
  run: async ({ model, at }, { registry, store, now }) => {
    const moment = at === null ? now() : momentOf(at, now());
    const state = at === null ? await registry.state(model) : await registry.stateAt(model, moment);
    // before its first entry a model was not there yet, but that does not make it unknown
    await requireKnownModel(registry, at === null ? state : await registry.state(model));
    const drill = lastDrill(state);
    const environments: EnvironmentStatus[] = [];
    for (const environment of state.environments.values()) {
      environments.push(await describeEnvironment(store, state, { environment, now: moment }));
    }
    return {
      verdict: 'pass',
      reason_code: 'done',
      summary:
        at === null ? `${model}: ${served(state)}.` : `At ${told(moment)}, of ${model}: ${served(state)}.`,
      outputs: {
        model,
        versions: state.versions.length,
        seq: state.seq,
        head: state.head,
        environments,
        overrides: overrideFigures(state),
        interventions: await recentInterventions(registry, state, moment),
        last_drill: drill === null ? null : reportDrill(drill),
      },
    };
  },
});

/** What served where, in one line: the question of every audit. */
function served(state: ModelState): string {
  const each = [...state.environments.values()].map(({ name, version, since }) =>
    version === null || since === null
      ? `nothing in ${name}`
      : `version ${version} in ${name} since ${told(new Date(since))}`,
  );
  return each.join(', ') || 'nothing is deployed';
}

/** To the second, in UTC. */
function told(moment: Date): string {
  return moment
    .toISOString()
    .replace('T', ' ')
    .replace(/(:00)?\.\d{3}Z$/, ' UTC');
}
