import { UserError } from '../errors.ts';
import type { FeatureColumn } from './definition.ts';
import { identifier, type SqlEngine, type Value } from './engine.ts';

export interface FeatureDifference {
  feature: string;
  /** Rows whose values differ. */
  differing: number;
  /** Largest absolute difference of two numbers; null when a value stands against none, and for text. */
  largest: number | null;
  /** The row with the largest difference, and its two values. */
  key: Value;
  left: Value;
  right: Value;
}

export interface Comparison {
  /** Rows that both sides have. */
  rows: number;
  only_left: number;
  only_right: number;
  /** Features that differ, most differing rows first. */
  differences: FeatureDifference[];
}

export interface CompareRequest {
  engine: SqlEngine;
  /** Two tables or views with the key and the features. */
  left: string;
  right: string;
  key: string;
  features: readonly Pick<FeatureColumn, 'name' | 'type'>[];
  /** Numbers differ when |l − r| > tolerance · max(1, |l|, |r|). 0: every bit counts. */
  tolerance?: number;
}

/** Compares feature values of the same rows, joined by key: one statement. */
export async function compareFeatures(request: CompareRequest): Promise<Comparison> {
  const { engine, features, tolerance = 0 } = request;
  const key = identifier(request.key);
  const selected = features.flatMap(({ name, type }, index) => {
    const [left, right] = [`l.${identifier(name)}`, `r.${identifier(name)}`];
    const numeric = type === 'integer' || type === 'number';
    const near = `coalesce(abs(${left} - ${right}) <= ${tolerance} * greatest(1, abs(${left}), abs(${right})), false)`;
    const differs = `(l.${key} IS NOT NULL AND r.${key} IS NOT NULL AND ${left} IS DISTINCT FROM ${right}${
      numeric && tolerance > 0 ? ` AND NOT ${near}` : ''
    })`;
    const size = numeric ? `coalesce(abs(${left} - ${right}), CAST('inf' AS DOUBLE))` : '1';
    // ties are broken by the key, so that the example is the same in every run
    const worst = (value: string) =>
      `arg_max(${value}, (${size}, CAST(l.${key} AS VARCHAR))) FILTER (${differs})`;
    return [
      `count(*) FILTER (${differs}) AS n${index}`,
      `max(${size}) FILTER (${differs}) AS s${index}`,
      `${worst(`l.${key}`)} AS k${index}`,
      `${worst(`coalesce(CAST(${left} AS VARCHAR), '')`)} AS a${index}`,
      `${worst(`coalesce(CAST(${right} AS VARCHAR), '')`)} AS b${index}`,
    ];
  });
  const [row = {}] = await engine.rows(
    `SELECT ${[
      `count(*) FILTER (l.${key} IS NOT NULL AND r.${key} IS NOT NULL) AS n`,
      `count(*) FILTER (r.${key} IS NULL) AS only_left`,
      `count(*) FILTER (l.${key} IS NULL) AS only_right`,
      ...selected,
    ].join(', ')}
     FROM ${identifier(request.left)} l FULL JOIN ${identifier(request.right)} r ON l.${key} = r.${key}`,
  );
  const differences = features.flatMap(({ name, type }, index): FeatureDifference[] => {
    const differing = Number(row[`n${index}`] ?? 0);
    if (differing === 0) return [];
    const size = row[`s${index}`];
    const comparable = type === 'integer' || type === 'number';
    const value = (text: Value | undefined): Value => {
      if (text === '' || text === undefined) return null;
      return comparable ? Number(text) : text;
    };
    return [
      {
        feature: name,
        differing,
        largest: comparable && typeof size === 'number' && Number.isFinite(size) ? size : null,
        key: row[`k${index}`] ?? null,
        left: value(row[`a${index}`]),
        right: value(row[`b${index}`]),
      },
    ];
  });
  return {
    rows: Number(row.n),
    only_left: Number(row.only_left),
    only_right: Number(row.only_right),
    differences: differences.toSorted((a, b) => b.differing - a.differing),
  };
}

export interface SkewRequest {
  engine: SqlEngine;
  /** Table or view with the features that were served, and the one computed again from the same raw rows. */
  logged: string;
  recomputed: string;
  key: string;
  features: readonly Pick<FeatureColumn, 'name' | 'type'>[];
}

/**
 * Compares served feature values with those that training's definition gives, bit by bit. `left` is what was
 * logged, `right` what was recomputed.
 */
export async function featureSkew(request: SkewRequest): Promise<Comparison> {
  const { engine, logged, recomputed, key, features } = request;
  return compareFeatures({ engine, left: logged, right: recomputed, key, features });
}

/** Throws `feature_skew` naming the worst feature and its largest difference; does nothing without skew. */
export function assertNoSkew(comparison: Comparison): void {
  const [worst] = comparison.differences;
  if (worst === undefined) return;
  const size = worst.largest === null ? '' : `, by up to ${worst.largest}`;
  throw new UserError({
    code: 'feature_skew',
    message: `Training and serving differ in ${worst.feature}: ${worst.differing} of ${comparison.rows} rows${size}; row ${String(worst.key)} was served ${String(worst.left)}, training has ${String(worst.right)}.`,
    where: `feature ${worst.feature}`,
    fix: 'Serve the feature from the same SQL as training, and compare the raw values of that row.',
  });
}
