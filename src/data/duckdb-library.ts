import type * as DuckDb from '@duckdb/node-api';
import { importNative } from '../native.ts';

/** Where the bundle's copy of @duckdb/node-api takes its compiled part from: scripts/stand-in-plugin.ts writes it so. */
const slot = Symbol.for('modelgate.duckdb-bindings');

/**
 * DuckDB's JavaScript, which is bundled (its two hundred files take longer to find than to run), over its compiled
 * part, which can't be. Throws as `importNative` does.
 */
export async function importDuckDb(): Promise<typeof DuckDb> {
  const bindings: object & { default?: unknown } = await importNative('@duckdb/node-bindings');
  (globalThis as Record<symbol, unknown>)[slot] = bindings.default ?? bindings;
  return import('@duckdb/node-api');
}
