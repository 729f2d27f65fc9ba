import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/errors.ts';
import { canonicalJson, sha256 } from '../../src/json.ts';
import { attest, signVersion } from '../../src/provenance/attest.ts';
import { keyBundle, parseBundle, preAuthenticationEncoding } from '../../src/provenance/bundle.ts';
import { signBytes } from '../../src/provenance/keys.ts';
import { SignaturePolicy, type Trust } from '../../src/provenance/policy.ts';
import { bundleFile, prove } from '../../src/provenance/verify.ts';
import type { Registry } from '../../src/registry/registry.ts';
import { verify } from '../../src/registry/verify.ts';
import { promote, rollback } from '../../src/rollout/move.ts';
import { verifyPackage } from '../../src/rollout/package.ts';
import { runStage } from '../../src/stages/define.ts';
import { requireTrust } from '../../src/stages/serve.ts';
import { attest as attestStage, sign } from '../../src/stages/sign.ts';
import { verifySignature } from '../../src/stages/verify-signature.ts';
import { packClosure, unpackClosure } from '../../src/store/handoff.ts';
import { keys } from '../../src/store/keys.ts';
import { Store } from '../../src/store/store.ts';
import {
  alice,
  contextOf,
  model,
  openRegistry,
  promotion,
  registerVersions,
  temporaryFolder,
} from '../registry/world.ts';
import { MemoryStorage } from '../store/memory-storage.ts';

const producer = { commit: null, run: '1', attempt: 1, trigger: 'local', modelgate: '0.1.0' };

interface KeyFiles {
  private: string;
  public: string;
  key: KeyObject;
  id: string;
}

