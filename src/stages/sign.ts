import { access, constants, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { asStorageError, hasCode, namesNoFile, UserError } from '../errors.ts';
import { Digest } from '../json.ts';
import { Name } from '../names.ts';
import { type Attested, attest as attestVersion, signVersion } from '../provenance/attest.ts';
import { bundleLimit } from '../provenance/bundle.ts';
import { readBounded } from '../provenance/keys.ts';
import { AttestationKind } from '../registry/entries.ts';
import { defineStage, type StageResult } from './define.ts';
import { reason, version } from './registry-inputs.ts';

const outputs = z.object({
  kind: AttestationKind,
  /** Digest of the attestation that is kept. */
  attestation: Digest,
  /** Digest of the model package. */
  model: Digest,
  /** Who signed, as the bundle says. */
  signer: z.string(),
  seq: z.number(),
  head: Digest,
});

/** Signs a version's package: an OpenSSF Model Signing bundle, bound to the package's digest. */
export const sign = defineStage({
  name: 'sign',
  description: 'Signs the package of a version with a private key, and keeps the signature in the registry.',
  inputs: z.object({
    model: Name,
    version,
    key: z.string().min(1).max(500).describe('PEM file of the private key.'),
    output: z.string().min(1).max(500).nullable().default(null).describe('Writes the bundle here too.'),
    reason,
  }),
  outputs,
  cache: false,
  run: async ({ key, output, ...input }, { registry, actor, producer }) => {
    // never an option: options are seen in process lists
    const passphrase = process.env.MODELGATE_KEY_PASSPHRASE || undefined;
    // what is signed is kept for good: that the file cannot be written must show before
    if (output !== null) await requireWritable(output);
    const signed = await signVersion(registry, { ...input, actor, producer, keyFile: key, passphrase });
    if (output !== null) {
      await writeFile(output, signed.bundle).catch((error: unknown) => {
        throw unwritable(output, error);
      });
    }
    return told(`${input.model}@${input.version}`, signed);
  },
});

/** Throws `usage` where no file can stand, `storage_unavailable` where none may be written. */
async function requireWritable(file: string): Promise<void> {
  try {
    const there = await stat(file).catch((error: unknown) => {
      if (hasCode(error, 'ENOENT')) return null;
      throw error;
    });
    if (there?.isDirectory()) throw unwritable(file);
    await access(there === null ? path.dirname(file) : file, constants.W_OK);
  } catch (error) {
    throw error instanceof UserError ? error : unwritable(file, error);
  }
}

function unwritable(file: string, cause?: unknown): unknown {
  if (cause !== undefined && !namesNoFile(cause)) return asStorageError(cause, file);
  return new UserError({
    code: 'usage',
    message: 'The bundle cannot be written there: it is a folder, or no file can have this path.',
    where: file,
    fix: 'Give --output FILE in a folder that exists.',
    cause,
  });
}

/** Keeps a bundle that was made elsewhere. */
export const attest = defineStage({
  name: 'attest',
  description: 'Keeps a signature or a GitHub attestation that was made elsewhere with a version.',
  inputs: z.object({
    model: Name,
    version,
    bundle: z.string().min(1).max(500).describe('A Sigstore bundle.'),
    reason,
  }),
  outputs,
  cache: false,
  run: async ({ bundle, ...input }, { registry, actor, producer }) => {
    const bytes = await readBounded(bundle, bundleLimit);
    const kept = await attestVersion(registry, { ...input, actor, producer, bundle: bytes });
    return told(`${input.model}@${input.version}`, kept);
  },
});

function told(
  name: string,
  { fresh, bundle: _, manifest, ...rest }: Attested,
): StageResult<z.infer<typeof outputs>> {
  const what = rest.kind === 'signature' ? 'A signature' : 'The provenance';
  return {
    verdict: 'pass',
    reason_code: fresh ? 'done' : 'nothing_to_do',
    summary: `${what} of ${name} by ${rest.signer.slice(0, 200)} ${fresh ? 'is' : 'was'} kept${fresh ? '' : ' before'}.`,
    outputs: { ...rest, model: manifest },
  };
}
