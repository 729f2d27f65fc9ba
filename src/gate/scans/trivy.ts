import { z } from 'zod';
import { limits, optionalWord, type ScanFormat, severityOfWord, word } from './scan.ts';

const many = <Item extends z.ZodType>(item: Item, most: number) =>
  z
    .array(item)
    .max(most)
    .nullish()
    .transform((all) => all ?? []);

const Vulnerability = z.object({
  VulnerabilityID: word,
  PkgName: optionalWord,
  InstalledVersion: optionalWord,
  FixedVersion: optionalWord,
  Severity: optionalWord,
});
const Secret = z.object({ RuleID: word, Severity: optionalWord });
const Misconfiguration = z.object({ ID: word, Severity: optionalWord, Status: optionalWord });
/** What Trivy calls Python's packages and locks. */
const python = /^(pip|pipenv|poetry|uv|pylock|python-pkg|conda-pkg|conda-environment)$/;

const Result = z.object({
  Target: optionalWord,
  Type: optionalWord,
  Packages: z
    .array(z.object({ Name: word, Version: optionalWord }))
    .max(limits.packages)
    .nullish(),
  Vulnerabilities: many(Vulnerability, limits.findings),
  Secrets: many(Secret, limits.findings),
  Misconfigurations: many(Misconfiguration, limits.findings),
});
const Report = z.object({
  SchemaVersion: z.literal(2),
  ArtifactName: optionalWord,
  ArtifactType: optionalWord,
  Trivy: z.object({ Version: optionalWord }).nullish(),
  Metadata: z.object({ ImageID: optionalWord }).nullish(),
  Results: many(Result, 10_000),
});

/** `trivy --format json`: https://trivy.dev/latest/docs/configuration/reporting/ */
export const trivy: ScanFormat = {
  name: 'Trivy',
  fix: 'Scan again with --list-all-pkgs, and see that the path or image is the wanted one.',
  recognises: (report) => 'SchemaVersion' in report && 'ArtifactType' in report,
  read(report) {
    const { ArtifactName, ArtifactType, Metadata, Trivy, Results } = Report.parse(report);
    const listed = Results.flatMap(({ Packages, Type }) =>
      (Packages ?? []).map(({ Name, Version }) => ({
        ...{ name: Name, version: Version },
        ...(python.test(Type ?? 'pip') ? {} : { foreign: true as const }),
      })),
    );
    const findings = Results.flatMap(({ Target, Vulnerabilities, Secrets, Misconfigurations }) => [
      ...Vulnerabilities.map((one) => ({
        id: one.VulnerabilityID,
        aliases: [],
        package: one.PkgName,
        version: one.InstalledVersion,
        severity: severityOfWord(one.Severity),
        fixed_in: one.FixedVersion === null ? [] : one.FixedVersion.split(/,\s*/).slice(0, 20),
      })),
      // what is wrong in a file has no version
      ...[
        ...Secrets.map(({ RuleID, Severity }) => ({ id: RuleID, Severity })),
        ...Misconfigurations.filter(({ Status }) => Status !== 'PASS'),
      ].map((one) => ({
        id: 'ID' in one ? one.ID : one.id,
        aliases: [],
        package: Target,
        version: null,
        severity: severityOfWord(one.Severity),
        fixed_in: [],
      })),
    ]);
    const image = ArtifactType === 'container_image';
    return {
      tool: { name: 'Trivy', version: Trivy?.Version ?? null },
      subject: image ? 'image' : 'dependencies',
      target: [ArtifactName, image ? Metadata?.ImageID : null].filter(Boolean).join(' ') || null,
      packages: Results.some(({ Packages }) => Packages != null) ? listed : null,
      seen: listed.length > 0 || findings.length > 0 || (image && Metadata?.ImageID != null),
      findings,
    };
  },
};