function keyFiles(folder: string, kind: 'ed25519' | 'P-256' | 'P-384' = 'ed25519'): KeyFiles {
  const { privateKey, publicKey } =
    kind === 'ed25519' ? generateKeyPairSync(kind) : generateKeyPairSync('ec', { namedCurve: kind });
  const pem = publicKey.export({ type: 'spki', format: 'pem' });
  const files = { private: join(folder, `${sha256(pem)}.pem`), public: join(folder, `${sha256(pem)}.pub`) };
  writeFileSync(files.private, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(files.public, pem);
  return { ...files, key: privateKey, id: sha256(pem) };
}

const believing = (...files: (string | { file: string; until: string })[]): Trust => ({
  signature: { keys: files, identities: [] },
});
const signing = (registry: Registry, keyFile: string, version = 1) =>
  signVersion(registry, {
    model,
    version,
    actor: alice,
    producer,
    reason: null,
    keyFile,
    passphrase: undefined,
  });
const attesting = (registry: Registry, bundle: Buffer, version = 1) =>
  attest(registry, { model, version, actor: alice, producer, reason: null, bundle });
const go = (registry: Registry, trust: Trust, version = 1) =>
  promote(registry, { ...promotion, version, actor: alice, trust });

async function world(versions = 1) {
  const folder = temporaryFolder();
  const registry = openRegistry(join(folder, 'store'));
  await registerVersions(registry, versions);
  return { folder, registry, ours: keyFiles(folder), theirs: keyFiles(folder) };
}

describe('signatures of model packages', () => {
  it.each(['ed25519', 'P-256', 'P-384'] as const)(
    '[GOV-1] a version moves once somebody whom the environment believes has signed it: %s',
    async (kind) => {
      const { folder, registry, theirs } = await world();
      const ours = keyFiles(folder, kind);
      const trust = believing(ours.public);
      await expect(go(registry, trust)).rejects.toMatchObject({ code: 'signature_missing' });
      await signing(registry, theirs.private);
      await expect(go(registry, trust)).rejects.toMatchObject({ code: 'signature_untrusted' });
      const signed = await signing(registry, ours.private);
      // a later one by somebody else does not take it away
      await signing(registry, theirs.private);
      const moved = await go(registry, trust);
      const proof = [{ kind: 'signature', attestation: signed.attestation, signer: `key ${ours.id}` }];
      expect((await registry.entry(model, moved.seq!)).entry).toMatchObject({ type: 'promote', proof });
      // the log says who signed what and when
      const entry = (await registry.entry(model, signed.seq)).entry;
      expect(entry).toMatchObject({ type: 'attest', version: 1, signer: `key ${ours.id}`, actor: alice });
      expect((await verify(registry.store.storage, { anchor: null, read_data: true })).answer).toBe('sound');
    },
  );

  it('a rollback and serving ask for it too, wherever the policy came later', async () => {
    const { registry, ours } = await world(2);
    await go(registry, {}, 1);
    await go(registry, {}, 2);
    const trust = believing(ours.public);
    const back = () => rollback(registry, { ...promotion, to: null, actor: alice, trust });
    const manifest = (await registry.state(model)).versions[0]!.manifest;
    const load = () => requireTrust(contextOf(registry), { model, manifest, trust });
    await expect(load()).rejects.toMatchObject({ code: 'signature_missing' });
    await expect(back()).rejects.toMatchObject({ code: 'signature_missing' });
    await signing(registry, ours.private);
    await load();
    expect(await back()).toMatchObject({ to: 1 });
  });

  it('strangers cannot hide a signature behind many of theirs, nor behind forged claims of its key', async () => {
    const { folder, registry, ours } = await world();
    const signed = await signing(registry, ours.private);
    for (let i = 0; i < 25; i++) await signing(registry, keyFiles(folder).private);
    const { payload } = parseBundle(signed.bundle)!;
    for (let i = 0; i < 25; i++) {
      const signature = Buffer.alloc(64, i);
      await attesting(registry, keyBundle({ payload, signature, keyId: ours.id }));
    }
    expect(await go(registry, believing(ours.public))).toMatchObject({ to: 1 });
  });

  it('a key is believed until its day', async () => {
    const { registry, ours } = await world();
    await signing(registry, ours.private);
    const expired = believing({ file: ours.public, until: '2026-01-01' });
    await expect(go(registry, expired)).rejects.toMatchObject({ code: 'signature_untrusted' });
    expect(await go(registry, believing({ file: ours.public, until: '2999-01-01' }))).toMatchObject({
      to: 1,
    });
  });

  it('the same bundle is kept once, and of another package it is not kept at all', async () => {
    const { registry, ours } = await world(2);
    const first = await signing(registry, ours.private);
    expect(await attesting(registry, first.bundle)).toMatchObject({ fresh: false, seq: first.seq });
    await expect(attesting(registry, first.bundle, 2)).rejects.toMatchObject({
      code: 'signature_invalid',
      message: expect.stringContaining('model.onnx is another file'),
    });
  });

  it.each([
    ['a file that is not signed', (files: Resource[]) => files.slice(1), 'is not signed'],
    ['a signed file that is not there', (files: Resource[]) => [...files, resource('more')], 'is not there'],
    [
      'another file',
      (files: Resource[]) => files.map((each, i) => (i === 0 ? { ...each, digest: 'f'.repeat(64) } : each)),
      'is another file',
    ],
    ['a file signed twice', (files: Resource[]) => [...files, files[0]!], 'signed twice'],
    ['another digest over all', (files: Resource[]) => files.toReversed(), 'the digest over all files'],
  ])('refuses %s, though the signature is sound', async (_what, change, says) => {
    const { registry, ours } = await world();
    const { bundle } = await signing(registry, ours.private);
    const forged = resign(bundle, ours, (statement) => {
      statement.predicate.resources = change(statement.predicate.resources);
    });
    const refused = { code: 'signature_invalid', message: expect.stringContaining(says) };
    await expect(attesting(registry, forged)).rejects.toMatchObject(refused);
    // also where another program has kept it
    const fresh = await world();
    await plant(fresh.registry, forged);
    await expect(go(fresh.registry, believing(ours.public))).rejects.toMatchObject(refused);
  });

  it('1,000 random changes of a bundle, of a signed file or of the manifest: 1,000 are refused', async () => {
    const { folder, registry, ours } = await world();
    const { bundle } = await signing(registry, ours.private);
    const { manifest } = (await registry.state(model)).versions[0]!;
    const storage = await MemoryStorage.open();
    const packed = join(folder, 'packed');
    await packClosure(registry.store, [manifest], packed);
    await unpackClosure(new Store(storage), packed);
    const files = (await registry.store.readManifest(manifest, 'model')).files;
    const stored = [keys.manifest(manifest), ...files.map((file) => keys.object(file.sha256))];
    const about = { storage, manifest, trust: believing(ours.public) };
    await proveOne(bundle, about); // the unchanged one passes
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }), async (which, at, flip) => {
        const change = (bytes: Buffer) => {
          const changed = Buffer.from(bytes);
          changed[at % changed.length]! ^= flip;
          return changed;
        };
        const key = stored[which % (2 * stored.length)];
        const before = key === undefined ? null : await storage.read(key);
        try {
          if (key !== undefined) await storage.replace(key, change(before!));
          await proveOne(key === undefined ? change(bundle) : bundle, about);
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          expect(['signature_invalid', 'signature_untrusted', 'object_damaged']).toContain(error.code);
          refused += 1;
        } finally {
          if (key !== undefined) await storage.replace(key, before!);
        }
      }),
      { seed: 7, numRuns: 1000 },
    );
    expect(refused).toBe(1000);
  });

  it('no bytes for a bundle end in anything but a refusal', async () => {
    const { registry, ours } = await world();
    const { bundle } = await signing(registry, ours.private);
    const deep = Buffer.from('['.repeat(100_000));
    const polluted = Buffer.from(bundle.toString().replace('{', '{"__proto__":{"a":1},'));
    for (const bytes of [Buffer.alloc(0), deep, polluted, Buffer.from('{}'), Buffer.from([0xff, 0xfe])]) {
      await expect(attesting(registry, bytes)).rejects.toMatchObject({ code: 'signature_invalid' });
    }
    expect(({} as Record<string, unknown>).a).toBeUndefined();
  });

  it('stages: sign, attest and verify-signature say who signed', async () => {
    const { folder, registry, ours, theirs } = await world(2);
    const context = contextOf(registry);
    const output = join(folder, 'bundle.json');
    const signed = await runStage(sign, { model, version: 1, key: ours.private, output }, context);
    expect(signed).toMatchObject({
      verdict: 'pass',
      outputs: { kind: 'signature', signer: `key ${ours.id}` },
    });
    const again = await runStage(attestStage, { model, version: 1, bundle: output }, context);
    expect(again).toMatchObject({ reason_code: 'nothing_to_do' });
    const ask = (key: string, version = 1) =>
      runStage(verifySignature, { model, version, trust: believing(key) }, context);
    expect(await ask(ours.public)).toMatchObject({
      verdict: 'pass',
      outputs: { proof: [{ kind: 'signature' }] },
    });
    expect(await ask(theirs.public)).toMatchObject({ verdict: 'error', reason_code: 'signature_untrusted' });
    expect(await ask(ours.public, 2)).toMatchObject({ reason_code: 'signature_missing' });
    const wrong = await runStage(sign, { model, version: 1, key: output, output: null }, context);
    expect(wrong).toMatchObject({ verdict: 'error', reason_code: 'config_invalid' });
    const none = await runStage(
      sign,
      { model, version: 1, key: join(folder, 'none'), output: null },
      context,
    );
    expect(none).toMatchObject({ reason_code: 'config_missing' });
  });

  it.each(['none/x.json', '.', 'key.pem/x', 'x'.repeat(300)])(
    'sign refuses an --output that cannot be written before it keeps anything: %s',
    async (named) => {
      const { folder, registry, ours } = await world();
      writeFileSync(join(folder, 'key.pem'), '');
      const { seq } = await registry.state(model);
      const output = join(folder, named);
      const told = await runStage(
        sign,
        { model, version: 1, key: ours.private, output },
        contextOf(registry),
      );
      expect(told).toMatchObject({ verdict: 'error', reason_code: 'usage', error: { where: output } });
      expect((await registry.state(model)).seq).toBe(seq);
    },
  );

  it('a path that no file can have is a file that is not there, for keys of all uses', async () => {
    const { folder, registry, ours } = await world();
    const context = contextOf(registry);
    for (const key of [`${ours.private}/x`, join(folder, 'x'.repeat(300)), folder]) {
      const told = [
        await runStage(sign, { model, version: 1, key }, context),
        await runStage(verifySignature, { model, version: 1, trust: believing(key) }, context),
        await runStage(
          verifySignature,
          { model, version: 1, trust: believing(ours.public, { file: key, until: '2999-01-01' }) },
          context,
        ),
      ];
      for (const one of told) expect(one).toMatchObject({ verdict: 'error', reason_code: 'config_missing' });
    }
  });

  it('a private key is not taken for a public one, not even by a policy that names others', async () => {
    const { folder, registry, ours } = await world();
    await signing(registry, ours.private);
    const encrypted = join(folder, 'encrypted.pem');
    const sealed = ours.key.export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'x',
    });
    writeFileSync(encrypted, sealed);
    for (const file of [ours.private, encrypted]) {
      for (const trust of [believing(file), believing(ours.public, file)]) {
        await expect(go(registry, trust)).rejects.toMatchObject({
          code: 'config_invalid',
          message: expect.stringContaining('private key'),
        });
      }
    }
  });

  it("a key's last day is one of the calendar", () => {
    const policy = (until: string) => SignaturePolicy.safeParse({ keys: [{ file: 'a.pub', until }] }).success;
    for (const day of ['2026-02-28', '2028-02-29', '2026-02-28T10:00:00+02:00'])
      expect(policy(day)).toBe(true);
    for (const day of ['2026-02-30', '2026-02-29', '2026-04-31T00:00:00Z', '2026-13-01', '2026-01-00'])
      expect(policy(day)).toBe(false);
  });
});

