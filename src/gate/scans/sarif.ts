import { z } from 'zod';
import {
  type Finding,
  limits,
  optionalWord,
  type ScanFormat,
  Severity,
  severityOfScore,
  severityOfWord,
  word,
} from './scan.ts';

const Properties = z
  .object({
    'security-severity': z
      .union([z.string().max(50), z.number()])
      .nullish()
      .catch(null),
  })
  .nullish();
const Rule = z.object({ id: word, properties: Properties });
const Component = z.object({
  name: word,
  version: optionalWord,
  semanticVersion: optionalWord,
  rules: z.array(Rule).max(limits.findings).nullish(),
});
const Result = z.object({
  ruleId: optionalWord,
  rule: z
    .object({
      id: optionalWord,
      index: z.number().int().nullish(),
      toolComponent: z.object({ index: z.number().int().nullish() }).nullish(),
    })
    .nullish(),
  ruleIndex: z.number().int().nullish(),
  kind: z.string().max(50).nullish(),
  baselineState: z.string().max(50).nullish(),
  properties: Properties,
  locations: z
    .array(
      z.object({
        physicalLocation: z
          .object({ artifactLocation: z.object({ uri: z.string().max(5000).nullish() }).nullish() })
          .nullish(),
      }),
    )
    .max(10_000)
    .nullish(),
});
type Result = z.infer<typeof Result>;
const Run = z.object({
  tool: z.object({ driver: Component, extensions: z.array(Component).max(1000).nullish() }),
  // without results the tool did not look for any, or did not get that far
  results: z.array(Result).max(limits.findings),
  externalPropertyFileReferences: z
    .object({ results: z.array(z.unknown()).max(0, 'the findings stand in another file').nullish() })
    .nullish(),
  artifacts: z.array(z.unknown()).nullish(),
  invocations: z
    .array(z.object({ executionSuccessful: z.literal(true, 'the scanner says that it did not end well') }))
    .max(1000)
    .nullish(),
});
type Run = z.infer<typeof Run>;
type Rule = z.infer<typeof Rule>;
const Report = z.object({ version: z.literal('2.1.0'), runs: z.array(Run).min(1).max(100) });

/** Kinds of results that find nothing; `open` and `review` are not decided, which is not harmless. */
const harmless: ReadonlySet<string> = new Set(['pass', 'notApplicable', 'informational']);

/**
 * SARIF 2.1.0, of any scanner: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
 *
 * Severities are GitHub's `security-severity`; a level (error, warning) is none. Suppressions are not heeded: they
 * may come from the code that is judged.
 */
export const sarif: ScanFormat = {
  name: 'SARIF',
  fix: 'A clean report must list artifacts, or an invocation that ended well: turn that on, or use the JSON format of the scanner.',
  recognises: ({ version, runs }) => typeof version === 'string' && Array.isArray(runs),
  read(report) {
    const { runs } = Report.parse(report);
    const { driver } = runs[0]!.tool;
    return {
      tool: { name: driver.name, version: driver.semanticVersion ?? driver.version },
      subject: null,
      target: null,
      packages: null,
      seen: runs.every(
        ({ results, artifacts, invocations }) =>
          results.length > 0 || (artifacts ?? []).length > 0 || (invocations ?? []).length > 0,
      ),
      findings: runs.flatMap((run) => {
        const rules = rulesIn(run);
        return run.results
          .filter(({ kind, baselineState }) => !harmless.has(kind ?? 'fail') && baselineState !== 'absent')
          .map((result) => findingOf(result, rules));
      }),
    };
  },
};

function findingOf(result: Result, known: Rules): Finding {
  const rules = rulesOf(result, known);
  const uri = result.locations?.[0]?.physicalLocation?.artifactLocation?.uri;
  return {
    id: result.ruleId ?? result.rule?.id ?? rules[0]?.id ?? '(no rule)',
    aliases: [],
    package: uri ? uri.slice(0, 500) : null,
    version: null,
    severity: severityOf(result, rules),
    fixed_in: [],
  };
}

/** The result's own; else that of its rule, the worst where several components have one of that id. */
function severityOf(result: Result, rules: readonly Rule[]): Severity {
  const given = [result, ...rules].map((one) => severityOfEither(one.properties?.['security-severity']));
  if (given[0] !== undefined && given[0] !== 'unknown') return given[0];
  return Severity.options.find((one) => given.includes(one)) ?? 'unknown';
}

function severityOfEither(given: string | number | null | undefined): Severity {
  const severity = severityOfScore(given);
  return severity === 'unknown' && typeof given === 'string' ? severityOfWord(given) : severity;
}

/** The one that its index names, where that is of its id; else all of that id, of which `id/detail` is a part. */
function rulesOf({ ruleId, rule, ruleIndex }: Result, { driver, extensions, byId }: Rules): Rule[] {
  const id = ruleId ?? rule?.id ?? null;
  const fits = (one: Rule) => id === null || one.id === id || id.startsWith(`${one.id}/`);
  // a component that is named otherwise than by its index is not the driver
  const place =
    rule?.toolComponent === null || rule?.toolComponent === undefined ? -1 : rule.toolComponent.index;
  const component = place == null ? undefined : place < 0 ? driver : extensions?.[place];
  const index = rule?.index ?? ruleIndex ?? -1;
  const found = index < 0 ? undefined : component?.rules?.[index];
  if (found !== undefined && fits(found)) return [found];
  for (let part = id ?? ''; part !== ''; part = part.slice(0, Math.max(0, part.lastIndexOf('/')))) {
    const known = byId.get(part);
    if (known !== undefined) return known;
  }
  return [];
}

type Rules = Run['tool'] & { byId: ReadonlyMap<string, Rule[]> };

function rulesIn({ tool }: Run): Rules {
  const byId = new Map<string, Rule[]>();
  for (const rule of [tool.driver, ...(tool.extensions ?? [])].flatMap(({ rules }) => rules ?? [])) {
    const same = byId.get(rule.id);
    if (same === undefined) byId.set(rule.id, [rule]);
    else same.push(rule);
  }
  return { ...tool, byId };
}
