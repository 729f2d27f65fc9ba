import type { LogEntry } from './entries.ts';

/** A rollback that was tried: an environment went back to an earlier version, and again to the one that served. */
export interface Drill {
  environment: string;
  /** When it went back, and when it returned; null: it did not return. */
  at: string;
  restored_at: string | null;
  from: number | null;
  to: number;
}

/** drill.yml names its two moves so: `drill-RUN-ATTEMPT-back`, `drill-RUN-ATTEMPT-restore`. */
const operation = /^(drill-.+)-(back|restore)$/;

/** Whether an entry was made by a rollback drill. Its moves are no failures, and nobody made them by hand. */
export const isDrill = ({ op_id }: Pick<LogEntry, 'op_id'>): boolean => operation.test(op_id);

/** The drills among a log's entries, oldest first. A restore whose first half is not among them is left out. */
export function drillsOf(entries: readonly LogEntry[]): Drill[] {
  const drills = new Map<string, Drill>();
  for (const entry of entries) {
    if (entry.type !== 'rollback') continue;
    const [, name = '', half] = operation.exec(entry.op_id) ?? [];
    const { environment, at, from, version } = entry;
    if (half === 'back') drills.set(name, { environment, at, restored_at: null, from, to: version });
    const begun = drills.get(name);
    if (half === 'restore' && begun?.environment === environment && begun.from === version)
      begun.restored_at = at;
  }
  return [...drills.values()];
}