interface Resource {
  name: string;
  algorithm: string;
  digest: string;
}
const resource = (name: string): Resource => ({ name, algorithm: 'sha256', digest: 'd'.repeat(64) });

/** The bundle with a changed statement, signed anew by its own key. */
function resign(
  bundle: Buffer,
  { key, id }: KeyFiles,
  change: (statement: { predicate: { resources: Resource[] } }) => void,
): Buffer {
  const { dsseEnvelope } = JSON.parse(bundle.toString());
  const statement = JSON.parse(Buffer.from(dsseEnvelope.payload, 'base64').toString());
  change(statement);
  const payload = Buffer.from(canonicalJson(statement));
  return keyBundle({ payload, signature: signBytes(key, preAuthenticationEncoding(payload)), keyId: id });
}

/** Keeps a bundle with version 1 as a program would that asks nothing. */
async function plant(registry: Registry, bundle: Buffer): Promise<void> {
  const { manifest } = (await registry.state(model)).versions[0]!;
  const attestation = await store(registry, bundle, manifest);
  await registry.commit({
    model,
    op_id: 'planted',
    matches: () => true,
    decide: () => ({
      type: 'attest',
      op_id: 'planted',
      actor: alice,
      version: 1,
      manifest,
      kind: 'signature',
      attestation,
      signer: 'nobody',
    }),
  });
}

async function store(registry: Pick<Registry, 'store'>, bundle: Buffer, manifest: string): Promise<string> {
  return registry.store.putManifest({
    kind: 'attestation',
    files: [{ name: bundleFile, size: bundle.length, sha256: await registry.store.putBytes(bundle) }],
    inputs: { model: manifest },
    producer,
    facts: { kind: 'signature' },
  });
}

/** Verifies a package and one signature of it as a new process would. */
async function proveOne(
  bundle: Buffer,
  { storage, manifest, trust }: { storage: MemoryStorage; manifest: string; trust: Trust },
): Promise<void> {
  const fresh = new Store(storage);
  const attestation = await store({ store: fresh }, bundle, manifest);
  await verifyPackage(fresh, manifest);
  const at = new Date().toISOString();
  const attestations = [{ kind: 'signature' as const, attestation, signer: '', by: alice, at, seq: 1 }];
  await prove({ store: fresh, subject: { name: model, manifest, attestations }, trust, now: new Date() });
}
