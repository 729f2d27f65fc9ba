import { z } from 'zod';
import { Features } from '../config/schema.ts';
import { UserError } from '../errors.ts';
import type { Column, ColumnType, SqlEngine } from './engine.ts';

/** What the columns of the feature SQL mean: `features` of modelgate.yaml without the SQL's path. */
export const FeatureDefinition = Features.omit({ sql: true });
export type FeatureDefinition = z.infer<typeof FeatureDefinition>;

/** When the values of a source can be known: SQL over its row. */
export const Known = z.strictObject({
  known: z.array(
    z.strictObject({ columns: z.array(z.string().min(1).max(128)), at: z.string().min(1).max(2000) }),
  ),
  known_at: z.string().min(1).max(2000).nullable(),
});
export type Known = z.infer<typeof Known>;

export type Role = 'key' | 'time' | 'label' | 'keep' | 'feature';

/** A column of `features.parquet`, in the file's order: key, time, label, kept columns, features. */
export const FeatureColumn = z.object({
  name: z.string(),
  type: z.enum(['boolean', 'integer', 'number', 'string', 'timestamp', 'date', 'other']),
  role: z.enum(['key', 'time', 'label', 'keep', 'feature']),
});
export type FeatureColumn = z.infer<typeof FeatureColumn>;

const featureTypes: readonly ColumnType[] = ['boolean', 'integer', 'number', 'string'];

/**
 * Gives each column of the feature SQL its role. Throws `feature_sql_failed` for a missing column, a type that
 * a model cannot take, or SQL that does not run; its line numbers are those of the file.
 */
export async function readColumns(
  engine: SqlEngine,
  sql: string,
  definition: FeatureDefinition,
): Promise<FeatureColumn[]> {
  const wrong = await engine.checkSelect(sql);
  if (wrong !== null) throw sqlFailed(wrong);
  const columns = await engine.describe(sql).catch((error: unknown) => {
    throw error instanceof UserError ? error : sqlFailed(error);
  });
  const role = roles(definition);
  for (const name of role.keys()) {
    if (columns.some((column) => column.name === name)) continue;
    throw new UserError({
      code: 'feature_sql_failed',
      message: `The feature SQL gives no column ${name} (the ${role.get(name)}); it gives ${columns.map((column) => column.name).join(', ')}.`,
      where: 'features.sql',
      fix: 'Add the column to the SELECT, or mend `features` in modelgate.yaml.',
    });
  }
  const named = columns.map(
    (column): FeatureColumn => ({
      name: column.name,
      type: checkedType(column, role.get(column.name) ?? 'feature'),
      role: role.get(column.name) ?? 'feature',
    }),
  );
  const order: Role[] = ['key', 'time', 'label', 'keep', 'feature'];
  const sorted = named.toSorted((a, b) => order.indexOf(a.role) - order.indexOf(b.role));
  if (sorted.some((column) => column.role === 'feature')) return sorted;
  throw new UserError({
    code: 'feature_sql_failed',
    message: 'The feature SQL gives no feature: every column is key, time, label or kept.',
    where: 'features.sql',
    fix: 'Add feature columns to the SELECT.',
  });
}

function roles(definition: FeatureDefinition): Map<string, Role> {
  const found = new Map<string, Role>();
  for (const name of definition.keep) found.set(name, 'keep');
  found.set(definition.label, 'label');
  if (definition.time !== undefined) found.set(definition.time, 'time');
  found.set(definition.key, 'key');
  return found;
}

function checkedType(column: Column, role: Role): ColumnType {
  if (role === 'time') return 'timestamp';
  if (role === 'label') return labelType(column);
  if (role !== 'feature' || featureTypes.includes(column.type)) return column.type;
  throw new UserError({
    code: 'feature_sql_failed',
    message: `The feature ${column.name} has the type ${column.physicalType}; a model takes numbers, text and booleans.`,
    where: 'features.sql',
    fix: 'Make a number of it (hour, age in days), or add it to `features.keep`.',
  });
}

function labelType(column: Column): ColumnType {
  if (column.type === 'boolean') return 'integer';
  if (column.type === 'integer' || column.type === 'number') return column.type;
  throw new UserError({
    code: 'label_invalid',
    message: `The label ${column.name} has the type ${column.physicalType}.`,
    where: 'features.sql',
    fix: 'Make it a boolean or 0/1 for classification, a number for regression.',
  });
}

/** The engine's words, with the place in the SQL where it gives one. */
export function sqlFailed(error: unknown): UserError {
  const message = error instanceof Error ? error.message : String(error);
  const line = /LINE (\d+):/.exec(message)?.[1];
  return new UserError({
    code: 'feature_sql_failed',
    message: `The feature SQL does not run: ${message.split('\n')[0]?.slice(0, 300)}`,
    where: line === undefined ? 'features.sql' : { file: 'features.sql', line: Number(line) },
    fix: 'Mend the SQL; the sources of modelgate.yaml are its tables.',
    cause: error,
  });
}
