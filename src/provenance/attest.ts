import { canonicalJson, type Digest } from '../json.ts';
import type { Actor, AttestationKind } from '../registry/entries.ts';
import type { Committed, Registry } from '../registry/registry.ts';
import { requireVersion } from '../registry/rules.ts';
import type { Producer } from '../store/manifest.ts';
import { keyBundle, parseBundle, preAuthenticationEncoding } from './bundle.ts';
import { refusal } from './errors.ts';
import { readPrivateKey, signBytes } from './keys.ts';
import { packageFiles, requireSameFiles, rootDigest } from './package-files.ts';
import { parseStatement, signatureStatement } from './statement.ts';
import { bundleFile, signerOfKey } from './verify.ts';

interface Common {
  model: string;
  version: number;
  actor: Actor;
  producer: Producer;
  reason: string | null;
}

export interface Attested {
  kind: AttestationKind;
  /** Digest of the attestation's manifest. */
  attestation: Digest;
  /** Digest of the package. */
  manifest: Digest;
  /** Who signed, as the bundle says. */
  signer: string;
  seq: number;
  head: Digest;
  /** False when this very bundle was kept before. */
  fresh: boolean;
  bundle: Buffer;
}

/**
 * Signs a version's package with a private key, as OpenSSF Model Signing 1.0 has it, and keeps the bundle in the
 * registry. Throws `model_unknown`, `version_unknown`, `config_missing`, `config_invalid`.
 */
export async function signVersion(
  registry: Registry,
  request: Common & { keyFile: string; passphrase: string | undefined },
): Promise<Attested> {
  const to = requireVersion(await registry.state(request.model), request.version);
  const key = await readPrivateKey(request.keyFile, request.passphrase);
  const resources = packageFiles(to.manifest, await registry.store.readManifest(to.manifest, 'model'));
  const statement = signatureStatement({
    name: request.model,
    rootDigest: rootDigest(resources),
    resources,
  });
  const payload = Buffer.from(canonicalJson(statement));
  const signature = signBytes(key.key, preAuthenticationEncoding(payload));
  return attest(registry, { ...request, bundle: keyBundle({ payload, signature, keyId: key.public.id }) });
}

/**
 * Keeps a bundle that was made elsewhere, a signature or a provenance, with a version. It must be of this very
 * package; whether its signer is believed is asked at each move. Throws `signature_invalid`, `provenance_invalid`,
 * `model_unknown`, `version_unknown`.
 */
export async function attest(registry: Registry, request: Common & { bundle: Buffer }): Promise<Attested> {
  const { model, version, actor, producer, reason, bundle } = request;
  const { store } = registry;
  const { manifest } = requireVersion(await registry.state(model), version);
  const { kind, signer } = await about(registry, manifest, bundle);
  const sha256 = await store.putBytes(bundle);
  // the maker and the run are the log's to say: the same bundle is the same attestation wherever it is kept
  const attestation = await store.putManifest({
    kind: 'attestation',
    files: [{ name: bundleFile, size: bundle.length, sha256 }],
    inputs: { model: manifest },
    producer: { ...producer, commit: null, run: '', attempt: 1, trigger: '' },
    facts: { kind, signer },
  });
  const op_id = `attest:${version}:${attestation}`;
  const committed: Committed = await registry.commit({
    model,
    op_id,
    matches: (entry) => entry.type === 'attest' && entry.attestation === attestation,
    decide: () => ({
      type: 'attest',
      op_id,
      actor,
      version,
      manifest,
      kind,
      attestation,
      signer,
      ...(reason === null ? {} : { reason }),
    }),
  });
  if (committed.status === 'nothing') throw new Error('an attestation gave no entry');
  const { seq } = committed.entry;
  const fresh = committed.status === 'committed';
  return { kind, attestation, manifest, signer, seq, head: committed.head, fresh, bundle };
}

/** What a bundle is, and that it is of this package. */
async function about(registry: Registry, manifest: Digest, bytes: Buffer) {
  const bundle = parseBundle(bytes);
  const parsed = bundle === null ? null : parseStatement(bundle.payload);
  if (bundle === null || parsed === null) {
    throw refusal('signature', 'invalid', {
      what: 'The file is no Sigstore bundle with an OpenSSF Model Signing or SLSA provenance statement.',
    });
  }
  if (parsed.kind === 'signature') {
    const files = packageFiles(manifest, await registry.store.readManifest(manifest, 'model'));
    requireSameFiles(parsed.statement, files);
  } else if (!parsed.statement.subject.some(({ digest }) => digest.sha256 === manifest)) {
    throw refusal('provenance', 'invalid', {
      what: `The provenance is of another package than ${manifest.slice(0, 12)}.`,
    });
  }
  const signer = bundle.by.kind === 'key' ? signerOfKey(bundle.by.id) : bundle.by.identity;
  return { kind: parsed.kind, signer: signer || 'unnamed' };
}
