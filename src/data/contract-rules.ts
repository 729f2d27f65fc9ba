import type { KeyPath } from '../yaml.ts';
import type { Property, Quality } from './contract.ts';
import type { Check, CheckRequest } from './contract-check.ts';
import { type Column, identifier, literal } from './engine.ts';
import { distributionDistance } from './rename.ts';
import { type Threshold, thresholds } from './threshold.ts';

/** A rule of the contract: a number that SQL counts, and what it means. */
export interface Rule {
  id: string;
  column: string | null;
  rule: string;
  /** An aggregate over the batch. */
  measure: string;
  judge(measured: number, rows: number): Judgement | Promise<Judgement>;
  warning: boolean;
  path: KeyPath;
}

type Judgement = Pick<Check, 'observed' | 'expected' | 'rows' | 'message'> & { holds: boolean };

/** The rules of one column that is there and has its type. */
export function columnRules(
  request: CheckRequest,
  property: Property,
  column: Column,
  path: KeyPath,
): Rule[] {
  const name = identifier(column.name);
  const rules: Rule[] = [];
  const none = (rule: string, measure: string, expected: string, at: string, what: string) =>
    rules.push({
      id: `${column.name}.${rule}`,
      column: column.name,
      rule,
      measure,
      warning: false,
      path: [...path, at],
      judge: (count) => ({
        holds: count === 0,
        observed: count,
        expected,
        rows: count,
        message: count === 0 ? `${column.name}: ${expected}.` : `${column.name} ${what} in ${count} rows.`,
      }),
    });
  if (property.required || property.primaryKey) {
    none(
      'required',
      `count(*) - count(${name})`,
      'no nulls',
      property.required ? 'required' : 'primaryKey',
      'is null',
    );
  }
  if (property.unique || property.primaryKey) {
    const at = property.unique ? 'unique' : 'primaryKey';
    none(
      'unique',
      `count(${name}) - count(DISTINCT ${name})`,
      'no value twice',
      at,
      'repeats an earlier value',
    );
  }
  const options = property.logicalTypeOptions ?? {};
  const numeric = column.type === 'integer' || column.type === 'number';
  const outside = numeric ? rangeCondition(name, options) : null;
  if (outside !== null) {
    none(
      'range',
      `count(*) FILTER (${outside.sql})`,
      outside.text,
      'logicalTypeOptions',
      `lies outside ${outside.text}`,
    );
  }
  if (options.pattern !== undefined && column.type === 'string') {
    const sql = `count(*) FILTER (NOT regexp_full_match(${name}, ${literal(options.pattern)}))`;
    none('pattern', sql, options.pattern, 'logicalTypeOptions', `does not match ${options.pattern}`);
  }
  property.quality.forEach((quality, index) => {
    const rule = qualityRule(request, quality, column, [...path, 'quality', index]);
    if (rule !== null) rules.push(rule);
  });
  return rules;
}

/** The rules of the table: number of rows, duplicate rows. */
export function tableRules(request: CheckRequest, columns: readonly Column[]): Rule[] {
  const { table, path } = request.contract;
  return table.quality.flatMap((quality, index): Rule[] => {
    const at = [...path, 'quality', index];
    if (quality.metric === 'rowCount') return [rowCount(quality, at)];
    if (quality.metric !== 'duplicateValues') return [];
    const keys =
      quality.arguments?.properties ?? columns.filter(({ type }) => type !== 'other').map(({ name }) => name);
    // a missing column has failed already
    if (!keys.every((key) => columns.some(({ name }) => name === key))) return [];
    const struct = `ROW(${keys.map(identifier).join(', ')})`;
    const of = quality.arguments?.properties === undefined ? 'whole rows' : keys.join(', ');
    return [
      counting(quality, at, {
        column: null,
        measure: `count(*) - count(DISTINCT ${struct})`,
        what: `rows repeat an earlier one (${of})`,
      }),
    ];
  });
}

function rowCount(quality: Quality, path: KeyPath): Rule {
  const threshold = thresholds(quality)[0] as Threshold;
  return {
    id: 'rowCount',
    column: null,
    rule: 'rowCount',
    measure: 'count(*)',
    warning: quality.severity === 'warning',
    path,
    judge: (count) => ({
      holds: threshold.holds(count),
      observed: count,
      expected: threshold.text,
      rows: count,
      message: threshold.holds(count)
        ? `${count} rows.`
        : `There are ${count} rows; expected ${threshold.text}.`,
    }),
  };
}

function qualityRule(request: CheckRequest, quality: Quality, column: Column, path: KeyPath): Rule | null {
  const name = identifier(column.name);
  const base = { column: column.name };
  switch (quality.metric) {
    case 'nullValues':
      return counting(quality, path, { ...base, measure: `count(*) - count(${name})`, what: 'are null' });
    case 'duplicateValues':
      return counting(quality, path, {
        ...base,
        measure: `count(${name}) - count(DISTINCT ${name})`,
        what: 'repeat an earlier value',
      });
    case 'invalidValues':
      return invalidValues(request, quality, column, path);
    case 'distinctValues':
      return distinctValues(request, quality, column, path);
    case 'distribution':
      return distribution(request, quality, column, path);
    default:
      return null;
  }
}

interface Counting {
  column: string | null;
  measure: string;
  /** What the counted rows do. */
  what: string;
  /** More words for a failure. */
  more?: () => Promise<string>;
}

