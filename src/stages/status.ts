import { z } from 'zod';
import { Instant } from '../config/schema.ts';
import { Name } from '../names.ts';
import { OverrideFigures, overrideFigures } from '../registry/overrides.ts';
import { requireModel } from '../registry/rules.ts';
import { describeEnvironment, EnvironmentStatus } from '../registry/status.ts';
import { defineStage } from './define.ts';

/** What runs where, now or at a past moment. */
export const status = defineStage({
  name: 'status',
  description:
    'Says what runs where, since when, trained on what, what changed and what a rollback restores.',
  inputs: z.object({
    model: Name,
    at: Instant.nullable().default(null).describe("A past moment by the log's times. Left out: now."),
  }),
  outputs: z.object({
    model: Name,
    versions: z.number(),
    seq: z.number(),
    head: z.string().nullable(),
    environments: z.array(EnvironmentStatus),
    /** Of the whole log up to then. */
    overrides: OverrideFigures,
    last_drill: z.null(),
  }),
  cache: false,
  run: async ({ model, at }, { registry, store }) => {
    const state = at === null ? await registry.state(model) : await registry.stateAt(model, moment(at));
    // before its first entry a model was not there yet, but that does not make it unknown
    requireModel(at === null ? state : await registry.state(model));
    const entries = (await registry.entries(model)).map(({ entry }) => entry);
    const environments: EnvironmentStatus[] = [];
    for (const environment of state.environments.values()) {
      environments.push(await describeEnvironment(store, state, environment));
    }
    const runs = environments.map(({ environment, version }) => `${environment} ${version ?? 'nothing'}`);
    return {
      verdict: 'pass',
      reason_code: 'done',
      summary: `${model}${at === null ? '' : ` at ${at}`}: ${runs.join(', ') || 'nothing is deployed'}.`,
      outputs: {
        model,
        versions: state.versions.length,
        seq: state.seq,
        head: state.head,
        environments,
        overrides: overrideFigures(entries.slice(0, state.seq)),
        last_drill: null,
      },
    };
  },
});

/** A time without a zone is UTC, on every machine. */
function moment(text: string): Date {
  const iso = text.replace(' ', 'T');
  return new Date(iso.includes('T') && !/(Z|[+-]\d{2}:\d{2})$/.test(iso) ? `${iso}Z` : iso);
}
