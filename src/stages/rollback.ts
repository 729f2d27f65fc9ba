import { z } from 'zod';
import { Name } from '../names.ts';
import { rollback as rollBack } from '../rollout/move.ts';
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

/** Puts back what served in an environment before. */
export const rollback = defineStage({
  name: 'rollback',
  description: 'Puts the last healthy version back into an environment.',
  inputs: z.object({
    model: Name,
    environment,
    environments,
    version: version.nullable().default(null).describe('A version that served there before.'),
    expected_generation: expectedGeneration,
    op_id: opId,
    freeze: z
      .boolean()
      .default(true)
      .describe('Whether what is left may not be promoted there again; without it a reason is needed.'),
    reason,
    digest,
    trust,
    dry_run: z.boolean().default(false).describe('Judge and verify, and change nothing.'),
  }),
  outputs: MoveOutputs,
  cache: false,
  run: async (input, { registry, actor }) => {
    const started = process.uptime();
    const result = await rollBack(registry, { ...input, to: input.version, actor });
    const told = moveResult('rolled back', input, result, started);
    if (input.freeze || result.status !== 'committed') return told;
    return { ...told, summary: `${told.summary} Version ${result.from} may be promoted there again.` };
  },
});
