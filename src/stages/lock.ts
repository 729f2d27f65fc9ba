import { z } from 'zod';
import { Digest } from '../json.ts';
import { Name } from '../names.ts';
import { lock as lockEnvironment } from '../registry/locks.ts';
import { defineStage } from './define.ts';
import { milliseconds } from './duration.ts';
import { environment, environments, opId, reason } from './registry-inputs.ts';

/** Holds an environment for the actor: nobody else moves it. */
export const lock = defineStage({
  name: 'lock',
  description: 'Locks an environment, so that nobody else moves it.',
  inputs: z.object({
    model: Name,
    environment,
    environments,
    ttl: z
      .string()
      .regex(/^[1-9]\d{0,5}[smhd]$/, 'expected a number and s, m, h or d, e.g. 30m')
      .nullable()
      .default(null)
      .describe('How long the lock holds, e.g. 2h. Left out: until it is unlocked.'),
    op_id: opId,
    reason,
  }),
  outputs: z.object({
    environment: Name,
    owner: z.string(),
    until: z.string().nullable(),
    seq: z.number(),
    head: Digest,
  }),
  cache: false,
  run: async ({ ttl, ...input }, { registry, actor }) => {
    const committed = await lockEnvironment(registry, {
      ...input,
      actor,
      ttl: ttl === null ? null : milliseconds(ttl),
    });
    if (committed.entry?.type !== 'lock') throw new Error('a lock gave no entry');
    const { owner, until, seq } = committed.entry;
    return {
      verdict: 'pass',
      reason_code: 'done',
      summary: `${input.environment} is locked by ${owner}${until === null ? '' : ` until ${until}`}.`,
      outputs: { environment: input.environment, owner, until, seq, head: committed.head },
    };
  },
});
