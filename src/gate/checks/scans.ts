import { type Check, check } from '../check.ts';
import { formatCount, plural } from '../numbers.ts';
import type { ScansPolicy } from '../policy-scans.ts';
import type { JudgedFinding, ScanResult } from '../scans/judge.ts';

/** Findings that a reason spells out; the report has the others. */
const mostNamed = 3;

/**
 * One check a scan that blocks, and one that warns where findings have no severity. Findings that stop are named with
 * their package and the version that mends it.
 *
 * @param covered whether it is shown that the candidate's lock was looked at; null: no scan is of dependencies
 */
export function scanChecks(
  scans: readonly ScanResult[],
  { policy, covered }: { policy: ScansPolicy; covered: boolean | null },
): Check[] {
  return [
    ...scans.flatMap((scan, index) => [
      stopCheck(scan, index, policy),
      ...(scan.counts.unknown > 0 ? [unknownCheck(scan, index)] : []),
    ]),
    ...(covered === false ? [uncoveredCheck()] : []),
  ];
}

const head = (scan: ScanResult, index: number) => ({
  id: `scan:${scan.subject}:${index + 1}`,
  kind: 'scan' as const,
  title: `scan: ${scan.subject}`,
  method: 'report',
  n: scan.packages,
});

function stopCheck(scan: ScanResult, index: number, policy: ScansPolicy): Check {
  const { counts } = scan;
  const found = counts.stops;
  const level =
    policy.fail_at === 'low'
      ? ''
      : policy.fail_at === 'critical'
        ? ' critical'
        : ` of severity ${policy.fail_at} or worse`;
  const looked =
    scan.packages === null ? '' : ` in ${plural(scan.packages, 'package')} of the ${words[scan.subject]}`;
  const stopping = scan.findings.filter(({ consequence }) => consequence === 'stops');
  return check({
    ...head(scan, index),
    effect: 'blocks',
    verdict: found > 0 ? 'fail' : 'pass',
    candidate: found,
    margin: 0,
    reason:
      found > 0
        ? `${tool(scan)} has ${plural(found, 'finding')} in the ${words[scan.subject]} that ${found === 1 ? 'stops' : 'stop'} the candidate: ${listed(stopping, found)}.`
        : `${tool(scan)} found nothing${level}${looked}${others(counts)}.`,
  });
}

const words = { dependencies: 'dependencies', image: 'image', code: 'code' } as const;

/** What was found and stops nothing, as the end of a sentence. */
function others({ accepted, below, unknown }: ScanResult['counts']): string {
  const parts = [
    ...(below > 0 ? [`${formatCount(below)} of lower severity`] : []),
    ...(accepted > 0 ? [`${formatCount(accepted)} accepted`] : []),
    ...(unknown > 0 ? [`${formatCount(unknown)} of no known severity`] : []),
  ];
  return parts.length === 0 ? '' : `; besides ${parts.join(', ')}`;
}

/** The name is the report's own. */
const tool = (scan: ScanResult): string => cut(scan.tool);
const cut = (text: string): string => (text.length > 80 ? `${text.slice(0, 79)}…` : text);

function unknownCheck(scan: ScanResult, index: number): Check {
  const { unknown } = scan.counts;
  const open = scan.findings.filter(({ consequence }) => consequence === 'unknown');
  return check({
    ...head(scan, index),
    id: `scan:${scan.subject}:${index + 1}:unknown`,
    title: `scan: ${scan.subject}, severity unknown`,
    effect: 'warns',
    verdict: 'inconclusive',
    candidate: unknown,
    reason: `${tool(scan)} gives no severity for ${plural(unknown, 'finding')} in the ${words[scan.subject]}: ${listed(open, unknown)}.`,
  });
}

function uncoveredCheck(): Check {
  return check({
    id: 'scan:dependencies:lock',
    kind: 'scan',
    title: 'scan: dependencies of the candidate',
    effect: 'warns',
    verdict: 'inconclusive',
    method: 'report',
    reason: "No scan lists the packages that it looked at: it is not shown that these are the candidate's.",
  });
}

function listed(findings: readonly JudgedFinding[], all: number): string {
  const shown = findings.slice(0, mostNamed).map(findingWords).join('; ');
  return all > mostNamed ? `${shown}; and ${formatCount(all - mostNamed)} more` : shown;
}

/** `CVE-2024-1 (GHSA-…) in torch 2.5.0, critical, fixed in 2.6.0`: names of a stranger's report, one line, bounded. */
export function findingWords(finding: JudgedFinding): string {
  const { id, aliases, package: about, version, severity, accepted } = finding;
  const alias = /^CVE-/i.test(id) ? undefined : aliases.find((one) => /^CVE-/i.test(one));
  const where = about === null ? '' : ` in ${cut(about)}${version === null ? '' : ` ${cut(version)}`}`;
  const over = accepted?.over ? `, accepted until ${accepted.until} and no longer` : '';
  return `${cut(id)}${alias === undefined ? '' : ` (${cut(alias)})`}${where}, ${severity === 'unknown' ? 'severity unknown' : severity}, ${fixWords(finding)}${over}`;
}

function fixWords({ fixed_in, version }: JudgedFinding): string {
  if (fixed_in.length > 0) return `fixed in ${fixed_in.slice(0, 3).map(cut).join(' or ')}`;
  return version === null ? 'to be mended there' : 'no fixed version is known';
}
