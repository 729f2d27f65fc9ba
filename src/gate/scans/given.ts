import type { Digest } from '../../json.ts';
import type { Store } from '../../store/store.ts';
import type { Check } from '../check.ts';
import { scanChecks } from '../checks/scans.ts';
import { ScansPolicy } from '../policy-scans.ts';
import { readCandidateLock, requireScans } from './coverage.ts';
import { type GivenScan, judgeScan, type ScanResult } from './judge.ts';
import { readScan } from './read.ts';
import { limits, type ScanInput } from './scan.ts';

/**
 * Reads and judges the scans that the gate was given. Without a policy, nothing critical may be in them. Throws
 * `scan_missing`, `scan_unreadable`, `scan_incomplete`: a scan that shows nothing never passes.
 */
export async function judgeGivenScans(
  store: Store,
  request: {
    policy: ScansPolicy | undefined;
    scans: readonly ScanInput[];
    today: string | null;
    candidate: Digest;
  },
): Promise<{ scans: ScanResult[]; checks: Check[] }> {
  const { policy = ScansPolicy.parse({}), today, candidate } = request;
  const given: GivenScan[] = [];
  for (const { file, subject } of request.scans) {
    const bytes = await store.readBytes(file, limits.bytes);
    given.push({
      ...readScan(bytes, { named: subject, where: `scan ${file.slice(0, 12)}` }),
      sha256: file,
    });
  }
  const lock = given.some(({ subject }) => subject === 'dependencies')
    ? ((await readCandidateLock(store, candidate))?.packages ?? null)
    : null;
  const covered = requireScans(given, { policy, lock });
  const scans = given.map((scan) => judgeScan(scan, { policy, today }));
  return { scans, checks: scanChecks(scans, { policy, covered }) };
}
