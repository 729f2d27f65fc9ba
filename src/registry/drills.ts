import { z } from 'zod';
import { Name } from '../names.ts';
import type { LogEntry } from './entries.ts';

const version = z.number().int().positive();

/** A rollback that was tried: an environment went back to an earlier version, and again to the one that served. */
export const Drill = z.object({
  /** Of its two operations. */
  name: z.string(),
  /** The entry that went back. */
  seq: z.number().int().positive(),
  environment: Name,
  /** When it went back, and when it returned; null: it did not return. */
  at: z.iso.datetime(),
  restored_at: z.iso.datetime().nullable(),
  from: version.nullable(),
  to: version,
});
export type Drill = z.infer<typeof Drill>;

/** As a person or a script is told of it. */
export const DrillReport = Drill.omit({ name: true, seq: true }).extend({
  /** `fail`: it did not return. */
  verdict: z.enum(['pass', 'fail']),
  /** From one move to the other, by the writers' clocks; null where it did not return. */
  seconds: z.number().nonnegative().nullable(),
});
export type DrillReport = z.infer<typeof DrillReport>;

/** drill.yml names its two moves so: `drill-RUN-ATTEMPT-back`, `drill-RUN-ATTEMPT-restore`. */
const operation = /^(drill-.+)-(back|restore)$/;

/** Whether an entry was made by a rollback drill. Its moves are no failures, and nobody made them by hand. */
export const isDrill = ({ op_id }: Pick<LogEntry, 'op_id'>): boolean => operation.test(op_id);

type Rollback = Extract<LogEntry, { type: 'rollback' }>;

/** The newest drill of an environment after a rollback there: a new one, the same one come back, or as before. */
export function nextDrill(drill: Drill | null, entry: Rollback): Drill | null {
  const [, name = '', half] = operation.exec(entry.op_id) ?? [];
  const { seq, environment, at, from, version: to } = entry;
  if (half === 'back') return { name, seq, environment, at, restored_at: null, from, to };
  const returns = half === 'restore' && drill?.name === name && drill.environment === environment;
  return returns && drill.from === to ? { ...drill, restored_at: at } : drill;
}

/** The drills among a log's entries, oldest first. A restore whose first half is not among them is left out. */
export function drillsOf(entries: readonly LogEntry[]): Drill[] {
  const drills: Drill[] = [];
  const newest = new Map<string, number>();
  for (const entry of entries) {
    if (entry.type !== 'rollback') continue;
    const index = newest.get(entry.environment);
    const before = index === undefined ? null : (drills[index] ?? null);
    const after = nextDrill(before, entry);
    if (after === null || after === before) continue;
    if (index !== undefined && after.name === before?.name) drills[index] = after;
    else newest.set(entry.environment, drills.push(after) - 1);
  }
  return drills;
}

/** The drill of a model that began last. */
export function lastDrill(state: {
  environments: ReadonlyMap<string, { readonly drill: Readonly<Drill> | null }>;
}): Drill | null {
  const drills = [...state.environments.values()].flatMap(({ drill }) => (drill === null ? [] : [drill]));
  return drills.sort((a, b) => a.seq - b.seq).at(-1) ?? null;
}

export function reportDrill({ name: _name, seq: _seq, ...drill }: Drill): DrillReport {
  const { at, restored_at } = drill;
  const seconds = restored_at === null ? null : Math.max(0, Date.parse(restored_at) - Date.parse(at)) / 1000;
  return { ...drill, verdict: restored_at === null ? 'fail' : 'pass', seconds };
}
