import { z } from 'zod';
import { Name } from '../names.ts';
import { promote as promoteVersion } from '../rollout/move.ts';
import { defineStage } from './define.ts';
import {
  digest,
  environment,
  environments,
  expectedGeneration,
  MoveOutputs,
  moveResult,
  opId,
  reason,
  trust,
  version,
} from './registry-inputs.ts';

const text = z.string().min(1).max(1000);

/** Puts a version that passed its gate into an environment. */
export const promote = defineStage({
  name: 'promote',
  description: 'Puts a version that passed its gate into an environment.',
  inputs: z.object({
    model: Name,
    version: version.nullable().default(null).describe('Left out: the newest version that passed.'),
    environment,
    environments,
    expected_generation: expectedGeneration,
    op_id: opId,
    reason,
    digest,
    trust,
    dry_run: z.boolean().default(false).describe('Judge and verify, and change nothing.'),
    override: z
      .object({ by: text, reason: text })
      .nullable()
      .default(null)
      .describe('Goes past an undecided gate; who and why are kept in the log. Never past a failed one.'),
    overriders: z
      .array(text)
      .nullable()
      .default(null)
      .describe('Who may override. Left out: the caller has seen to it.'),
    approval: z
      .boolean()
      .default(false)
      .describe('Whether another person must have approved every promotion to this environment.'),
  }),
  outputs: MoveOutputs,
  cache: false,
  run: async (input, { registry, actor }) => {
    const started = process.uptime();
    const result = await promoteVersion(registry, { ...input, actor });
    return moveResult('promoted', input, result, started);
  },
});
