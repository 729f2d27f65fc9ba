import { z } from 'zod';
import { Digest } from '../json.ts';
import { Name } from '../names.ts';
import { Trust } from '../provenance/policy.ts';
import { prove, subjectOf } from '../provenance/verify.ts';
import { AttestationKind } from '../registry/entries.ts';
import { requireVersion } from '../registry/rules.ts';
import { verifyPackage } from '../rollout/package.ts';
import { defineStage } from './define.ts';
import { version } from './registry-inputs.ts';

/** Asks of a version what a promotion would ask, and moves nothing. */
export const verifySignature = defineStage({
  name: 'verify-signature',
  description: 'Verifies files, signature and provenance of a version as a promotion would.',
  inputs: z.object({
    model: Name,
    version,
    trust: Trust.describe('Who must have signed, and which workflow must have made it.'),
  }),
  outputs: z.object({
    model: Digest,
    proof: z.array(z.object({ kind: AttestationKind, attestation: Digest, signer: z.string() })),
  }),
  cache: false,
  run: async ({ model, version: number, trust }, { registry, store }) => {
    const state = await registry.state(model);
    const { manifest } = requireVersion(state, number);
    await verifyPackage(store, manifest);
    const proof = await prove({ store, subject: subjectOf(state, manifest), trust, now: registry.now() });
    return {
      verdict: 'pass',
      reason_code: 'done',
      summary: `${model}@${number}: ${proof.map(({ kind, signer }) => `${kind} by ${signer.slice(0, 200)}`).join('; ')}.`,
      outputs: { model: manifest, proof },
    };
  },
});
