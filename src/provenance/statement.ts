import { z } from 'zod';
import { Digest, parseJson } from '../json.ts';
import { bundleLimit } from './bundle.ts';

const statementType = 'https://in-toto.io/Statement/v1';
export const signaturePredicate = 'https://model_signing/signature/v1.0';
const provenancePredicate = 'https://slsa.dev/provenance/v1';

const subject = z.object({ name: z.string().max(1_000).optional(), digest: z.object({ sha256: Digest }) });

/** OpenSSF Model Signing 1.0: every file with its digest, and one digest over these digests. */
const SignatureStatement = z.strictObject({
  _type: z.literal(statementType),
  subject: z.tuple([
    z.strictObject({ name: z.string().max(1_000), digest: z.strictObject({ sha256: Digest }) }),
  ]),
  predicateType: z.literal(signaturePredicate),
  predicate: z.object({
    serialization: z.object({ method: z.literal('files'), hash_type: z.literal('sha256') }),
    resources: z
      .array(z.object({ name: z.string().min(1).max(1_000), algorithm: z.literal('sha256'), digest: Digest }))
      .min(1)
      .max(20_000),
  }),
});
export type SignatureStatement = z.infer<typeof SignatureStatement>;

/** SLSA provenance 1.0 as GitHub Actions make it. */
const ProvenanceStatement = z.object({
  _type: z.literal(statementType),
  subject: z.array(subject).min(1).max(2_000),
  predicateType: z.literal(provenancePredicate),
  predicate: z.object({
    buildDefinition: z.object({
      buildType: z.string().max(500),
      externalParameters: z.object({
        workflow: z.object({ repository: z.string().max(500), path: z.string().max(500) }).optional(),
      }),
    }),
  }),
});
export type ProvenanceStatement = z.infer<typeof ProvenanceStatement>;

export type Statement =
  | { kind: 'signature'; statement: SignatureStatement }
  | { kind: 'provenance'; statement: ProvenanceStatement };

/** Parses a signed statement; null when it is of neither kind. */
export function parseStatement(payload: Uint8Array): Statement | null {
  let json: unknown;
  try {
    json = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(payload), bundleLimit);
  } catch {
    return null;
  }
  const signature = SignatureStatement.safeParse(json);
  if (signature.success) return { kind: 'signature', statement: signature.data };
  const provenance = ProvenanceStatement.safeParse(json);
  return provenance.success ? { kind: 'provenance', statement: provenance.data } : null;
}

export function signatureStatement(request: {
  name: string;
  rootDigest: Digest;
  resources: readonly { name: string; digest: Digest }[];
}) {
  return {
    _type: statementType,
    subject: [{ name: request.name, digest: { sha256: request.rootDigest } }],
    predicateType: signaturePredicate,
    predicate: {
      serialization: { method: 'files', hash_type: 'sha256', allow_symlinks: false, ignore_paths: [] },
      resources: request.resources.map((each) => ({ ...each, algorithm: 'sha256' })),
    },
  };
}
