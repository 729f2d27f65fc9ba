import { type Column, identifier, type SqlEngine } from '../data/engine.ts';
import { UserError } from '../errors.ts';
import type { FeatureColumns, Signature } from './predictor.ts';

/** A feature as the model sees it: numbers, booleans and integers are all numbers to it. */
export interface FeatureType {
  name: string;
  type: 'string' | 'number';
}

/** The columns of a feature table that are not features. */
export interface Roles {
  key: string;
  time?: string | undefined;
  label: string;
  keep: readonly string[];
}

/** The features among the columns of a feature table: all but key, time, label and what is only kept. */
export function featureTypes(columns: readonly Column[], roles: Roles): FeatureType[] {
  const others = new Set([roles.key, roles.time, roles.label, ...roles.keep]);
  return columns
    .filter(({ name }) => !others.has(name))
    .map(({ name, type }) => ({ name, type: type === 'string' ? 'string' : 'number' }));
}

/** The SQL of a feature as every reader takes it: text or double. */
export function featureSql({ name, type }: FeatureType): string {
  return `CAST(${identifier(name)} AS ${type === 'string' ? 'VARCHAR' : 'DOUBLE'}) AS ${identifier(name)}`;
}

/**
 * The features that a model wants, from a view, in the order of `orderBy` (an SQL expression of ours).
 * Throws `model_signature` when one is missing.
 */
export async function readFeatureColumns(request: {
  engine: SqlEngine;
  view: string;
  signature: Signature;
  orderBy: string;
}): Promise<{ features: FeatureColumns; rows: number }> {
  const { engine, view, signature, orderBy } = request;
  const from = `FROM ${identifier(view)}`;
  const present = new Set((await engine.describe(`SELECT * ${from}`)).map((column) => column.name));
  const missing = signature.inputs.filter(({ name }) => !present.has(name));
  if (missing.length > 0) {
    const names = missing.slice(0, 8).map(({ name }) => JSON.stringify(name));
    throw new UserError({
      code: 'model_signature',
      message: `The model wants ${names.join(', ')}, which the features do not have.`,
      where: 'signature.json',
      fix: 'Give the feature SQL that the model was trained with.',
    });
  }
  const wanted = signature.inputs.map(({ name, type }) =>
    featureSql({ name, type: type === 'string' ? 'string' : 'number' }),
  );
  const vectors = await engine.columns(`SELECT ${wanted.join(', ')} ${from} ORDER BY ${orderBy}`);
  return {
    features: Object.fromEntries(vectors.map(({ name, values }) => [name, values])),
    rows: vectors[0]?.values.length ?? 0,
  };
}
