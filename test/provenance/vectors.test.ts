import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../../src/json.ts';
import type { Trust } from '../../src/provenance/policy.ts';
import { bundleFile, prove } from '../../src/provenance/verify.ts';
import type { AttestationKind } from '../../src/registry/entries.ts';
import { FileSystemStorage } from '../../src/store/file-system.ts';
import { Store } from '../../src/store/store.ts';
import { temporaryFolder } from '../registry/world.ts';
import { packageDigest, storePackage } from './package.ts';

const vector = (name: string) => join(import.meta.dirname, 'vectors', name);
const sigstore = JSON.parse(readFileSync(vector('sigstore.json'), 'utf8')) as Record<string, object>;
const now = new Date('2027-01-01T00:00:00Z');

/** Proves the fixed package by this one bundle. */
async function verify(bundle: Buffer, trust: Trust, kind: AttestationKind) {
  const store = new Store(new FileSystemStorage(temporaryFolder()));
  const manifest = await storePackage(store);
  expect(manifest).toBe(packageDigest);
  const attestation = await store.putManifest({
    kind: 'attestation',
    files: [{ name: bundleFile, size: bundle.length, sha256: await store.putBytes(bundle) }],
    inputs: { model: manifest },
    producer: { commit: null, run: '', attempt: 1, trigger: '', modelgate: '0' },
    facts: { kind },
  });
  const by = { name: 'alice', via: 'cli' as const };
  const attestations = [{ kind, attestation, signer: '', by, at: now.toISOString(), seq: 1 }];
  return prove({ store, subject: { name: 'flights-late@1', manifest, attestations }, trust, now });
}

describe('OpenSSF Model Signing bundles of model_signing 1.1.1', () => {
  const keys = (...names: string[]): Trust => ({
    signature: { keys: names.map((name) => vector(`oms-${name}.pub`)), identities: [] },
  });

  it.each(['p256', 'p384', 'p521'])('are taken with their key: %s', async (name) => {
    const bundle = readFileSync(vector(`oms-${name}.json`));
    const pem = readFileSync(vector(`oms-${name}.pub`));
    const [proof] = await verify(bundle, keys('p256', 'p384', 'p521'), 'signature');
    expect(proof).toMatchObject({ kind: 'signature', signer: `key ${sha256(pem)}` });
  });

  it('are refused with another key', async () => {
    const bundle = readFileSync(vector('oms-p256.json'));
    const refused = { code: 'signature_untrusted' };
    await expect(verify(bundle, keys('p384', 'p521'), 'signature')).rejects.toMatchObject(refused);
  });
});

describe('Sigstore bundles, without network', () => {
  const provenance = (root = 'public', more: object = {}): Trust => ({
    provenance: {
      repository: 'acme/models',
      workflow: '.github/workflows/train.yml',
      ref: 'refs/heads/main',
      trusted_root: vector(`root-${root}.json`),
      ...more,
    },
  });
  const check = (name: string, trust: Trust, kind: AttestationKind = 'provenance') =>
    verify(Buffer.from(JSON.stringify(sigstore[name])), trust, kind);
  const workflow = 'https://github.com/acme/models/.github/workflows/train.yml@refs/heads/main';

  it.each(['public', 'private'])(
    'GitHub provenance is taken against the root of a %s instance',
    async (root) => {
      expect(await check(`good-${root}`, provenance(root))).toMatchObject([{ signer: workflow }]);
    },
  );

  it('a shared workflow is named with its own repository and tag', async () => {
    const shared = { workflow: 'acme/models/.github/workflows/train.yml@refs/heads/main' };
    expect(await check('good-public', provenance('public', shared))).toHaveLength(1);
    const other = { workflow: 'acme/models/.github/workflows/train.yml@refs/tags/v1' };
    const refused = { code: 'provenance_untrusted' };
    await expect(check('good-public', provenance('public', other))).rejects.toMatchObject(refused);
  });

  it.each([
    ['other-instance', 'provenance_invalid', 'does not verify against the trusted root'],
    ['good-private', 'provenance_invalid', 'does not verify against the trusted root'],
    ['not-logged', 'provenance_invalid', 'does not verify against the trusted root'],
    ['other-workflow', 'provenance_untrusted', 'The workflow is'],
    ['other-branch', 'provenance_untrusted', 'The workflow is'],
    ['other-repository', 'provenance_untrusted', 'The workflow is'],
    ['called-from-elsewhere', 'provenance_untrusted', 'The repository is'],
    ['stated-elsewhere', 'provenance_untrusted', 'The stated repository is'],
    ['other-issuer', 'provenance_untrusted', 'Its issuer is'],
    ['other-package', 'provenance_invalid', 'another package'],
    ['good-keyless-signature', 'provenance_invalid', 'no SLSA provenance'],
  ])('%s is refused', async (name, code, says) => {
    const refused = { code, message: expect.stringContaining(says), fix: expect.any(String) };
    await expect(check(name, provenance())).rejects.toMatchObject(refused);
  });

  it('a certificate that had expired when it was used is refused, and one without any time', async () => {
    const refused = { code: 'provenance_invalid' };
    await expect(check('expired', provenance('late'))).rejects.toMatchObject(refused);
    await expect(check('without-any-time', provenance('private'))).rejects.toMatchObject(refused);
  });

  it('a keyless signature is taken by an identity that is named with its issuer', async () => {
    const trust = (issuer: string): Trust => ({
      signature: {
        keys: [],
        identities: [{ identity: 'release@acme.example', issuer }],
        trusted_root: vector('root-public.json'),
      },
    });
    const name = 'good-keyless-signature';
    expect(await check(name, trust('https://accounts.example'), 'signature')).toMatchObject([
      { signer: 'release@acme.example' },
    ]);
    await expect(check(name, trust('https://other.example'), 'signature')).rejects.toMatchObject({
      code: 'signature_untrusted',
    });
  });

  it('a file that is no trusted root is the user’s mistake', async () => {
    const trust = provenance('public', { trusted_root: vector('oms-p256.pub') });
    await expect(check('good-public', trust)).rejects.toMatchObject({ code: 'config_invalid' });
  });
});
