/**
 * Makes the vectors in this folder anew: `node test/provenance/vectors/generate.mjs MODEL_SIGNING MODULES`.
 * MODEL_SIGNING is the command of PyPI's model-signing 1.1.1 (with pyopenssl), MODULES a folder where
 * `npm install @sigstore/mock@0.13.0 @sigstore/protobuf-specs@0.5.2` was run. Keys are made anew each time and are
 * thrown away, so the files differ from run to run and say the same.
 */
import { execFileSync } from 'node:child_process';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { canonicalJson } from '../../../src/json.ts';
import { preAuthenticationEncoding } from '../../../src/provenance/bundle.ts';
import { packageDigest, writePackage } from '../package.ts';

const [modelSigning, modules] = process.argv.slice(2);
const require = createRequire(join(resolve(modules), 'package.json'));
const { initializeCA, initializeCTLog, initializeTLog, initializeTSA } = require('@sigstore/mock');
const { TrustedRoot } = require('@sigstore/protobuf-specs');
const here = import.meta.dirname;
const write = (name, value) => writeFileSync(join(here, name), `${JSON.stringify(value, null, 2)}\n`);

// ---- OpenSSF Model Signing with keys, by its own implementation
const scratch = mkdtempSync(join(tmpdir(), 'vectors-'));
await writePackage(join(scratch, 'package'));
for (const [name, namedCurve] of [
  ['p256', 'P-256'],
  ['p384', 'P-384'],
  ['p521', 'P-521'],
]) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
  writeFileSync(join(scratch, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(join(here, `oms-${name}.pub`), publicKey.export({ type: 'spki', format: 'pem' }));
  const options = ['--private_key', join(scratch, 'key.pem'), '--signature', join(here, `oms-${name}.json`)];
  execFileSync(modelSigning, ['sign', 'key', join(scratch, 'package'), ...options]);
}
rmSync(scratch, { recursive: true });

// ---- Sigstore: a public instance with logs, a private one with timestamps alone
const minute = 60_000;
const now = Date.now();
const at = (minutes) => new Date(now + minutes * minute);
const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const p384 = () => generateKeyPairSync('ec', { namedCurve: 'P-384' });

async function instance({ logs, expired = false }) {
  const issued = at(5);
  const ctLog = logs ? await initializeCTLog(pair(), issued) : undefined;
  return {
    ca: await initializeCA(p384(), ctLog, issued),
    ctLog,
    tLog: logs ? await initializeTLog('https://rekor.example', pair(), at(expired ? 60 : 6)) : undefined,
    tsa: await initializeTSA(pair(), at(expired ? 60 : 6)),
  };
}

function rootOf({ ca, ctLog, tLog, tsa }) {
  const validFor = { start: at(-60) };
  const subject = { commonName: 'sigstore', organization: 'example' };
  const chain = (...certificates) => ({
    certificates: certificates.map((each) => ({ rawBytes: Buffer.from(each.buffer ?? each) })),
  });
  const log = ({ publicKey }, keyId) => ({
    baseUrl: 'https://rekor.example',
    hashAlgorithm: 1,
    logId: { keyId },
    checkpointKeyId: undefined,
    operator: 'example',
    publicKey: { rawBytes: Buffer.from(publicKey), keyDetails: 5, validFor },
  });
  const keyId = (key) => createHash('sha256').update(key).digest();
  return TrustedRoot.toJSON({
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    certificateAuthorities: [
      {
        subject,
        uri: 'https://ca.example',
        certChain: chain(ca.rootCertificate),
        validFor,
        operator: 'example',
      },
    ],
    timestampAuthorities: [
      {
        subject,
        uri: 'https://tsa.example',
        certChain: chain(tsa.intCertificate, tsa.rootCertificate),
        validFor,
        operator: 'example',
      },
    ],
    tlogs: tLog === undefined ? [] : [log(tLog, keyId(tLog.publicKey))],
    ctlogs: ctLog === undefined ? [] : [log(ctLog, Buffer.from(ctLog.logID))],
  });
}

const workflow = 'https://github.com/acme/models/.github/workflows/train.yml@refs/heads/main';
const actions = 'https://token.actions.githubusercontent.com';

async function bundle(
  from,
  statement,
  { identity = workflow, issuer = actions, repository = 'acme/models', ref = 'refs/heads/main', change } = {},
) {
  const { privateKey, publicKey } = pair();
  const oid = (number, value) => ({ oid: `1.3.6.1.4.1.57264.1.${number}`, value });
  const certificate = await from.ca.issueCertificate({
    publicKey: publicKey.export({ type: 'spki', format: 'der' }),
    subjectAltName: identity,
    extensions: [oid(8, issuer), oid(12, `https://github.com/${repository}`), oid(14, ref)],
  });
  const payload = Buffer.from(canonicalJson(statement));
  const signature = sign('sha256', preAuthenticationEncoding(payload), privateKey).toString('base64');
  const made = {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: {
      certificate: { rawBytes: Buffer.from(certificate.buffer ?? certificate).toString('base64') },
      tlogEntries: [],
      timestampVerificationData: { rfc3161Timestamps: [] },
    },
    dsseEnvelope: {
      payload: payload.toString('base64'),
      payloadType: 'application/vnd.in-toto+json',
      signatures: [{ sig: signature }],
    },
  };
  const material = made.verificationMaterial;
  if (from.tLog !== undefined) material.tlogEntries.push(await logged(from, made));
  const stamp = await from.tsa.timestamp({
    artifactHash: createHash('sha256').update(Buffer.from(signature, 'base64')).digest(),
    hashAlgorithmOID: '2.16.840.1.101.3.4.2.1',
    nonce: 1,
    policyOID: '1.3.6.1.4.1.57264.2',
    certReq: false,
  });
  material.timestampVerificationData.rfc3161Timestamps.push({
    signedTimestamp: Buffer.from(stamp.buffer ?? stamp).toString('base64'),
  });
  change?.(made);
  return made;
}

async function logged({ tLog }, { dsseEnvelope, verificationMaterial }) {
  const hash = (bytes) => ({ algorithm: 'sha256', value: createHash('sha256').update(bytes).digest('hex') });
  const pem = `-----BEGIN CERTIFICATE-----\n${verificationMaterial.certificate.rawBytes.replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
  const found = await tLog.log({
    apiVersion: '0.0.1',
    kind: 'dsse',
    spec: {
      envelopeHash: hash(JSON.stringify(dsseEnvelope)),
      payloadHash: hash(Buffer.from(dsseEnvelope.payload, 'base64')),
      signatures: [
        { signature: dsseEnvelope.signatures[0].sig, verifier: Buffer.from(pem).toString('base64') },
      ],
    },
  });
  const [entry] = Object.values(found);
  const { inclusionProof, signedEntryTimestamp } = entry.verification;
  return {
    logIndex: String(entry.logIndex),
    logId: { keyId: Buffer.from(entry.logID, 'hex').toString('base64') },
    kindVersion: { kind: 'dsse', version: '0.0.1' },
    integratedTime: String(entry.integratedTime),
    inclusionPromise: { signedEntryTimestamp },
    inclusionProof: {
      logIndex: String(inclusionProof.logIndex),
      treeSize: String(inclusionProof.treeSize),
      rootHash: Buffer.from(inclusionProof.rootHash, 'hex').toString('base64'),
      hashes: [],
      checkpoint: { envelope: inclusionProof.checkpoint },
    },
    canonicalizedBody: entry.body,
  };
}

const provenance = (digest = packageDigest, repository = 'acme/models') => ({
  _type: 'https://in-toto.io/Statement/v1',
  subject: [{ name: 'flights-late', digest: { sha256: digest } }],
  predicateType: 'https://slsa.dev/provenance/v1',
  predicate: {
    buildDefinition: {
      buildType: 'https://actions.github.io/buildtypes/workflow/v1',
      externalParameters: {
        workflow: {
          ref: 'refs/heads/main',
          repository: `https://github.com/${repository}`,
          path: '.github/workflows/train.yml',
        },
      },
    },
    runDetails: { builder: { id: workflow } },
  },
});

