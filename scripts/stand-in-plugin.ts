import type { Plugin } from 'rolldown';

/** Modules of libraries that the bundle replaces: what asks for them gets this code. */
const standIns: Readonly<Record<string, string>> = {
  // The compiled part of @duckdb/node-api: src/data/duckdb-library.ts has put it there.
  '@duckdb/node-bindings': "module.exports = globalThis[Symbol.for('modelgate.duckdb-bindings')];",
  // @actions/artifact unpacks with it unless told not to, as actions/artifacts.ts does. One of its parts has no licence.
  'unzip-stream':
    "module.exports = { Extract() { throw new Error('archives are unpacked by ModelGate'); } };",
};

export function standInPlugin(): Plugin {
  const prefix = '\0modelgate-stand-in:';
  return {
    name: 'modelgate-stand-ins',
    resolveId(source, importer) {
      return source in standIns && importer?.includes('node_modules') ? `${prefix}${source}.cjs` : null;
    },
    load(module) {
      return module.startsWith(prefix)
        ? (standIns[module.slice(prefix.length).replace(/\.cjs$/, '')] ?? null)
        : null;
    },
  };
}
