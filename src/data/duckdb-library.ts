import type * as DuckDb from '@duckdb/node-api';
import type DuckDbBindings from '@duckdb/node-bindings';
import { importNative } from '../native.ts';

/** Where the bundle's copy of @duckdb/node-api takes its compiled part from: scripts/stand-in-plugin.ts writes it so. */
const slot = Symbol.for('modelgate.duckdb-bindings');

export type Bindings = typeof DuckDbBindings;

/**
 * DuckDB's JavaScript, which is bundled (its two hundred files take longer to find than to run), over its compiled
 * part, which can't be. Throws as `importNative` does.
 */
export async function importDuckDb(): Promise<{ library: typeof DuckDb; bindings: Bindings }> {
  // its allocator keeps what was freed for each thread apart; Node runs one query after the other on four of them
  process.env.DUCKDB_JE_MALLOC_CONF ??= 'narenas:1';
  const module: { default?: Bindings } & Bindings = await importNative('@duckdb/node-bindings');
  const bindings = module.default ?? module;
  (globalThis as Record<symbol, unknown>)[slot] = bindings;
  return { library: await import('@duckdb/node-api'), bindings };
}
