import { z } from 'zod';
import { Digest } from '../json.ts';
import { Name } from '../names.ts';
import { retire as retireVersion } from '../registry/locks.ts';
import { defineStage } from './define.ts';
import { opId, reason, version } from './registry-inputs.ts';

/** Takes a version out of use for good. */
export const retire = defineStage({
  name: 'retire',
  description: 'Retires a version for good: it is never promoted or restored again.',
  inputs: z.object({ model: Name, version, op_id: opId, reason }),
  outputs: z.object({ version, seq: z.number().nullable(), head: Digest.nullable() }),
  cache: false,
  run: async (input, { registry, actor }) => {
    const { model, version } = input;
    const { status, entry, head } = await retireVersion(registry, { ...input, actor });
    const done = status !== 'nothing';
    return {
      verdict: 'pass',
      reason_code: done ? 'done' : 'nothing_to_do',
      summary: `${model}@${version} ${done ? 'is' : 'was already'} retired.`,
      outputs: { version, seq: entry?.seq ?? null, head },
    };
  },
});
