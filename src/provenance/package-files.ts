import { createHash } from 'node:crypto';
import type { Digest } from '../json.ts';
import type { Manifest } from '../store/manifest.ts';
import { refusal } from './errors.ts';
import type { SignatureStatement } from './statement.ts';

/** The manifest among the signed files: its sha256 is the package's digest, so facts and lineage are signed too. */
const manifestName = 'manifest.json';

export interface SignedFile {
  name: string;
  digest: Digest;
}

/** The files that a signature of a package covers, sorted by name. */
export function packageFiles(digest: Digest, manifest: Manifest): SignedFile[] {
  const files = manifest.files.map(({ name, sha256 }) => ({ name, digest: sha256 }));
  if (files.some(({ name }) => name === manifestName)) {
    throw refusal('signature', 'invalid', { what: `The package has a file ${manifestName} of its own.` });
  }
  return [...files, { name: manifestName, digest }].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** sha256 over the digests of the files, in their order. */
export function rootDigest(files: readonly SignedFile[]): Digest {
  const hash = createHash('sha256');
  for (const { digest } of files) hash.update(Buffer.from(digest, 'hex'));
  return hash.digest('hex');
}

/** Throws `signature_invalid` unless the statement is about exactly these files with these digests. */
export function requireSameFiles(statement: SignatureStatement, files: readonly SignedFile[]): void {
  const { resources } = statement.predicate;
  const signed = new Map(resources.map(({ name, digest }) => [name, digest]));
  const there = new Map(files.map(({ name, digest }) => [name, digest]));
  const wrong = [
    ...[...there.keys()].filter((name) => !signed.has(name)).map((name) => `${name} is not signed`),
    ...[...signed.keys()].filter((name) => !there.has(name)).map((name) => `${shown(name)} is not there`),
    ...[...there].flatMap(([name, digest]) =>
      signed.has(name) && signed.get(name) !== digest ? [`${name} is another file`] : [],
    ),
  ];
  if (signed.size !== resources.length) wrong.push('a file is signed twice');
  if (wrong.length === 0 && rootDigest(resources) !== statement.subject[0].digest.sha256) {
    wrong.push('the digest over all files is another one');
  }
  if (wrong.length === 0) return;
  const more = wrong.length > 5 ? ` and ${wrong.length - 5} more` : '';
  throw refusal('signature', 'invalid', {
    what: `The signature is of other files than the package: ${wrong.slice(0, 5).join('; ')}${more}.`,
  });
}

const shown = (name: string) => JSON.stringify(name.slice(0, 100));
