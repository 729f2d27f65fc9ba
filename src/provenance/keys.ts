import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { open } from 'node:fs/promises';
import { namesNoFile, UserError } from '../errors.ts';
import { type Digest, sha256 } from '../json.ts';

/** A public key that signatures are checked with. */
export interface PublicKey {
  key: KeyObject;
  /** sha256 of its PEM text (SPKI), as other tools of OpenSSF Model Signing name it. */
  id: Digest;
}

/** ECDSA's hash goes by the curve, as Sigstore has it; Ed25519 brings its own. */
const hashes: Record<string, string> = { prime256v1: 'sha256', secp384r1: 'sha384', secp521r1: 'sha512' };
const keyLimit = 64_000;

/** Reads a public key from a PEM file; a private one is refused. Throws `config_missing`, `config_invalid`. */
export async function readPublicKey(file: string): Promise<PublicKey> {
  const pem = await readSmall(file);
  // its public half could be told, but then the file would be handed to everybody who verifies
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) {
    throw new UserError({
      code: 'config_invalid',
      message: 'The key file holds a private key where a public one belongs.',
      where: { file },
      fix: 'Name the public key (`openssl pkey -in FILE -pubout`). If the private key was shared or committed, replace it.',
    });
  }
  return publicKey(parseKey(pem, file, createPublicKey), file);
}

/**
 * Reads a private key (PKCS #8 or SEC 1, PEM); `passphrase` opens an encrypted one. Throws `config_missing`,
 * `config_invalid`.
 */
export async function readPrivateKey(
  file: string,
  passphrase: string | undefined,
): Promise<{ key: KeyObject; public: PublicKey }> {
  const parse = (pem: string) => createPrivateKey(passphrase === undefined ? pem : { key: pem, passphrase });
  const key = parseKey(await readSmall(file), file, parse);
  return { key, public: publicKey(createPublicKey(key), file) };
}

export function signBytes(key: KeyObject, bytes: Uint8Array): Buffer {
  return sign(hashOf(key), bytes, key);
}

/** False for anything but a sound signature. */
export function signatureHolds(key: KeyObject, bytes: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verify(hashOf(key), bytes, key, signature);
  } catch {
    return false; // not even of the form of a signature
  }
}

function publicKey(key: KeyObject, file: string): PublicKey {
  if (hashOf(key) === undefined) {
    throw invalid(file, `is of the type ${key.asymmetricKeyType}, which is not in use here`);
  }
  return { key, id: sha256(key.export({ type: 'spki', format: 'pem' })) };
}

/** Null: the key brings its own. Undefined: no such key is taken. */
function hashOf(key: KeyObject): string | null | undefined {
  if (key.asymmetricKeyType === 'ed25519') return null;
  if (key.asymmetricKeyType !== 'ec') return undefined;
  return hashes[key.asymmetricKeyDetails?.namedCurve ?? ''];
}

function parseKey(pem: string, file: string, parse: (pem: string) => KeyObject): KeyObject {
  try {
    return parse(pem);
  } catch (error) {
    // the library's words could quote the key
    throw invalid(file, 'is no key that can be read, or needs another passphrase', error);
  }
}

function invalid(file: string, what: string, cause?: unknown): UserError {
  return new UserError({
    code: 'config_invalid',
    message: `The key file ${what}.`,
    where: { file },
    fix: 'Give a PEM file of an Ed25519 key or of an ECDSA key over P-256, P-384 or P-521; the passphrase of an encrypted one in MODELGATE_KEY_PASSPHRASE.',
    cause,
  });
}

async function readSmall(file: string): Promise<string> {
  return (await readBounded(file, keyLimit)).toString('latin1');
}

/** A file of at most `limit` bytes; pipes too. Throws `config_missing`, `config_invalid`. */
export async function readBounded(file: string, limit: number): Promise<Buffer> {
  try {
    const handle = await open(file);
    try {
      const chunks: Buffer[] = [];
      let size = 0;
      for await (const chunk of handle.createReadStream({ autoClose: false })) {
        size += (chunk as Buffer).length;
        if (size > limit) {
          throw new UserError({
            code: 'config_invalid',
            message: `The file is larger than ${limit} bytes.`,
            where: { file },
            fix: 'Name the right file.',
          });
        }
        chunks.push(chunk as Buffer);
      }
      return Buffer.concat(chunks);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (!namesNoFile(error)) throw error;
    throw new UserError({
      code: 'config_missing',
      message: 'The file is not there.',
      where: { file },
      fix: 'Mend the path: in modelgate.yaml it is relative to the file that names it.',
      cause: error,
    });
  }
}
