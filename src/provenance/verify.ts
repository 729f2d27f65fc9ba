import { describeWhere, UserError } from '../errors.ts';
import type { Digest } from '../json.ts';
import type { AttestationKind } from '../registry/entries.ts';
import type { Attestation, ModelState } from '../registry/state.ts';
import type { Manifest } from '../store/manifest.ts';
import type { Store } from '../store/store.ts';
import { type Bundle, bundleLimit, parseBundle } from './bundle.ts';
import { refusal } from './errors.ts';
import { type PublicKey, readPublicKey, signatureHolds } from './keys.ts';
import { packageFiles, requireSameFiles } from './package-files.ts';
import type { ProvenancePolicy, SignaturePolicy, Trust } from './policy.ts';
import { verifyCertified } from './sigstore.ts';
import { type ProvenanceStatement, parseStatement } from './statement.ts';

/** What was verified: kept in the log with the move that it allowed. */
export interface Proof {
  kind: AttestationKind;
  attestation: Digest;
  signer: string;
}

/** A package and what the log says of it. */
export interface Subject {
  /** For messages: MODEL@VERSION. */
  name: string;
  /** Digest of the package. */
  manifest: Digest;
  /** Oldest first. */
  attestations: readonly Attestation[];
}

/** File with the bundle in an attestation's manifest. */
export const bundleFile = 'bundle.sigstore.json';
const bytesLimit = bundleLimit + 1_000_000;
/**
 * How many are looked at, the newest first: of those said to be by somebody whom the environment names, and of the
 * others, only to tell what is wrong. Whoever may write to the log must neither keep others busy nor, by many
 * attestations of strangers, hide the one that counts.
 */
const looks = { named: 1000, others: 20 };

/** The package of a version, with the attestations of all versions that have the same one. */
export function subjectOf(state: ModelState, manifest: Digest): Subject {
  const same = state.versions.filter((each) => each.manifest === manifest);
  return {
    name: same.length === 0 ? state.model : `${state.model}@${same.at(-1)?.version}`,
    manifest,
    attestations: same.flatMap((each) => each.attestations).sort((a, b) => a.seq - b.seq),
  };
}

/**
 * Verifies what an environment asks of a package: one signature by somebody whom it believes, and one provenance of
 * its workflow. Works without any network. Throws `signature_missing`, `signature_invalid`, `signature_untrusted`,
 * the same of provenance, and `config_missing`, `config_invalid` for keys and trusted roots.
 */
export async function prove(request: {
  store: Store;
  subject: Subject;
  trust: Trust;
  now: Date;
}): Promise<Proof[]> {
  const { store, subject, trust, now } = request;
  const proofs: Proof[] = [];
  const { signature, provenance } = trust;
  if (signature !== undefined) {
    const keys = await believedKeys(signature, now);
    const check = (bundle: Bundle) => checkSignature({ bundle, policy: signature, keys, subject, store });
    const named = [
      ...keys.map(({ id }) => signerOfKey(id)),
      ...signature.identities.map((one) => one.identity),
    ];
    proofs.push(await firstSound('signature', { ...request, named }, check));
  }
  if (provenance !== undefined) {
    const check = (bundle: Bundle) => checkProvenance(bundle, provenance, subject);
    const named = [workflowOf(provenance).identity];
    proofs.push(await firstSound('provenance', { ...request, named }, check));
  }
  return proofs;
}

/** An attestation that holds; where none does, what is wrong with the newest by a signer who is named, or by anybody. */
async function firstSound(
  kind: AttestationKind,
  { store, subject, named }: { store: Store; subject: Subject; named: readonly string[] },
  check: (bundle: Bundle) => Promise<string>,
): Promise<Proof> {
  let first: UserError | undefined;
  const newest = subject.attestations.filter((each) => each.kind === kind).toReversed();
  const claims = newest.filter(({ signer }) => named.includes(signer)).slice(0, looks.named);
  const others = newest.filter(({ signer }) => !named.includes(signer)).slice(0, looks.others);
  for (const { attestation } of [...claims, ...others]) {
    try {
      return {
        kind,
        attestation,
        signer: await check(await readBundle(store, attestation, subject.manifest)),
      };
    } catch (error) {
      // an object that is missing or a key file that cannot be read is told too, unless another one holds
      if (!(error instanceof UserError)) throw error;
      first ??= error;
    }
  }
  const what = kind === 'signature' ? 'no signature' : 'no provenance';
  if (first === undefined) {
    throw refusal(kind, 'missing', { what: `${subject.name} has ${what}.`, where: subject.name });
  }
  throw new UserError({
    code: first.code,
    message: first.message,
    where: describeWhere(first.where) ?? subject.name,
    fix: first.fix,
    cause: first.cause,
  });
}

async function readBundle(store: Store, attestation: Digest, about: Digest): Promise<Bundle> {
  const manifest: Manifest = await store.readManifest(attestation, 'attestation');
  const kind = manifest.facts.kind === 'provenance' ? 'provenance' : 'signature';
  const file = manifest.files.find(({ name }) => name === bundleFile);
  if (manifest.inputs.model !== about || file === undefined) {
    throw refusal(kind, 'invalid', { what: 'The attestation is of another package.' });
  }
  const bundle = parseBundle(await store.readBytes(file.sha256, bytesLimit));
  if (bundle === null) throw refusal(kind, 'invalid', { what: 'The attestation holds no Sigstore bundle.' });
  return bundle;
}

interface BelievedKey extends PublicKey {
  expired: string | null;
}

