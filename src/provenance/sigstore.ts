import { UserError } from '../errors.ts';
import { parseJson } from '../json.ts';
import { readBounded } from './keys.ts';

/** Who a certificate says has signed. All of it was verified against the trusted root. */
export interface CertifiedSigner {
  /** The subject: a workflow's URI, or an address. */
  identity: string;
  issuer: string;
  /** Extensions of Fulcio that say where a workflow ran, by the last number of their OID. */
  extensions: ReadonlyMap<number, string>;
}

const rootLimit = 4_000_000;
/** https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md */
const fulcio = '1.3.6.1.4.1.57264.1.';

/**
 * Verifies a bundle that was signed with a short-lived certificate, without any network: certificate chain,
 * signature, and the transparency log, certificate log and timestamps that the trusted root can vouch for.
 * `trustedRoot` is a file with one trusted root as JSON, or several, one a line. Null when none of them vouches
 * for the bundle; `why` is told the library's reason. Throws `config_missing`, `config_invalid`.
 */
export async function verifyCertified(request: {
  bundle: unknown;
  trustedRoot: string;
  why(reason: string): void;
}): Promise<CertifiedSigner | null> {
  const [{ bundleFromJSON }, { TrustedRoot }, { toSignedEntity, toTrustMaterial, Verifier }] =
    await Promise.all([
      import('@sigstore/bundle'),
      import('@sigstore/protobuf-specs'),
      import('@sigstore/verify'),
    ]);
  const materials = (await readRoots(request.trustedRoot)).map((json) => {
    try {
      return toTrustMaterial(TrustedRoot.fromJSON(json));
    } catch (error) {
      throw invalidRoot(request.trustedRoot, error);
    }
  });
  for (const material of materials) {
    try {
      const verifier = new Verifier(material, {
        // what the root holds the keys of is asked for: a private instance has no public logs
        tlogThreshold: material.tlogs.length > 0 ? 1 : 0,
        ctlogThreshold: material.ctlogs.length > 0 ? 1 : 0,
        timestampThreshold: 1,
      });
      const { identity } = verifier.verify(toSignedEntity(bundleFromJSON(request.bundle)));
      const extensions = new Map<number, string>();
      for (const { oid, value } of identity?.oids ?? []) {
        const id = oid?.id.join('.') ?? '';
        if (id.startsWith(fulcio)) extensions.set(Number(id.slice(fulcio.length)), derText(value));
      }
      return {
        identity: identity?.subjectAlternativeName ?? '',
        issuer: identity?.extensions?.issuer ?? '',
        extensions,
      };
    } catch (error) {
      request.why(error instanceof Error ? error.message : String(error));
    }
  }
  return null;
}

/** The text of a DER UTF8String of up to 64 kB; the empty text for anything else. */
function derText(value: Uint8Array): string {
  const bytes = Buffer.from(value);
  if (bytes[0] !== 0x0c || bytes[1] === undefined) return '';
  const lengthBytes = bytes[1] < 0x80 ? 0 : bytes[1] - 0x80;
  if (lengthBytes > 2) return '';
  const length = lengthBytes === 0 ? bytes[1] : bytes.readUIntBE(2, lengthBytes);
  const text = bytes.subarray(2 + lengthBytes);
  return text.length === length ? text.toString('utf8') : '';
}

async function readRoots(file: string): Promise<unknown[]> {
  const text = (await readBounded(file, rootLimit)).toString('utf8').trim();
  try {
    return [parseJson(text, rootLimit)];
  } catch {
    try {
      return text
        .split('\n')
        .slice(0, 20)
        .map((line) => parseJson(line, rootLimit));
    } catch (error) {
      throw invalidRoot(file, error);
    }
  }
}

function invalidRoot(file: string, cause: unknown): UserError {
  return new UserError({
    code: 'config_invalid',
    message: 'The file is no Sigstore trusted root.',
    where: { file },
    fix: 'Get one with `gh attestation trusted-root`, or from your Sigstore instance, and commit it.',
    cause,
  });
}
