import { z } from 'zod';
import { limits, type ScanFormat, word, words } from './scan.ts';

const Vulnerability = z.object({ id: word, fix_versions: words, aliases: words });
const Audited = z.object({
  name: word,
  version: word,
  vulns: z.array(Vulnerability).max(limits.findings),
});
/** One that could not be audited. */
const Skipped = z.object({ name: word, skip_reason: z.string() });
const Report = z.object({
  dependencies: z.array(z.union([Audited, Skipped])).max(limits.packages),
  fixes: z.array(z.unknown()),
});

/** `pip-audit --format json`. It gives no severities. */
export const pipAudit: ScanFormat = {
  name: 'pip-audit',
  fix: 'Give pip-audit the lock: pip-audit --disable-pip --require-hashes --requirement requirements.lock --format json.',
  recognises: (report) => Array.isArray(report.dependencies) && Array.isArray(report.fixes),
  read(report) {
    const { dependencies } = Report.parse(report);
    const audited = dependencies.filter((one) => 'vulns' in one);
    return {
      tool: { name: 'pip-audit', version: null },
      subject: 'dependencies',
      target: null,
      packages: audited.map(({ name, version }) => ({ name, version })),
      resolves: true,
      seen: audited.length > 0,
      findings: audited.flatMap(({ name, version, vulns }) =>
        vulns.map(({ id, aliases, fix_versions }) => ({
          id,
          aliases: aliases.filter((alias) => alias !== id),
          package: name,
          version,
          severity: 'unknown' as const,
          fixed_in: fix_versions,
        })),
      ),
    };
  },
};
