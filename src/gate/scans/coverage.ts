import { UserError } from '../../errors.ts';
import { Digest } from '../../json.ts';
import type { Store } from '../../store/store.ts';
import { type LockedRequirement, parseLock } from '../../training/requirements.ts';
import { plural } from '../numbers.ts';
import type { ScansPolicy } from '../policy-scans.ts';
import { type GivenScan, packageName } from './judge.ts';
import { scanMissing } from './missing.ts';
import { normalVersion } from './python-version.ts';

/** Bytes of a lock that is read. */
const limit = 5_000_000;

export interface CandidateLock {
  sha256: Digest;
  packages: LockedRequirement[];
}

/** The lock that the candidate was trained with; null where its package has none, or it is gone. */
export async function readCandidateLock(store: Store, model: Digest): Promise<CandidateLock | null> {
  const { code } = (await store.readManifest(model, 'model')).inputs;
  if (code === undefined) return null;
  try {
    const { files } = await store.readManifest(Digest.parse(code), 'code');
    const lock = files.find(({ name }) => name === 'requirements.lock');
    return lock === undefined ? null : await readLock(store, lock.sha256);
  } catch (error) {
    if (error instanceof UserError && error.code === 'object_missing') return null;
    throw error;
  }
}

/** A stored lock. Throws `environment_unpinned`. */
export async function readLock(store: Store, sha256: Digest): Promise<CandidateLock> {
  const text = (await store.readBytes(sha256, limit)).toString('utf8');
  return { sha256, packages: parseLock(text, 'requirements.lock') };
}

/**
 * What the policy asks to be scanned must have been scanned, and the dependencies must be those of the candidate: a
 * scan of another lock, or of a part of it, is none. Requirements with a marker need not be there where the only
 * scanners that list packages leave out those of other platforms. Throws `scan_missing`, `scan_incomplete`.
 *
 * @returns whether it is shown that the candidate's lock was looked at; null where no scan is of dependencies
 */
export function requireScans(
  scans: readonly GivenScan[],
  { policy, lock }: { policy: ScansPolicy; lock: readonly LockedRequirement[] | null },
): boolean | null {
  for (const subject of policy.require) {
    if (!scans.some((scan) => scan.subject === subject)) throw scanMissing(subject);
  }
  const dependencies = scans.filter(({ subject }) => subject === 'dependencies');
  if (dependencies.length === 0) return null;
  const listed = dependencies.flatMap(({ packages }) => packages ?? []);
  const required = policy.require.includes('dependencies');
  // a scanner that lists no packages is heeded, and proves nothing of the lock
  if (!required && (lock === null || dependencies.every(({ packages }) => packages === null))) return false;
  if (lock === null)
    throw incomplete("The candidate's package holds no lock, so it cannot be told whether it was scanned");
  const resolved = dependencies.every(({ packages, resolves }) => packages === null || resolves === true);
  const seen = new Set(
    listed
      .filter(({ foreign }) => foreign === undefined)
      .map(({ name, version }) => nameAndVersion(name, version)),
  );
  const unseen = lock.filter(
    ({ name, version, conditional }) =>
      !(conditional && resolved) && !seen.has(nameAndVersion(name, version)),
  );
  const [first] = unseen;
  if (first !== undefined) {
    const more = unseen.length > 1 ? ` and ${plural(unseen.length - 1, 'more package')}` : '';
    throw incomplete(
      `The scan of the dependencies did not look at ${first.name} ${first.version}${more} of the candidate's lock`,
    );
  }
  return true;
}

const nameAndVersion = (name: string, version: string | null) =>
  `${packageName(name)}==${normalVersion(version ?? '')}`;

function incomplete(message: string): UserError {
  return new UserError({
    code: 'scan_incomplete',
    message: `${message}.`,
    where: { key: 'gate.scans' },
    fix: 'Scan the lock of the trained commit with a scanner that lists all packages: osv-scanner scan --all-packages --format json, trivy --list-all-pkgs, or pip-audit.',
  });
}
