import { readFile, stat } from 'node:fs/promises';
import { namesNoFile, UserError } from '../errors.ts';
import type { ScansPolicy } from '../gate/policy-scans.ts';
import { scanMissing } from '../gate/scans/missing.ts';
import { limits, type ScanInput, Subject } from '../gate/scans/scan.ts';
import type { Store } from '../store/store.ts';

/** Throws `scan_missing` where the policy asks for a scan and none at all is given. */
export function requireSomeScan(policy: ScansPolicy | undefined, given: readonly string[]): void {
  const [subject] = policy?.require ?? [];
  if (subject !== undefined && given.length === 0) throw scanMissing(subject);
}

/**
 * Stores the reports that a command line names: `FILE`, or `SUBJECT=FILE` where the format does not tell what was
 * scanned. Throws `scan_missing` where one is not there, `scan_unreadable` where it is too large.
 */
export async function storeScans(store: Store, given: readonly string[]): Promise<ScanInput[]> {
  const stored: ScanInput[] = [];
  for (const one of given) {
    const { subject, file } = parseScan(one);
    const input = { ...(await storeReport(store, file)), subject };
    if (!stored.some((other) => other.file === input.file && other.subject === subject)) stored.push(input);
  }
  return stored;
}

function parseScan(given: string): { subject: Subject | null; file: string } {
  const [, word, file] = /^(\w+)=(.+)$/s.exec(given) ?? [];
  const subject = Subject.safeParse(word);
  return subject.success && file !== undefined
    ? { subject: subject.data, file }
    : { subject: null, file: given };
}

async function storeReport(store: Store, file: string): Promise<{ file: string; size: number }> {
  const size = await sizeOf(file);
  if (size > limits.bytes) {
    throw new UserError({
      code: 'scan_unreadable',
      message: `The scan is larger than ${limits.bytes / 1e6} MB.`,
      where: { file },
      fix: 'Leave out of the report what the gate does not read, or scan less at once.',
    });
  }
  const bytes = await readFile(file);
  return { file: await store.putBytes(bytes), size: bytes.length };
}

async function sizeOf(file: string): Promise<number> {
  try {
    const found = await stat(file);
    if (found.isFile()) return found.size;
  } catch (error) {
    if (!namesNoFile(error)) throw error;
  }
  throw new UserError({
    code: 'scan_missing',
    message: `There is no scan at ${file}.`,
    where: { file },
    fix: 'Run the scanner first, and give the path of the report that it writes.',
  });
}
