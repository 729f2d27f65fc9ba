import { z } from 'zod';
import { Digest } from '../json.ts';
import { Name } from '../names.ts';
import { Verdict } from '../outcome.ts';
import { register as registerVersion } from '../registry/register.ts';
import { defineStage } from './define.ts';

/** Makes a gated run an immutable version of the model; the same gate's result gives the same version. */
export const register = defineStage({
  name: 'register',
  description: 'Makes a gated model an immutable version in the registry.',
  inputs: z.object({
    model: Name.describe("The model's name in the registry."),
    gate: Digest.describe("Digest of the gate's result."),
  }),
  outputs: z.object({
    version: z.number(),
    /** Digest of the model package. */
    model: Digest,
    gate_verdict: Verdict,
    seq: z.number(),
    head: Digest,
  }),
  cache: false,
  run: async ({ model, gate }, { registry, actor }) => {
    const { version, manifest, verdict, seq, head, fresh } = await registerVersion(registry, {
      model,
      gate,
      actor,
    });
    return {
      verdict: 'pass',
      reason_code: fresh ? 'done' : 'nothing_to_do',
      summary: `${model}@${version} ${fresh ? 'is registered' : 'was registered before'}; its gate: ${verdict}.`,
      outputs: { version, model: manifest, gate_verdict: verdict, seq, head },
    };
  },
});
