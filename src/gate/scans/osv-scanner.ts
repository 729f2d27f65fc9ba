import { z } from 'zod';
import {
  type Finding,
  limits,
  optionalWord,
  type ScanFormat,
  severityOfScore,
  severityOfWord,
  word,
  words,
} from './scan.ts';

const Event = z.object({ fixed: optionalWord });
const Affected = z.object({
  package: z.object({ name: optionalWord }).nullish(),
  ranges: z
    .array(z.object({ type: optionalWord, events: z.array(Event).max(10_000).nullish() }))
    .max(1000)
    .nullish(),
});
const Vulnerability = z.object({
  id: word,
  aliases: words,
  affected: z.array(Affected).max(10_000).nullish(),
  database_specific: z.object({ severity: z.string().max(100).nullish().catch(null) }).nullish(),
});
type Vulnerability = z.infer<typeof Vulnerability>;
/** Entries of several databases about one weakness; `max_severity` is a CVSS score, or empty. */
const Group = z.object({ ids: words, aliases: words, max_severity: optionalWord });
const Package = z.object({
  // vendored code has a commit and no name
  package: z
    .object({ name: optionalWord, version: optionalWord, commit: optionalWord, ecosystem: optionalWord })
    .refine(({ name, commit }) => name !== null || commit !== null, 'has neither a name nor a commit'),
  vulnerabilities: z.array(Vulnerability).max(limits.findings).nullish(),
  groups: z.array(Group).max(limits.findings).nullish(),
});
type Package = z.infer<typeof Package>;
const Report = z.object({
  results: z
    .array(
      z.object({
        source: z.object({ path: z.string().max(5000), type: optionalWord }),
        packages: z.array(Package).max(limits.packages),
      }),
    )
    .max(10_000),
  image_metadata: z.unknown().optional(),
  /** `modelgate scan` adds what was scanned: the scanner itself names a file within an image. */
  modelgate: z.object({ target: word }).nullish(),
});

/** `osv-scanner scan --all-packages --format json`: https://google.github.io/osv-scanner/output/ */
export const osvScanner: ScanFormat = {
  name: 'OSV-Scanner',
  fix: 'Scan again with --all-packages, and see that the lock file is the wanted one. An image must say its distribution in /etc/os-release.',
  recognises: ({ results, experimental_config }) =>
    Array.isArray(results) && typeof experimental_config === 'object',
  read(report) {
    const { results, image_metadata, modelgate } = Report.parse(report);
    const image = image_metadata != null;
    const packages = results.flatMap((one) => one.packages);
    return {
      tool: { name: 'OSV-Scanner', version: null },
      subject: image ? 'image' : 'dependencies',
      target: modelgate?.target ?? (image ? null : results[0]?.source.path.slice(-500) || null),
      packages: packages.map(({ package: about }) => ({
        ...{ name: nameOf(about), version: about.version },
        ...(/^pypi$/i.test(about.ecosystem ?? 'PyPI') ? {} : { foreign: true as const }),
      })),
      // without a distribution the packages are of Linux as such, against which no database knows anything
      seen: packages.length > 0 && !(image && packages.some((one) => one.package.ecosystem === 'Linux')),
      findings: packages.flatMap(findingsOf),
    };
  },
};

const nameOf = ({ name, commit }: Pick<Package['package'], 'name' | 'commit'>): string =>
  name ?? commit ?? '';

/** Malicious packages have no score: https://github.com/ossf/malicious-packages */
const malicious = (id: string): boolean => /^MAL-/i.test(id);

function findingsOf({ package: about, vulnerabilities, groups }: Package): Finding[] {
  const known = vulnerabilities ?? [];
  const grouped = new Set((groups ?? []).flatMap(({ ids }) => ids));
  const alone = known
    .filter(({ id }) => !grouped.has(id))
    .map(({ id, aliases }) => ({ ids: [id], aliases, max_severity: null }));
  return [...(groups ?? []), ...alone].map(({ ids, aliases, max_severity }) => {
    // GitHub's name is the one that most lists know
    const id = ids.find((one) => one.startsWith('GHSA-')) ?? ids[0] ?? aliases[0] ?? '(no id)';
    const entries = known.filter((one) => ids.includes(one.id));
    return {
      id,
      aliases: [...new Set([...ids, ...aliases])].filter((one) => one !== id).slice(0, 20),
      package: nameOf(about),
      version: about.version ?? about.commit,
      severity: [id, ...ids, ...aliases].some(malicious) ? 'critical' : severityIn(max_severity, entries),
      fixed_in: fixedIn(nameOf(about), entries),
    };
  });
}

/** The score; where there is none, what the databases call it. */
function severityIn(score: string | null, entries: readonly Vulnerability[]): Finding['severity'] {
  const scored = severityOfScore(score);
  if (scored !== 'unknown') return scored;
  const said = entries.map(({ database_specific }) => severityOfWord(database_specific?.severity));
  return (['critical', 'high', 'medium', 'low'] as const).find((one) => said.includes(one)) ?? 'unknown';
}

function fixedIn(name: string, entries: readonly Vulnerability[]): string[] {
  const versions = entries
    .flatMap(({ affected }) => affected ?? [])
    .filter(({ package: about }) => about?.name == null || about.name.toLowerCase() === name.toLowerCase())
    .flatMap(({ ranges }) => ranges ?? [])
    .filter(({ type }) => type !== 'GIT') // commits are no versions
    .flatMap(({ events }) => (events ?? []).flatMap(({ fixed }) => fixed ?? []));
  return [...new Set(versions)].slice(0, 20);
}
