import { z } from 'zod';
import { Digest } from '../json.ts';
import { Name } from '../names.ts';
import { approvePromotion, requestPromotion } from '../registry/approvals.ts';
import type { Committed } from '../registry/registry.ts';
import { defineStage } from './define.ts';
import { environment, environments, opId, reason, version } from './registry-inputs.ts';

const inputs = { model: Name, version, environment, environments, op_id: opId, reason };
const outputs = z.object({
  version,
  environment: Name,
  seq: z.number().nullable(),
  head: Digest.nullable(),
});

function told(input: { version: number; environment: string }, committed: Committed) {
  const { version, environment } = input;
  return { version, environment, seq: committed.entry?.seq ?? null, head: committed.head };
}

/** Asks for a promotion that another person must approve. */
export const request = defineStage({
  name: 'request',
  description: 'Asks for the promotion of a version, which another person then approves.',
  inputs: z.object(inputs),
  outputs,
  cache: false,
  run: async (input, { registry, actor }) => {
    const committed = await requestPromotion(registry, { ...input, actor });
    const done = committed.status !== 'nothing';
    return {
      verdict: 'pass',
      reason_code: done ? 'done' : 'nothing_to_do',
      summary: done
        ? `${actor.name} asks for ${input.model}@${input.version} in ${input.environment}; another person approves.`
        : `${input.model}@${input.version} in ${input.environment} is asked for, or serves there, already.`,
      outputs: told(input, committed),
    };
  },
});

/** Approves what another person asked for. */
export const approve = defineStage({
  name: 'approve',
  description: 'Approves the promotion that another person asked for.',
  inputs: z.object({
    ...inputs,
    approvers: z
      .array(z.string().min(1).max(100))
      .nullable()
      .default(null)
      .describe('Who may approve. Left out: anybody but the one who asked.'),
  }),
  outputs,
  cache: false,
  run: async (input, { registry, actor }) => {
    const committed = await approvePromotion(registry, { ...input, actor });
    const done = committed.status !== 'nothing';
    return {
      verdict: 'pass',
      reason_code: done ? 'done' : 'nothing_to_do',
      summary: `${input.model}@${input.version} ${done ? 'is' : 'was already'} approved for ${input.environment}${done ? ` by ${actor.name}` : ''}.`,
      outputs: told(input, committed),
    };
  },
});
