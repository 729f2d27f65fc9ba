import { z } from 'zod';
import type { LogEntry } from './entries.ts';

const share = z.number().nullable();

/** How often people went past the gate, and how often they seem to have been right. */
export const OverrideFigures = z.object({
  promotions: z.number(),
  overrides: z.number(),
  /** Overrides among promotions; null without any. */
  override_rate: share,
  /** Versions whose gate did not pass. */
  stopped: z.number(),
  /** Versions that were promoted by an override and never rolled back. */
  stood: z.number(),
  /**
   * Those that stood among those stopped: a lower estimate of how often the gate stops a good model, since a
   * version that nobody overrode is never known to be good. Null where none was stopped.
   */
  false_block_rate: share,
});
export type OverrideFigures = z.infer<typeof OverrideFigures>;

/** Counted from the log [GAT-5, MET-3]. */
export function overrideFigures(entries: readonly LogEntry[]): OverrideFigures {
  let promotions = 0;
  let overrides = 0;
  let stopped = 0;
  const overridden = new Set<number>();
  for (const entry of entries) {
    if (entry.type === 'register' && entry.verdict !== 'pass') stopped += 1;
    if (entry.type === 'promote') {
      promotions += 1;
      if (entry.override === undefined) continue;
      overrides += 1;
      overridden.add(entry.version);
    }
    // what a rollback leaves was not good, whoever wanted it
    if (entry.type === 'rollback' && entry.from !== null && entry.from !== entry.version)
      overridden.delete(entry.from);
  }
  const stood = overridden.size;
  return {
    promotions,
    overrides,
    override_rate: promotions === 0 ? null : overrides / promotions,
    stopped,
    stood,
    false_block_rate: stopped === 0 ? null : stood / stopped,
  };
}
