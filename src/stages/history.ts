import { z } from 'zod';
import { Digest } from '../json.ts';
import { Name } from '../names.ts';
import { LogEntry } from '../registry/entries.ts';
import { requireKnownModel } from '../registry/known.ts';
import { OverrideFigures, overrideFigures } from '../registry/overrides.ts';
import { defineStage } from './define.ts';

/** More are not held in memory at once; the rest is had by `before`. */
const mostEntries = 10_000;

/** The log of a model: who did what, when and why. */
export const history = defineStage({
  name: 'history',
  description: 'Shows the log of a model: who did what, when and why.',
  inputs: z.object({
    model: Name,
    last: z
      .number()
      .int()
      .min(1)
      .max(mostEntries)
      .default(mostEntries)
      .describe('So many entries, the newest ones.'),
    before: z
      .number()
      .int()
      .positive()
      .nullable()
      .default(null)
      .describe('Only entries before this number. Left out: up to the newest.'),
  }),
  outputs: z.object({
    model: Name,
    /** Of the whole log, whichever entries are shown. */
    seq: z.number(),
    head: Digest.nullable(),
    overrides: OverrideFigures,
    entries: z.array(z.intersection(LogEntry, z.object({ sha256: Digest }))),
  }),
  cache: false,
  run: async ({ model, last, before }, { registry }) => {
    const state = await registry.state(model);
    await requireKnownModel(registry, state);
    const end = Math.min(state.seq, before === null ? state.seq : before - 1);
    const placed = await registry.entries(model, { first: end - last + 1, last: end });
    const shown = placed.length === state.seq ? '' : `; ${placed.length} are shown, up to entry ${end}`;
    return {
      verdict: 'pass',
      reason_code: 'done',
      summary: `${model} has ${state.seq} log entries, ${state.versions.length} versions${shown}.`,
      outputs: {
        model,
        seq: state.seq,
        head: state.head,
        overrides: overrideFigures(state),
        entries: placed.map(({ entry, head }) => ({ ...entry, sha256: head })),
      },
    };
  },
});
