import { z } from 'zod';
import type { LogEntry } from './entries.ts';
import type { ModelState, OverrideCounts } from './state.ts';

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

/** What an entry adds to the counts; the same counts where it adds nothing. */
export function countOverride(counts: OverrideCounts, entry: LogEntry): OverrideCounts {
  if (entry.type === 'register' && entry.verdict !== 'pass')
    return { ...counts, stopped: counts.stopped + 1 };
  if (entry.type === 'promote') {
    const promotions = counts.promotions + 1;
    if (entry.override === undefined) return { ...counts, promotions };
    const standing = [...new Set([...counts.standing, entry.version])];
    return { ...counts, promotions, overrides: counts.overrides + 1, standing };
  }
  // what a rollback leaves was not good, whoever wanted it, unless it says so
  if (
    entry.type === 'rollback' &&
    entry.freeze !== false &&
    entry.from !== entry.version &&
    counts.standing.some((v) => v === entry.from)
  )
    return { ...counts, standing: counts.standing.filter((version) => version !== entry.from) };
  return counts;
}

/** The figures of a log [GAT-5, MET-3]. */
export function overrideFigures({ overrides: counts }: ModelState): OverrideFigures {
  const { promotions, overrides, stopped, standing } = counts;
  const stood = standing.length;
  return {
    promotions,
    overrides,
    override_rate: promotions === 0 ? null : overrides / promotions,
    stopped,
    stood,
    false_block_rate: stopped === 0 ? null : stood / stopped,
  };
}
