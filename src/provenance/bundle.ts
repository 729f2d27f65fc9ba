import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { canonicalJson, parseJson } from '../json.ts';

/** Bytes of a bundle: one of a package with thousands of files has a few hundred kilobytes. */
export const bundleLimit = 4_000_000;

const payloadType = 'application/vnd.in-toto+json';
const mediaType = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** Base64 that no other text decodes to. */
const base64 = z
  .string()
  .max(bundleLimit)
  .refine((text) => Buffer.from(text, 'base64').toString('base64') === text, 'expected base64')
  .transform((text) => Buffer.from(text, 'base64'));

const envelope = z.strictObject({
  payload: base64,
  payloadType: z.literal(payloadType),
  signatures: z.tuple([z.strictObject({ sig: base64, keyid: z.literal('').optional() })]),
});

/** Signed with a key: nothing in it goes unseen. */
const KeyBundle = z.strictObject({
  mediaType: z.literal(mediaType),
  verificationMaterial: z.strictObject({
    publicKey: z.strictObject({ hint: z.string().regex(/^[0-9a-f]{64}$/) }),
    tlogEntries: z.tuple([]).optional(),
  }),
  dsseEnvelope: envelope,
});

const certificate = z.object({ rawBytes: base64 });
const several = z.array(z.looseObject({})).max(20).nullish();

/** Signed with a short-lived certificate: what else it holds is for the Sigstore library to judge. */
const CertificateBundle = z.strictObject({
  mediaType: z.enum([
    mediaType,
    'application/vnd.dev.sigstore.bundle+json;version=0.3',
    'application/vnd.dev.sigstore.bundle+json;version=0.2',
  ]),
  verificationMaterial: z.strictObject({
    certificate: certificate.optional(),
    x509CertificateChain: z.object({ certificates: z.array(certificate).min(1).max(10) }).optional(),
    tlogEntries: several,
    timestampVerificationData: z.looseObject({ rfc3161Timestamps: several }).nullish(),
  }),
  dsseEnvelope: envelope,
});

/** A Sigstore bundle with a signed statement (https://docs.sigstore.dev/about/bundle). Nothing of it is verified. */
export interface Bundle {
  /** The bytes that were signed, as DSSE has it. */
  signed: Buffer;
  /** The in-toto statement. */
  payload: Buffer;
  signature: Buffer;
  by: { kind: 'key'; id: string } | { kind: 'certificate'; identity: string };
  /** The whole of it, as it was parsed from JSON. */
  json: unknown;
}

/** Parses a bundle; null when it is none that this version reads. */
export function parseBundle(bytes: Uint8Array): Bundle | null {
  let json: unknown;
  try {
    json = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes), bundleLimit);
  } catch {
    return null; // neither text nor JSON, or nested without end
  }
  const keyed = KeyBundle.safeParse(json);
  if (keyed.success) {
    const { dsseEnvelope, verificationMaterial } = keyed.data;
    return { ...partsOf(dsseEnvelope), by: { kind: 'key', id: verificationMaterial.publicKey.hint }, json };
  }
  const certified = CertificateBundle.safeParse(json);
  if (!certified.success) return null;
  const { dsseEnvelope, verificationMaterial } = certified.data;
  const leaf = verificationMaterial.certificate ?? verificationMaterial.x509CertificateChain?.certificates[0];
  if (leaf === undefined) return null;
  try {
    const identity = identityOf(new X509Certificate(leaf.rawBytes));
    return { ...partsOf(dsseEnvelope), by: { kind: 'certificate', identity }, json };
  } catch {
    return null; // no certificate
  }
}

/** A bundle that was signed with a key, in the one form that ModelGate writes: canonical JSON. */
export function keyBundle(request: { payload: Buffer; signature: Buffer; keyId: string }): Buffer {
  const { payload, signature, keyId } = request;
  return Buffer.from(
    canonicalJson({
      mediaType,
      verificationMaterial: { publicKey: { hint: keyId }, tlogEntries: [] },
      dsseEnvelope: {
        payload: payload.toString('base64'),
        payloadType,
        signatures: [{ sig: signature.toString('base64'), keyid: '' }],
      },
    }),
  );
}

/** What is signed in the place of a payload (https://github.com/secure-systems-lab/dsse). */
export function preAuthenticationEncoding(payload: Uint8Array): Buffer {
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `),
    payload,
  ]);
}

function partsOf({ payload, signatures }: z.infer<typeof envelope>) {
  return { payload, signed: preAuthenticationEncoding(payload), signature: signatures[0].sig };
}

function identityOf(leaf: X509Certificate): string {
  return (leaf.subjectAltName ?? '').replace(/^(URI|email):/, '').slice(0, 500);
}