/** A rule about a number of rows, or their share in percent. */
function counting(quality: Quality, path: KeyPath, { column, measure, what, more }: Counting): Rule {
  const threshold = thresholds(quality)[0] as Threshold;
  const rule = quality.metric ?? '';
  const percent = quality.unit === 'percent';
  return {
    id: column === null ? rule : `${column}.${rule}`,
    column,
    rule,
    measure,
    warning: quality.severity === 'warning',
    path,
    async judge(count, rows) {
      const observed = percent ? (rows === 0 ? 0 : (100 * count) / rows) : count;
      const holds = threshold.holds(observed);
      const unit = percent ? ' %' : '';
      const short = percent ? `${observed.toFixed(2)} %` : `${count}`;
      const of = percent ? ` (${count} of ${rows} rows)` : '';
      const extra = holds || more === undefined ? '' : await more();
      const subject = column === null ? '' : `${column}: `;
      return {
        holds,
        observed,
        expected: `${threshold.text}${unit}`,
        rows: count,
        message: `${subject}${short}${of} ${what}; ${holds ? 'allowed' : 'expected'}: ${threshold.text}${unit}.${extra}`,
      };
    },
  };
}

function invalidValues(request: CheckRequest, quality: Quality, column: Column, path: KeyPath): Rule {
  const text = `CAST(${identifier(column.name)} AS VARCHAR)`;
  const { validValues, pattern } = quality.arguments ?? {};
  const conditions = [
    ...(validValues === undefined
      ? []
      : [`${text} NOT IN (${validValues.map((value) => literal(String(value))).join(', ')})`]),
    ...(pattern === undefined ? [] : [`NOT regexp_full_match(${text}, ${literal(pattern)})`]),
  ];
  const invalid = conditions.join(' OR ');
  return counting(quality, path, {
    column: column.name,
    measure: `count(*) FILTER (${invalid})`,
    what: 'are not valid values',
    more: async () => {
      const rows = await request.engine.rows(
        `SELECT ${text} AS value, count(*) AS n FROM ${identifier(request.view)} WHERE ${invalid} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 10`,
      );
      return ` New: ${rows.map((row) => `${String(row.value).slice(0, 60)} (${String(row.n)})`).join(', ')}.`;
    },
  });
}

/** Cardinality, without null; a failure lists the values that the earlier batch did not have. */
function distinctValues(request: CheckRequest, quality: Quality, column: Column, path: KeyPath): Rule {
  return {
    ...counting({ ...quality, unit: 'rows' }, path, {
      column: column.name,
      measure: `count(DISTINCT ${identifier(column.name)})`,
      what: 'distinct values',
      more: async () => {
        const fresh = newCategories(request, column.name);
        return fresh.length === 0 ? '' : ` New: ${fresh.slice(0, 10).join(', ')}.`;
      },
    }),
  };
}

function newCategories({ blocks, baseline }: CheckRequest, name: string): string[] {
  const now = blocks.columns.find((column) => column.name === name);
  const before = baseline?.columns.find((column) => column.name === name);
  if (now?.kind !== 'category') return [];
  const known = new Set(before?.kind === 'category' ? before.categories : []);
  return now.categories.filter((category) => !known.has(category)).map((category) => category.slice(0, 60));
}

/** Jensen-Shannon distance (base 2) from the earlier batch; without one there is nothing to compare with. */
function distribution(request: CheckRequest, quality: Quality, column: Column, path: KeyPath): Rule {
  const threshold = thresholds(quality)[0] as Threshold;
  return {
    id: `${column.name}.distribution`,
    column: column.name,
    rule: 'distribution',
    measure: 'count(*)',
    warning: quality.severity === 'warning',
    path,
    judge() {
      const { baseline, blocks } = request;
      const side = (from: typeof blocks) => ({ blocks: from, column: column.name });
      const distance = baseline === null ? null : distributionDistance(side(baseline), side(blocks));
      const holds = distance === null || threshold.holds(distance);
      const rounded = distance === null ? null : Math.round(distance * 1e4) / 1e4;
      return {
        holds,
        observed: distance,
        expected: threshold.text,
        rows: null,
        message:
          distance === null
            ? `${column.name}: no earlier batch to compare the distribution with.`
            : `${column.name}: the distribution lies ${rounded} (Jensen-Shannon distance) from the earlier batch; ${holds ? 'allowed' : 'expected'}: ${threshold.text}.`,
      };
    },
  };
}

function rangeCondition(name: string, options: NonNullable<Property['logicalTypeOptions']>) {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = options;
  const value = `CAST(${name} AS DOUBLE)`;
  // NaN is neither inside nor outside of an interval in words, and outside here
  const conditions = [`isnan(${value})`];
  const words: string[] = [];
  if (minimum !== undefined) {
    conditions.push(`${value} ${exclusiveMinimum === true ? '<=' : '<'} ${minimum}`);
    words.push(`${exclusiveMinimum === true ? 'more than' : 'at least'} ${minimum}`);
  }
  if (maximum !== undefined) {
    conditions.push(`${value} ${exclusiveMaximum === true ? '>=' : '>'} ${maximum}`);
    words.push(`${exclusiveMaximum === true ? 'less than' : 'at most'} ${maximum}`);
  }
  return words.length === 0 ? null : { sql: conditions.join(' OR '), text: words.join(' and ') };
}
