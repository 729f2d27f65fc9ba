import { formatCount, plural } from './numbers.ts';
import type { GateRecord } from './record.ts';
import type { JudgedFinding, ScanResult } from './scans/judge.ts';

/** What both forms of the report say of the scans, as plain texts, still to be escaped. */
export interface ScanTable {
  /** `Scans: 3 findings in 2 reports, 1 stops` */
  title: string;
  /** One sentence a report: tool, what it looked at, which file of the gate's manifest it is. */
  reports: string[];
  columns: readonly string[];
  /** The most important first. */
  rows: string[][];
  /** Findings that gate.json does not hold. */
  leftOut: number;
}

/** Null where the gate was given no scan. */
export function scanTable({ scans = [] }: Pick<GateRecord, 'scans'>): ScanTable | null {
  if (scans.length === 0) return null;
  const all = scans.flatMap(({ findings, tool }) => findings.map((finding) => ({ finding, tool })));
  const order = ['stops', 'unknown', 'accepted', 'below'];
  all.sort((a, b) => order.indexOf(a.finding.consequence) - order.indexOf(b.finding.consequence));
  const leftOut = scans.reduce((sum, one) => sum + one.left_out, 0);
  const stops = scans.reduce((sum, one) => sum + one.counts.stops, 0);
  return {
    title: `Scans: ${plural(all.length + leftOut, 'finding')} in ${plural(scans.length, 'report')}${stops === 0 ? '' : `, ${formatCount(stops)} ${stops === 1 ? 'stops' : 'stop'} the candidate`}`,
    reports: scans.map(reportWords),
    columns: ['finding', 'where', 'version', 'severity', 'fixed in', 'what follows', 'by'],
    rows: all.map(({ finding, tool }) => [
      [finding.id, ...finding.aliases.filter((one) => /^CVE-/i.test(one)).slice(0, 2)].join(', '),
      finding.package ?? '–',
      finding.version ?? '–',
      finding.severity,
      finding.fixed_in.slice(0, 3).join(' or ') || '–',
      consequenceWords(finding),
      tool,
    ]),
    leftOut,
  };
}

function reportWords(scan: ScanResult, index: number): string {
  const { subject, tool, tool_version, target, packages, sha256 } = scan;
  const looked = packages === null ? '' : `: ${plural(packages, 'package')}`;
  const of = target === null ? '' : ` (${target})`;
  return `${tool}${tool_version === null ? '' : ` ${tool_version}`} on the ${subject}${of}${looked}. The report is scan-${index + 1}.json, ${sha256.slice(0, 12)}.`;
}

function consequenceWords({ consequence, accepted }: JudgedFinding): string {
  const over = accepted?.over ? `, accepted until ${accepted.until} and no longer` : '';
  if (consequence === 'accepted' && accepted !== undefined)
    return `accepted until ${accepted.until}: ${accepted.reason}`;
  return `${{ stops: 'stops', unknown: 'to look at', accepted: 'accepted', below: 'noted' }[consequence]}${over}`;
}
