import { z } from 'zod';
import { UserError } from '../../errors.ts';
import { type Json, parseJson } from '../../json.ts';
import { grype } from './grype.ts';
import { noPackages } from './no-packages.ts';
import { osvScanner } from './osv-scanner.ts';
import { pipAudit } from './pip-audit.ts';
import { sarif } from './sarif.ts';
import { limits, type Scan, type ScanFormat, type Subject } from './scan.ts';
import { trivy } from './trivy.ts';

const formats: readonly ScanFormat[] = [trivy, grype, osvScanner, pipAudit, sarif, noPackages];

/**
 * Reads a scanner's report, whichever of the known formats it is. `named`: what the caller says was scanned; it may
 * only add to the report, not contradict it. Throws `scan_unreadable`, and `scan_incomplete` where nothing shows
 * that anything was looked at.
 */
export function readScan(bytes: Uint8Array, { named, where }: { named: Subject | null; where: string }) {
  const unreadable = (message: string, fix: string, cause?: unknown) =>
    new UserError({ code: 'scan_unreadable', message, where, fix, cause });
  const report = parse(bytes, unreadable);
  const format = formats.find(({ recognises }) => recognises(report));
  if (format === undefined)
    throw unreadable(
      'The scan is of no known format.',
      'Give SARIF 2.1.0, or the JSON of OSV-Scanner, Trivy, Grype or pip-audit.',
    );
  const scan = readAs(format, report, unreadable);
  if (named !== null && scan.subject !== null && named !== scan.subject)
    throw unreadable(
      `The scan is named as one of ${words[named]}, and its report says that it is of ${words[scan.subject]}.`,
      'Leave out the name: reports of this format say what was scanned.',
    );
  if (!scan.seen)
    throw new UserError({
      code: 'scan_incomplete',
      message: `The ${format.name} report does not show that anything was looked at.`,
      where,
      fix: format.fix,
    });
  // what a SARIF report was made of is code, unless somebody says otherwise
  return { ...scan, subject: scan.subject ?? named ?? ('code' as const) };
}

export const words = { dependencies: 'dependencies', image: 'an image', code: 'code' } as const;

type Unreadable = (message: string, fix: string, cause?: unknown) => UserError;

function parse(bytes: Uint8Array, unreadable: Unreadable): { [key: string]: Json } {
  let parsed: Json;
  try {
    parsed = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes), limits.bytes);
  } catch (cause) {
    const scan = 'Run the scanner again, and give the file that it wrote.';
    throw unreadable('The scan is not JSON, or too large.', scan, cause);
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed;
  throw unreadable('The scan is no JSON object.', 'Give the JSON report of a scanner.');
}

function readAs(format: ScanFormat, report: unknown, unreadable: Unreadable): Scan {
  let scan: Scan;
  try {
    scan = format.read(report);
  } catch (cause) {
    if (!(cause instanceof z.ZodError)) throw cause;
    const issue = cause.issues[0];
    throw unreadable(
      `The scan looks like a report of ${format.name}, and is none: ${issue?.path.join('.') || 'the report'}: ${issue?.message ?? 'not valid'}.`,
      'Run the scanner again, in a version of today, and give the file that it wrote.',
      cause,
    );
  }
  if (scan.findings.length <= limits.findings && (scan.packages?.length ?? 0) <= limits.packages) return scan;
  throw unreadable(
    `The scan holds more than ${limits.findings} findings or ${limits.packages} packages.`,
    'Scan less at once, and give several reports.',
  );
}
