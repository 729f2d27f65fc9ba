import { z } from 'zod';
import { collect } from '../registry/gc.ts';
import { StoreLog } from '../registry/store-log.ts';
import { defineStage } from './define.ts';
import { Duration, milliseconds } from './duration.ts';

const short = 3_600_000;
const count = z.number().int().nonnegative();

/** Marks what nothing names, and removes what has been marked for the grace. */
export const gc = defineStage({
  name: 'gc',
  description: 'Collects garbage: marks what nothing leads to, and removes what was marked long enough ago.',
  inputs: z.object({
    grace: Duration.default('7d').describe(
      'How long a mark stands before it is swept, and how long what was just written is left alone.',
    ),
    cache_retention: Duration.default('30d').describe('How long a cached result keeps what it names.'),
    dry_run: z.boolean().default(false).describe('Say what would be marked and removed, and change nothing.'),
  }),
  outputs: z.object({
    marked: count,
    waiting: count,
    swept: count,
    bytes: count,
    kept: count,
    cancelled: count,
    caches: count,
    dry_run: z.boolean(),
  }),
  cache: false,
  run: async (input, { store, registry, actor, logger }) => {
    const { dry_run } = input;
    const grace = milliseconds(input.grace);
    if (grace < short && !dry_run) {
      logger.warn(
        `A grace of ${input.grace} is safe only while nobody else writes: runs under way may lose what they uploaded.`,
      );
    }
    const log = new StoreLog({ storage: store.storage, now: registry.now, logger });
    const cacheRetention = milliseconds(input.cache_retention);
    const collected = await collect(registry, log, { actor, grace, cacheRetention, dryRun: dry_run });
    const { marked, swept, bytes, kept, waiting } = collected;
    const nothing = marked + swept + collected.cancelled + collected.caches === 0;
    return {
      verdict: 'pass',
      reason_code: nothing ? 'nothing_to_do' : 'done',
      summary: dry_run
        ? `Would remove ${swept} objects (${bytes} bytes) and mark ${marked}; ${kept} are in use.`
        : `Removed ${swept} objects (${bytes} bytes), marked ${marked}; ${kept} are in use, ${waiting} wait for their time.`,
      outputs: { ...collected, dry_run },
    };
  },
});
