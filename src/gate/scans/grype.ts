import { z } from 'zod';
import { limits, optionalWord, type ScanFormat, severityOfWord, word, words } from './scan.ts';

const Match = z.object({
  vulnerability: z.object({
    id: word,
    severity: optionalWord,
    fix: z.object({ versions: words }).nullish(),
  }),
  relatedVulnerabilities: z
    .array(z.object({ id: word }))
    .max(1000)
    .nullish(),
  artifact: z.object({ name: word, version: optionalWord }),
});
const Report = z.object({
  matches: z.array(Match).max(limits.findings),
  source: z.object({
    type: word,
    target: z.union([
      z.string().max(5000),
      z.looseObject({ userInput: optionalWord, imageID: optionalWord }),
    ]),
  }),
  descriptor: z.object({ name: z.literal('grype'), version: optionalWord }),
});

/** `grype -o json`: https://oss.anchore.com/docs/guides/vulnerability/interpreting-results/ */
export const grype: ScanFormat = {
  name: 'Grype',
  fix: 'Grype lists no packages: a clean report of anything but an image shows nothing. Scan by OSV-Scanner, Trivy or pip-audit.',
  recognises: ({ matches, descriptor }) =>
    matches !== undefined &&
    typeof descriptor === 'object' &&
    descriptor !== null &&
    'name' in descriptor &&
    descriptor.name === 'grype',
  read(report) {
    const { matches, source, descriptor } = Report.parse(report);
    const image = source.type === 'image' && typeof source.target === 'object' ? source.target : null;
    return {
      tool: { name: 'Grype', version: descriptor.version },
      subject: source.type === 'image' ? 'image' : 'dependencies',
      target:
        typeof source.target === 'string'
          ? source.target.slice(0, 500)
          : [image?.userInput, image?.imageID].filter(Boolean).join(' ') || null,
      packages: null,
      seen: matches.length > 0 || image?.imageID != null,
      findings: matches.map(({ vulnerability, relatedVulnerabilities, artifact }) => ({
        id: vulnerability.id,
        aliases: otherNames(
          vulnerability.id,
          (relatedVulnerabilities ?? []).map(({ id }) => id),
        ),
        package: artifact.name,
        version: artifact.version,
        severity: severityOfWord(vulnerability.severity),
        fixed_in: vulnerability.fix?.versions ?? [],
      })),
    };
  },
};

/** One related entry is the same by another name; of several, the advisory gathers what may be accepted apart. */
function otherNames(id: string, related: readonly string[]): string[] {
  const others = [...new Set(related)].filter((one) => one !== id);
  return others.length === 1 ? others : [];
}