const open = await instance({ logs: true });
const closed = await instance({ logs: false });
const stranger = await instance({ logs: true });
const late = await instance({ logs: true, expired: true });
write('root-public.json', rootOf(open));
write('root-private.json', rootOf(closed));
write('root-late.json', rootOf(late));

const signature = JSON.parse(
  Buffer.from(
    JSON.parse((await import('node:fs')).readFileSync(join(here, 'oms-p256.json'), 'utf8')).dsseEnvelope
      .payload,
    'base64',
  ),
);
const without =
  (...path) =>
  (made) => {
    let at = made.verificationMaterial;
    for (const key of path.slice(0, -1)) at = at[key];
    at[path.at(-1)] = [];
  };
const vectors = {
  'good-public': await bundle(open, provenance()),
  'good-private': await bundle(closed, provenance()),
  'good-keyless-signature': await bundle(open, signature, {
    identity: 'release@acme.example',
    issuer: 'https://accounts.example',
  }),
  'other-instance': await bundle(stranger, provenance()),
  'other-workflow': await bundle(open, provenance(), { identity: workflow.replace('train', 'evil') }),
  'other-branch': await bundle(open, provenance(), {
    identity: workflow.replace('heads/main', 'heads/feature'),
    ref: 'refs/heads/feature',
  }),
  'other-repository': await bundle(open, provenance(packageDigest, 'evil/models'), {
    identity: workflow.replace('acme', 'evil'),
    repository: 'evil/models',
  }),
  'called-from-elsewhere': await bundle(open, provenance(), { repository: 'evil/models' }),
  'stated-elsewhere': await bundle(open, provenance(packageDigest, 'evil/models')),
  'other-issuer': await bundle(open, provenance(), { issuer: 'https://tokens.evil.example' }),
  'other-package': await bundle(open, provenance('e'.repeat(64))),
  'not-logged': await bundle(open, provenance(), { change: without('tlogEntries') }),
  'without-any-time': await bundle(closed, provenance(), {
    change: without('timestampVerificationData', 'rfc3161Timestamps'),
  }),
  expired: await bundle(late, provenance()),
};
write('sigstore.json', vectors);
