import { z } from 'zod';
import { Digest } from '../../json.ts';
import type { Acceptance, ScansPolicy } from '../policy-scans.ts';
import { type Finding, type Scan, Severity, Subject } from './scan.ts';

/** A scan that the gate was given. */
export interface GivenScan extends Scan {
  subject: Subject;
  /** sha256 of the report. */
  sha256: Digest;
}

/** stops: at or above the policy's severity. unknown: no severity, and the policy warns. below: neither. */
const Consequence = z.enum(['stops', 'unknown', 'accepted', 'below']);

export const JudgedFinding = z.object({
  id: z.string(),
  aliases: z.array(z.string()),
  package: z.string().nullable(),
  version: z.string().nullable(),
  severity: Severity,
  fixed_in: z.array(z.string()),
  consequence: Consequence,
  /** The acceptance that names it, also one that is over. */
  accepted: z.object({ until: z.string(), reason: z.string(), over: z.boolean() }).optional(),
});
export type JudgedFinding = z.infer<typeof JudgedFinding>;

/** What gate.json keeps of a scan; the report itself is a file of the gate's manifest. */
export const ScanResult = z.object({
  subject: Subject,
  tool: z.string(),
  tool_version: z.string().nullable(),
  target: z.string().nullable(),
  sha256: Digest,
  /** Packages that were looked at; null where the report does not list them. */
  packages: z.number().nullable(),
  /** Findings by what follows from them. */
  counts: z.object({
    stops: z.number(),
    unknown: z.number(),
    accepted: z.number(),
    below: z.number(),
  }),
  /** The most important first; `left_out` more are in the report alone. */
  findings: z.array(JudgedFinding),
  left_out: z.number(),
});
export type ScanResult = z.infer<typeof ScanResult>;

const mostKept = 100;
const order = Consequence.options;
const severities = Severity.options;

/**
 * What follows from each finding of a scan.
 *
 * @param today ISO date in UTC, by which acceptances end; null: none holds
 */
export function judgeScan(
  scan: GivenScan,
  { policy, today }: { policy: ScansPolicy; today: string | null },
): ScanResult {
  const findings = scan.findings.map((finding) => judgeFinding(finding, { policy, today }));
  const rank = ({ consequence, severity }: JudgedFinding) =>
    order.indexOf(consequence) * severities.length + severities.indexOf(severity);
  findings.sort((a, b) => rank(a) - rank(b));
  const count = (wanted: JudgedFinding['consequence']) =>
    findings.filter(({ consequence }) => consequence === wanted).length;
  return {
    subject: scan.subject,
    tool: scan.tool.name,
    tool_version: scan.tool.version,
    target: scan.target,
    sha256: scan.sha256,
    packages: scan.packages?.length ?? null,
    counts: {
      stops: count('stops'),
      unknown: count('unknown'),
      accepted: count('accepted'),
      below: count('below'),
    },
    findings: findings.slice(0, mostKept).map(bounded),
    left_out: Math.max(0, findings.length - mostKept),
  };
}

/** Names are a stranger's: with all of them gate.json stays small enough to be read back. */
function bounded(finding: JudgedFinding): JudgedFinding {
  const few = (all: readonly string[]) => all.slice(0, 5).map((one) => one.slice(0, 100));
  return {
    ...finding,
    id: finding.id.slice(0, 200),
    aliases: few(finding.aliases),
    package: finding.package?.slice(0, 200) ?? null,
    version: finding.version?.slice(0, 100) ?? null,
    fixed_in: few(finding.fixed_in),
  };
}

function judgeFinding(
  finding: Finding,
  { policy, today }: { policy: ScansPolicy; today: string | null },
): JudgedFinding {
  const { fail_at, unknown, accept } = policy;
  const named = accept.filter((one) => names(one, finding)).sort((a, b) => (a.until < b.until ? 1 : -1))[0];
  const over = named === undefined || today === null || named.until < today;
  const bad =
    finding.severity === 'unknown'
      ? unknown === 'fail'
      : severities.indexOf(finding.severity) <= severities.indexOf(fail_at);
  const open = bad ? ('stops' as const) : finding.severity === 'unknown' ? ('unknown' as const) : null;
  return {
    ...finding,
    consequence: open === null ? 'below' : over ? open : 'accepted',
    ...(named === undefined ? {} : { accepted: { until: named.until, reason: named.reason, over } }),
  };
}

const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();

function names(acceptance: Acceptance, { id, aliases, package: about }: Finding): boolean {
  if (![id, ...aliases].some((one) => same(one, acceptance.id))) return false;
  return (
    acceptance.package === undefined ||
    (about !== null && packageName(acceptance.package) === packageName(about))
  );
}

/** Python's names are equal but for case and the kind of dash. */
export const packageName = (name: string): string => name.toLowerCase().replace(/[-_.]+/g, '-');
