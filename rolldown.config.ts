import path from 'node:path';
import { defineConfig } from 'rolldown';
import { actionNames } from './actions/names.ts';
import { assetPlugin } from './scripts/asset-plugin.ts';
import { bundleEntries } from './scripts/bundles.ts';
import { standInPlugin } from './scripts/stand-in-plugin.ts';

const root = import.meta.dirname;
const entries = bundleEntries(root);

/** See docs/decisions/0004-bundles.md. */
export default defineConfig({
  cwd: root,
  input: Object.fromEntries(Object.entries(entries).map(([name, module]) => [name, path.join(root, module)])),
  platform: 'node',
  // Compiled code can't be bundled: these are looked up in node_modules at run time (src/native.ts). So is Probot,
  // which only the bot loads: it starts workers from files of its own. And pg, for the bot alone as well.
  external: [/^onnxruntime-(node|common)/, 'probot', 'pg'],
  plugins: [
    standInPlugin(),
    assetPlugin({
      root,
      entries: Object.fromEntries(Object.entries(entries).map(([name, module]) => [module, `${name}.js`])),
    }),
  ],
  // yaml's other build is its sources as ES modules: what is not used of it is left out.
  resolve: { alias: { yaml: path.join(root, 'node_modules/yaml/browser/index.js') } },
  transform: { target: 'node24' },
  treeshake: {
    // @actions/core brings an HTTP client for OIDC tokens, which no action asks for: half of the start's code.
    moduleSideEffects: [
      { test: /node_modules[\\/](@actions[\\/](core|http-client|exec|io)|tunnel)[\\/]/, sideEffects: false },
    ],
  },
  output: {
    dir: path.join(root, 'dist'),
    format: 'esm',
    minify: true,
    sourcemap: true,
    // One flat folder, so that the lookup of files beside a module is the same in every chunk.
    entryFileNames: '[name].js',
    chunkFileNames: 'chunk-[hash].js',
    codeSplitting: {
      groups: [
        // What inference processes share with the actions stays apart from what only actions need.
        {
          name: 'basis',
          test: /node_modules[\\/]zod[\\/]|src[\\/](codes|errors|native|visible|zod-interpreted|evaluation[\\/](admission-policy|onnx-operators))\.ts$/,
          priority: 1,
        },
        // What every action needs is one file: looking up thirty takes longer than reading one.
        { name: 'common', minShareCount: actionNames.length + 1 },
        // So are the small modules that reports are made of: shared by different stages each, they would be a file each.
        {
          name: 'figures',
          test: /src[\\/](report[\\/](commas|html|markdown|plain|scale|style|svg|svg-distribution|svg-frame|text-width)|gate[\\/](check|equal-rows|numbers|slice-rows)|stats[\\/](discrete|distributions|multiplicity|proportion|random|special|undefined)|store[\\/]lineage|data[\\/]engine)\.ts$/,
        },
      ],
    },
  },
});
