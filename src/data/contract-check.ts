import { UserError } from '../errors.ts';
import type { KeyPath } from '../yaml.ts';
import type { Blocks } from './blocks.ts';
import type { Contract, Property } from './contract.ts';
import { columnRules, type Rule, tableRules } from './contract-rules.ts';
import { type Column, type ColumnType, identifier, type SqlEngine } from './engine.ts';
import { findRenames } from './rename.ts';
import { asTimestamp, instant } from './time.ts';

/** One check of a contract and what came out. */
export interface Check {
  /** Unique in the result: table, column and rule, e.g. `flights.arr_delay.type`. */
  id: string;
  column: string | null;
  rule: string;
  /** `warn`: broken, but its severity is warning. */
  verdict: 'pass' | 'fail' | 'warn';
  observed: string | number | null;
  expected: string | number | null;
  /** Rows that break the rule; null where it is not about rows. */
  rows: number | null;
  /** One sentence for people. */
  message: string;
  /** Line of the rule in the contract file. */
  line: number | null;
}

export interface CheckRequest {
  engine: SqlEngine;
  /** The view or table with the batch. */
  view: string;
  contract: Contract;
  /** Profile of the batch, and of an earlier accepted one. */
  blocks: Blocks;
  baseline: Blocks | null;
  /** The present, ISO 8601. */
  asOf: string;
}

/** Checks a batch against its contract: the whole contract, so that one run tells all that is wrong. */
export async function checkContract(request: CheckRequest): Promise<Check[]> {
  const { engine, view, contract } = request;
  const columns = await engine.describe(`SELECT * FROM ${identifier(view)}`);
  const checks = schemaChecks(request, columns);
  // a rule is tried only on a column that is there and has its type: nothing is cast to make it fit
  const broken = new Set(checks.filter((check) => check.verdict === 'fail').map((check) => check.column));
  const usable = columns.filter((column) => !broken.has(column.name));
  const rules: Rule[] = [
    ...contract.table.properties.flatMap((property, index) => {
      const column = usable.find(({ name }) => name === property.name);
      return column === undefined
        ? []
        : columnRules(request, property, column, [...contract.path, 'properties', index]);
    }),
    ...tableRules(request, usable),
  ];
  checks.push(...(await runRules(request, rules)));
  checks.push(...(await freshnessChecks(request, usable)));
  return checks.map((check) => ({ ...check, id: `${contract.table.name}.${check.id}` }));
}

const logical: Record<string, readonly ColumnType[]> = {
  string: ['string'],
  integer: ['integer'],
  number: ['number', 'integer'],
  boolean: ['boolean'],
  date: ['date'],
  timestamp: ['timestamp'],
  time: ['other'],
  object: ['other'],
  array: ['other'],
};

function schemaChecks(request: CheckRequest, columns: readonly Column[]): Check[] {
  const { contract } = request;
  const { properties } = contract.table;
  const unexpected = columns.filter(({ name }) => !properties.some((property) => property.name === name));
  const missing = properties.filter(({ name }) => !columns.some((column) => column.name === name));
  const renames = findRenames({
    missing: missing.map(({ name, logicalType }) => ({
      name,
      type: logical[logicalType ?? '']?.[0] ?? null,
    })),
    unexpected,
    current: request.blocks,
    baseline: request.baseline,
  });
  const checks = properties.map((property, index): Check => {
    const line = lineOf(contract, [...contract.path, 'properties', index, 'name']);
    const column = columns.find(({ name }) => name === property.name);
    const base = { column: property.name, rows: null, line };
    if (column !== undefined) return typeCheck(property, column, base);
    const rename = renames.find(({ from }) => from === property.name);
    return {
      ...base,
      id: `${property.name}.present`,
      rule: 'present',
      verdict: 'fail',
      observed: rename?.to ?? null,
      expected: property.name,
      message:
        rename === undefined
          ? `The column ${property.name} is missing.`
          : `The column ${property.name} looks renamed: ${property.name} → ${rename.to} (${rename.because}).`,
    };
  });
  for (const column of unexpected) {
    checks.push({
      id: `${column.name}.unexpected`,
      column: column.name,
      rule: 'unexpected',
      verdict: 'warn',
      observed: `${column.name} ${column.physicalType}`,
      expected: null,
      rows: null,
      message: `The column ${column.name} is not in the contract.`,
      line: lineOf(contract, [...contract.path, 'properties']),
    });
  }
  return checks;
}