async function believedKeys(policy: SignaturePolicy, now: Date): Promise<BelievedKey[]> {
  return Promise.all(
    policy.keys.map(async (each) => {
      const { file, until = null } = typeof each === 'string' ? { file: each } : each;
      const expired = until !== null && Date.parse(until) <= now.getTime() ? until : null;
      return { ...(await readPublicKey(file)), expired };
    }),
  );
}

/** Gives the signer. */
async function checkSignature(request: {
  bundle: Bundle;
  policy: SignaturePolicy;
  keys: readonly BelievedKey[];
  subject: Subject;
  store: Store;
}): Promise<string> {
  const { bundle, policy, keys, subject, store } = request;
  const parsed = parseStatement(bundle.payload);
  if (parsed?.kind !== 'signature') {
    throw refusal('signature', 'invalid', { what: 'The bundle holds no OpenSSF Model Signing statement.' });
  }
  const signer =
    bundle.by.kind === 'key'
      ? checkKey(bundle, bundle.by.id, keys)
      : await checkIdentity(bundle, policy, bundle.by.identity);
  const manifest = await store.readManifest(subject.manifest, 'model');
  requireSameFiles(parsed.statement, packageFiles(subject.manifest, manifest));
  return signer;
}

function checkKey(bundle: Bundle, id: string, keys: readonly BelievedKey[]): string {
  const key = keys.find((each) => each.id === id);
  if (key === undefined) {
    throw refusal('signature', 'untrusted', {
      what: `The signature is by the key ${id.slice(0, 16)}, which the environment does not name.`,
    });
  }
  if (!signatureHolds(key.key, bundle.signed, bundle.signature)) {
    throw refusal('signature', 'invalid', { what: 'The signature does not fit what it is said to sign.' });
  }
  if (key.expired !== null) {
    throw refusal('signature', 'untrusted', {
      what: `The key ${id.slice(0, 16)} is believed until ${key.expired} only.`,
    });
  }
  return signerOfKey(id);
}

async function checkIdentity(bundle: Bundle, policy: SignaturePolicy, claimed: string): Promise<string> {
  // before any work is done for a stranger
  const { trusted_root, identities } = policy;
  if (trusted_root === undefined || !identities.some(({ identity }) => identity === claimed)) {
    throw refusal('signature', 'untrusted', {
      what: `The signature is by ${shown(claimed)}, which the environment does not name.`,
    });
  }
  const { identity, issuer } = await certified('signature', bundle, trusted_root);
  if (!identities.some((each) => each.identity === identity && each.issuer === issuer)) {
    throw refusal('signature', 'untrusted', {
      what: `The signature is by ${shown(identity)} of ${shown(issuer)}, which the environment does not name.`,
    });
  }
  return identity;
}

const actionsIssuer = 'https://token.actions.githubusercontent.com';
/** Fulcio's extensions: the repository, and the branch or tag, that the workflow ran for. */
const sourceRepository = 12;
const sourceRef = 14;

/** Gives the workflow. */
async function checkProvenance(bundle: Bundle, policy: ProvenancePolicy, subject: Subject): Promise<string> {
  const parsed = parseStatement(bundle.payload);
  if (parsed?.kind !== 'provenance') {
    throw refusal('provenance', 'invalid', { what: 'The bundle holds no SLSA provenance 1.0.' });
  }
  if (bundle.by.kind !== 'certificate') {
    throw refusal('provenance', 'untrusted', {
      what: 'The provenance is signed with a key, not by a workflow.',
    });
  }
  const signer = await certified('provenance', bundle, policy.trusted_root);
  const { repository, identity } = workflowOf(policy);
  const wanted: [what: string, expected: string, found: string][] = [
    ['its issuer', actionsIssuer, signer.issuer],
    ['the workflow', identity, signer.identity],
    ['the repository', repository, signer.extensions.get(sourceRepository) ?? ''],
    ['the branch or tag', policy.ref, signer.extensions.get(sourceRef) ?? ''],
    ...statedRepository(parsed.statement, repository),
  ];
  for (const [what, expected, found] of wanted) {
    if (found === expected) continue;
    throw refusal('provenance', 'untrusted', {
      what: `${what} is ${shown(found)}, not ${expected}.`.replace(/^./, (c) => c.toUpperCase()),
    });
  }
  if (!parsed.statement.subject.some(({ digest }) => digest.sha256 === subject.manifest)) {
    throw refusal('provenance', 'invalid', { what: 'The provenance is of another package.' });
  }
  return signer.identity;
}

/** The repository, and the workflow as its certificates name it. */
function workflowOf(policy: ProvenancePolicy): { repository: string; identity: string } {
  const repository = `https://github.com/${policy.repository}`;
  const [file = '', ref = policy.ref] = policy.workflow.split('@');
  const workflow = file.startsWith('.github/') ? `${repository}/${file}` : `https://github.com/${file}`;
  return { repository, identity: `${workflow}@${ref}` };
}

function statedRepository(
  { predicate }: ProvenanceStatement,
  repository: string,
): [what: string, expected: string, found: string][] {
  const { workflow } = predicate.buildDefinition.externalParameters;
  return workflow === undefined ? [] : [['the stated repository', repository, workflow.repository]];
}

async function certified(kind: AttestationKind, bundle: Bundle, trustedRoot: string) {
  const reasons: string[] = [];
  const signer = await verifyCertified({
    bundle: bundle.json,
    trustedRoot,
    why: (reason) => reasons.push(reason),
  });
  if (signer !== null) return signer;
  throw refusal(kind, 'invalid', {
    what: `The bundle does not verify against the trusted root: ${reasons.join('; ').slice(0, 500)}.`,
  });
}

/** How the log names who signed with a key. */
export const signerOfKey = (id: string) => `key ${id}`;

const shown = (value: string) => JSON.stringify(value.slice(0, 200));
