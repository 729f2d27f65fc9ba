import type { Code } from '../codes.ts';
import { UserError } from '../errors.ts';

/** What a bundle says: who signed the files, or where they were made. */
export type Kind = 'signature' | 'provenance';

export type Failure = 'missing' | 'invalid' | 'untrusted';

const fixes: Record<Kind, Record<Failure, string>> = {
  signature: {
    missing:
      'Sign it: `modelgate sign MODEL@VERSION --key FILE`, or attach a bundle with `modelgate attest`.',
    invalid: 'Sign the package as it is in the registry; a changed file or bundle is never taken.',
    untrusted:
      'Have somebody whom the environment names in signature.keys or signature.identities sign it; the list changes in a reviewed change.',
  },
  provenance: {
    missing:
      'Attest the package digest in the workflow (actions/attest-build-provenance, subject-digest) and attach the bundle with `modelgate attest`.',
    invalid: 'Attest the package as it is in the registry; a changed bundle is never taken.',
    untrusted:
      'Promote a package that the workflow of provenance.workflow made; the policy changes in a reviewed change.',
  },
};

/** A refusal of a signature or of provenance; `what` is a sentence that begins with a capital. */
export function refusal(
  kind: Kind,
  failure: Failure,
  { what, where, cause }: { what: string; where?: string; cause?: unknown },
): UserError {
  const code: Code = `${kind}_${failure}`;
  return new UserError({
    code,
    message: what.replace(/\p{Cc}/gu, ' ').slice(0, 1_000),
    ...(where === undefined ? {} : { where }),
    fix: fixes[kind][failure],
    cause,
  });
}