function typeCheck(property: Property, column: Column, base: Pick<Check, 'column' | 'rows' | 'line'>): Check {
  const { logicalType, physicalType } = property;
  const fits =
    (logicalType === undefined || (logical[logicalType] ?? []).includes(column.type)) &&
    (physicalType === undefined || physicalType.toUpperCase() === column.physicalType.toUpperCase());
  const expected = [logicalType, physicalType].filter((type) => type !== undefined).join(', ') || 'any';
  return {
    ...base,
    id: `${property.name}.type`,
    rule: 'type',
    verdict: fits ? 'pass' : 'fail',
    observed: `${column.type}, ${column.physicalType}`,
    expected,
    message: fits
      ? `${property.name} is ${column.physicalType}.`
      : `The type of ${property.name} changed: it is ${column.type} (${column.physicalType}), the contract says ${expected}. Values are not converted.`,
  };
}

/** All counts in one statement; what needs one of its own has a `query`. */
async function runRules({ engine, view, contract }: CheckRequest, rules: readonly Rule[]): Promise<Check[]> {
  if (rules.length === 0) return [];
  const measured = rules.map((rule, index) => `(${rule.measure}) AS m${index}`).join(', ');
  const [row = {}] = await engine
    .rows(`SELECT count(*) AS n, ${measured} FROM ${identifier(view)}`)
    .catch((error: unknown) => {
      throw error instanceof UserError ? error : ruleInvalid(contract, error);
    });
  const checks: Check[] = [];
  for (const [index, { id, column, rule, judge, warning, path }] of rules.entries()) {
    const { holds, ...found } = await judge(Number(row[`m${index}`] ?? 0), Number(row.n));
    const verdict = holds ? 'pass' : warning ? 'warn' : 'fail';
    checks.push({ id, column, rule, verdict, ...found, line: lineOf(contract, path) });
  }
  return checks;
}

function ruleInvalid(contract: Contract, cause: unknown): UserError {
  const why = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
  return new UserError({
    code: 'contract_invalid',
    message: `A rule of the contract cannot be computed: ${why.slice(0, 300)}`,
    where: contract.locate(contract.path),
    fix: 'Look for a pattern that is not a valid regular expression (RE2), or a value of another type than its column.',
    cause,
  });
}

async function freshnessChecks(request: CheckRequest, columns: readonly Column[]): Promise<Check[]> {
  const checks: Check[] = [];
  for (const { column: name, limit, text, path } of request.contract.freshness) {
    const column = columns.find((each) => each.name === name);
    if (column === undefined) continue; // a missing column has failed already
    const at = asTimestamp(identifier(name), column.physicalType);
    const [row] = await request.engine.rows(`SELECT max(${at}) AS newest FROM ${identifier(request.view)}`);
    const newest = typeof row?.newest === 'string' ? row.newest : null;
    const age = newest === null ? null : instant(request.asOf) - instant(newest);
    const holds = age !== null && age <= limit;
    checks.push({
      id: `${name}.freshness`,
      column: name,
      rule: 'freshness',
      verdict: holds ? 'pass' : 'fail',
      observed: newest,
      expected: `at most ${text} before ${request.asOf}`,
      rows: null,
      message: holds
        ? `The newest row is of ${newest}.`
        : `The data are stale: the newest row is of ${newest ?? 'no time at all'}, ${age === null ? '' : `${told(age)} before ${request.asOf}; `}allowed are ${text}.`,
      line: lineOf(request.contract, path),
    });
  }
  return checks;
}

function told(milliseconds: number): string {
  const hours = milliseconds / 3_600_000;
  return hours >= 48 ? `${Math.round(hours / 24)} days` : `${Math.round(hours * 10) / 10} hours`;
}

function lineOf(contract: Contract, path: KeyPath): number | null {
  return contract.locate(path).line ?? null;
}
