import { z } from 'zod';
import { Digest } from '../json.ts';
import { Name } from '../names.ts';
import { unlock as unlockEnvironment } from '../registry/locks.ts';
import { defineStage } from './define.ts';
import { environment, environments, opId, reason } from './registry-inputs.ts';

/** Gives a lock back, or takes another's away by force. */
export const unlock = defineStage({
  name: 'unlock',
  description: 'Takes the lock of an environment away.',
  inputs: z.object({
    model: Name,
    environment,
    environments,
    force: z.boolean().default(false).describe("Take somebody else's lock away; needs a reason."),
    op_id: opId,
    reason,
  }),
  outputs: z.object({ environment: Name, seq: z.number().nullable(), head: Digest.nullable() }),
  cache: false,
  run: async (input, { registry, actor }) => {
    const { environment } = input;
    const { status, entry, head } = await unlockEnvironment(registry, { ...input, actor });
    return {
      verdict: 'pass',
      reason_code: status === 'nothing' ? 'nothing_to_do' : 'done',
      summary: status === 'nothing' ? `${environment} is not locked.` : `${environment} is unlocked.`,
      outputs: { environment, seq: entry?.seq ?? null, head },
    };
  },
});
