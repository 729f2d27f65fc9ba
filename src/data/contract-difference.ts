import { canonicalJson } from '../json.ts';
import type { Contract, Property, Quality } from './contract.ts';
import { thresholds } from './threshold.ts';

/** A rule in which two contracts differ: null where the one of the two lacks it. */
export interface RuleDifference {
  /** The column with the rule (`distance.required`), or the rule of the table. */
  rule: string;
  before: string | null;
  after: string | null;
}

/** What two contracts of a table ask for differently, in the order of the one before, then what was added. */
export function contractDifference(before: Contract, after: Contract): RuleDifference[] {
  const [old, now] = [rulesOf(before), rulesOf(after)];
  return [...new Set([...old.keys(), ...now.keys()])]
    .map((rule) => ({ rule, before: old.get(rule) ?? null, after: now.get(rule) ?? null }))
    .filter((one) => one.before !== one.after);
}

/** Every rule that is checked, by its name. */
function rulesOf({ table, freshness }: Contract): Map<string, string> {
  const rules = new Map<string, string>();
  for (const property of table.properties) {
    for (const [rule, value] of columnRules(property)) rules.set(`${property.name}.${rule}`, value);
    addQuality(rules, `${property.name}.`, property.quality);
  }
  addQuality(rules, '', table.quality);
  for (const { column, text } of freshness) rules.set(`${column}.freshness`, text);
  return rules;
}

function columnRules(property: Property): [string, string][] {
  const { logicalType, physicalType, required, unique, primaryKey } = property;
  const rules: [string, unknown][] = [
    ['type', [logicalType, physicalType].filter((type) => type !== undefined).join(', ') || 'any'],
    ...Object.entries({ required, unique, primaryKey }).filter(([, holds]) => holds),
    ...Object.entries(property.logicalTypeOptions ?? {}).filter(([, value]) => value !== undefined),
  ];
  return rules.map(([rule, value]) => [rule, String(value)]);
}

/** Rules of the same metric are told apart by their name, else by their place. */
function addQuality(rules: Map<string, string>, column: string, quality: readonly Quality[]): void {
  for (const one of quality) {
    if (one.type === 'text' || one.metric === undefined) continue;
    const named = `${column}${one.metric}${one.name === undefined ? '' : ` (${one.name})`}`;
    let rule = named;
    for (let place = 2; rules.has(rule); place += 1) rule = `${named} ${place}`;
    const asked = [
      `${thresholds(one)[0]?.text ?? ''} ${one.unit}`.trim(),
      ...(one.arguments === undefined ? [] : [canonicalJson(one.arguments)]),
      ...(one.severity === 'warning' ? ['warns'] : []),
    ];
    rules.set(rule, asked.join(', '));
  }
}
