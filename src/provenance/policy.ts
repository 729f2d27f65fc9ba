import { z } from 'zod';
import { startsWithDay } from '../calendar.ts';
import { lazyObject, lazySchema } from '../lazy-schema.ts';

const path = z.string().min(1).max(500);
const day = z
  .string()
  .regex(
    /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(Z|[+-]\d{2}:\d{2}))?$/,
    'expected a date or a time, e.g. 2027-01-31',
  )
  .refine((text) => startsWithDay(text) && !Number.isNaN(Date.parse(text)), 'is no day of the calendar');

/** Who must have signed a model package before an environment takes it. */
export const SignaturePolicy = lazySchema(() =>
  z
    .strictObject({
      keys: z
        .array(
          z.union([
            path,
            z.strictObject({
              file: path,
              until: day.optional().describe('From this moment on the key is not believed any more.'),
            }),
          ]),
        )
        .max(20)
        .default([])
        .describe('PEM files of public keys: Ed25519, or ECDSA over P-256, P-384, P-521.'),
      identities: z
        .array(
          z.strictObject({
            identity: z
              .string()
              .min(1)
              .max(500)
              .describe("The certificate's subject, exactly: a URI or an address."),
            issuer: z.string().min(1).max(500).describe('The OIDC issuer that vouched for it.'),
          }),
        )
        .max(20)
        .default([])
        .describe('Keyless signers (Sigstore).'),
      trusted_root: path.optional().describe('Sigstore trusted root, JSON or JSONL; identities need it.'),
    })
    .refine(({ keys, identities }) => keys.length + identities.length > 0, {
      message: 'names neither keys nor identities: nobody could sign',
    })
    .refine(({ identities, trusted_root }) => identities.length === 0 || trusted_root !== undefined, {
      message: 'identities need a trusted_root',
      path: ['trusted_root'],
    }),
);
export type SignaturePolicy = z.infer<typeof SignaturePolicy>;

/** Which GitHub workflow must have made a model package before an environment takes it. */
export const ProvenancePolicy = lazyObject(() => ({
  repository: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,100}\/[A-Za-z0-9._-]{1,100}$/, 'expected owner/name')
    .describe('The repository that the workflow ran for.'),
  workflow: z
    .string()
    .regex(
      /^([A-Za-z0-9._-]+\/[A-Za-z0-9._-]+\/)?\.github\/workflows\/[A-Za-z0-9._-]+\.ya?ml(@refs\/[A-Za-z0-9._/-]+)?$/,
      'expected .github/workflows/FILE.yml, or owner/name/.github/workflows/FILE.yml@refs/tags/TAG for a shared one',
    )
    .describe('The workflow file that signed, at `ref` unless it says another one after @.'),
  ref: z
    .string()
    .regex(/^refs\/[A-Za-z0-9._/-]{1,200}$/, 'expected refs/heads/BRANCH or refs/tags/TAG')
    .default('refs/heads/main')
    .describe('The branch or tag that it ran on.'),
  trusted_root: path.describe('Sigstore trusted root, JSON or JSONL (gh attestation trusted-root).'),
}));
export type ProvenancePolicy = z.infer<typeof ProvenancePolicy>;

/** What an environment asks for; what is left out is not asked. */
export const Trust = z.object({
  signature: SignaturePolicy.optional(),
  provenance: ProvenancePolicy.optional(),
});
export type Trust = z.infer<typeof Trust>;
