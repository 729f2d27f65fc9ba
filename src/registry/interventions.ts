import { z } from 'zod';
import { isDrill } from './drills.ts';
import type { LogEntry } from './entries.ts';
import type { Registry } from './registry.ts';
import type { ModelState } from './state.ts';

/** What a person did by hand. `override`: a promotion past an undecided gate. */
export const InterventionClass = z.enum(['promotion', 'override', 'rollback']);
export type InterventionClass = z.infer<typeof InterventionClass>;

/** How often people moved an environment by hand in a month, in UTC. */
export const Interventions = z.object({
  /** YYYY-MM. */
  month: z.string(),
  count: z.number().int(),
  classes: z.record(InterventionClass, z.number().int()),
});
export type Interventions = z.infer<typeof Interventions>;

const months = 3;
/** Entries are read in pages, from the newest on, and no more than so many. */
const page = 200;
const mostEntries = 5_000;

/** Which intervention an entry is; null: no environment moved, or a machine moved it. */
export function interventionOf(entry: LogEntry): InterventionClass | null {
  if (entry.type !== 'promote' && entry.type !== 'rollback') return null;
  const { actor, op_id } = entry;
  if (actor.via === 'service' || actor.name.endsWith('[bot]') || isDrill(entry)) return null;
  // release.yml runs in the name of whoever merged, who asked for no move
  if (actor.via === 'action' && op_id.startsWith('release-')) return null;
  return entry.type === 'rollback' ? 'rollback' : entry.override === undefined ? 'promotion' : 'override';
}

/** Counts by month: that of `now` first, then those before it [MET-2]. */
export function interventionsByMonth(entries: readonly LogEntry[], now: Date): Interventions[] {
  return recentMonths(now, months).map((month) => ({
    month,
    ...countInterventions(entries.filter(({ at }) => at.startsWith(month))),
  }));
}

/** What people did by hand among these entries. */
export function countInterventions(entries: readonly LogEntry[]): Omit<Interventions, 'month'> {
  const classes = { promotion: 0, override: 0, rollback: 0 };
  for (const entry of entries) {
    const found = interventionOf(entry);
    if (found !== null) classes[found] += 1;
  }
  return { count: classes.promotion + classes.override + classes.rollback, classes };
}

/** Those of the newest months of a log, up to a state of it. Reads no further back than they go. */
export async function recentInterventions(
  registry: Pick<Registry, 'entries'>,
  { model, seq }: Pick<ModelState, 'model' | 'seq'>,
  now: Date,
): Promise<Interventions[]> {
  const oldest = recentMonths(now, months).at(-1) ?? '';
  const read: LogEntry[] = [];
  for (let last = seq; last > 0 && read.length < mostEntries; last -= page) {
    const placed = await registry.entries(model, { first: Math.max(1, last - page + 1), last });
    const entries = placed.map(({ entry }) => entry);
    read.push(...entries);
    // the writers' clocks may differ: a page that is old as a whole ends it
    if (entries.every(({ at }) => at < oldest)) break;
  }
  return interventionsByMonth(read, now);
}

/** So many months up to that of `now`, as YYYY-MM in UTC, the newest first. */
export function recentMonths(now: Date, count: number): string[] {
  return Array.from({ length: count }, (_, back) =>
    new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back, 1)).toISOString().slice(0, 7),
  );
}
