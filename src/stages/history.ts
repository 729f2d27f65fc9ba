import { z } from 'zod';
import { Digest } from '../json.ts';
import { Name } from '../names.ts';
import { LogEntry } from '../registry/entries.ts';
import { OverrideFigures, overrideFigures } from '../registry/overrides.ts';
import { requireModel } from '../registry/rules.ts';
import { defineStage } from './define.ts';

/** The log of a model: who did what, when and why. */
export const history = defineStage({
  name: 'history',
  description: 'Shows the log of a model: who did what, when and why.',
  inputs: z.object({ model: Name }),
  outputs: z.object({
    model: Name,
    seq: z.number(),
    head: Digest.nullable(),
    overrides: OverrideFigures,
    entries: z.array(z.intersection(LogEntry, z.object({ sha256: Digest }))),
  }),
  cache: false,
  run: async ({ model }, { registry }) => {
    const state = await registry.state(model);
    requireModel(state);
    const placed = await registry.entries(model);
    return {
      verdict: 'pass',
      reason_code: 'done',
      summary: `${model} has ${placed.length} log entries, ${state.versions.length} versions.`,
      outputs: {
        model,
        seq: placed.length,
        head: placed.at(-1)?.head ?? null,
        overrides: overrideFigures(placed.map(({ entry }) => entry)),
        entries: placed.map(({ entry, head }) => ({ ...entry, sha256: head })),
      },
    };
  },
});
