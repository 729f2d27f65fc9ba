import { z } from 'zod';
import { Digest } from '../../json.ts';

/** From the worst down; `unknown` where a report gives none, which is not the same as harmless. */
export const Severity = z.enum(['critical', 'high', 'medium', 'low', 'unknown']);
export type Severity = z.infer<typeof Severity>;

export const Subject = z.enum(['dependencies', 'image', 'code']);
export type Subject = z.infer<typeof Subject>;

/** A scanner's report as a stored object. `subject`: what the caller says was scanned; null: the report tells. */
export const ScanInput = z.object({
  file: Digest,
  size: z.number().int().nonnegative(),
  subject: Subject.nullable(),
});
export type ScanInput = z.infer<typeof ScanInput>;

/** One known weakness, as a scanner tells it. */
export interface Finding {
  id: string;
  /** Other names of the same: CVE, GHSA, PYSEC. */
  aliases: string[];
  /** The package, or the file where there is none; null where the report says neither. */
  package: string | null;
  version: string | null;
  severity: Severity;
  /** Versions without it; empty where none is known. */
  fixed_in: string[];
}

export interface ScannedPackage {
  name: string;
  version: string | null;
  /** Of another language: one of the same name and version is none of the lock. */
  foreign?: true;
}

/** What one report says, whatever its format. */
export interface Scan {
  tool: { name: string; version: string | null };
  /** Null where the format does not tell what was scanned. */
  subject: Subject | null;
  /** The report's own name of it: a path, an image. */
  target: string | null;
  /** All packages that were looked at; null where the format lists only those with findings. */
  packages: ScannedPackage[] | null;
  /** The scanner looks at what its own platform needs, and leaves out packages whose marker is of another. */
  resolves?: true;
  /** Whether the report shows that anything was looked at: one of an empty folder is as clean as one of nothing. */
  seen: boolean;
  findings: Finding[];
}

/** One report format. `read` throws a ZodError on what is not of the format. */
export interface ScanFormat {
  /** The name in messages. */
  name: string;
  /** What to do when a report does not show that anything was looked at. */
  fix: string;
  recognises(report: Readonly<Record<string, unknown>>): boolean;
  read(report: unknown): Scan;
}

/** Bytes of a report, and entries of it, that are read at all. */
export const limits = { bytes: 32_000_000, packages: 100_000, findings: 20_000 } as const;

/** A name or version of a report; longer ones are none. */
export const word = z.string().min(1).max(500);
/** A field that scanners leave out, or leave empty, where they know nothing. */
export const optionalWord = z
  .string()
  .max(500)
  .nullish()
  .transform((text) => text || null);
/** Aliases and fixed versions: few are useful. */
export const words = z
  .array(z.string().max(500))
  .max(1000)
  .nullish()
  .transform((all) => (all ?? []).filter((one) => one !== '').slice(0, 20));

/** A severity in any scanner's words; `unknown` for a word that is none. */
export function severityOfWord(text: string | null | undefined): Severity {
  switch (text?.trim().toLowerCase()) {
    case 'critical':
      return 'critical';
    case 'high':
    case 'important':
      return 'high';
    case 'medium':
    case 'moderate':
      return 'medium';
    case 'low':
    case 'negligible':
    case 'none':
      return 'low';
    default:
      return 'unknown';
  }
}

/** The bands of CVSS 3 and 4, and of GitHub's security-severity: 9 and above, 7, 4; `unknown` for what is no score. */
export function severityOfScore(given: string | number | null | undefined): Severity {
  const score = typeof given === 'string' && given.trim() !== '' ? Number(given) : given;
  if (typeof score !== 'number' || !(score >= 0 && score <= 10)) return 'unknown';
  return score >= 9 ? 'critical' : score >= 7 ? 'high' : score >= 4 ? 'medium' : 'low';
}
