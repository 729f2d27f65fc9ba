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
          test: /node_modules[\\/]zod[\\/]|src[\\/](codes|errors|lazy-schema|native|visible|zod-interpreted|evaluation[\\/](admission-policy|onnx-operators))\.ts$/,
          priority: 1,
        },
        // What every action needs is one file: looking up thirty takes longer than reading one.
        { name: 'common', minShareCount: actionNames.length + 1 },
        // The small modules that reports are made of: shared by different stages each, they would be a file
        // each.
        {
          name: 'figures',
          test: /src[\\/](report[\\/](commas|html|markdown|plain|scale|style|svg|svg-distribution|svg-frame|text-width)|gate[\\/](behaviour|check|checks[\\/]evaluation-set|equal-rows|numbers|release|slice-rows)|stats[\\/](binomial-sample|discrete|distributions|multiplicity|proportion|random|sorted|special|undefined)|store[\\/](lineage|package-changes)|data[\\/]engine)\.ts$/,
        },
        // What every stage of the pipeline needs.
        {
          name: 'pipeline',
          test: /src[\\/](stages[\\/](pipeline|config-inputs|scan-files|gate-history|commands[\\/](pipeline|scan-option))|data[\\/](contract|personal|threshold)|gate[\\/](golden-cases|scans[\\/]missing))\.ts$/,
        },
        // What the gate loads while its SQL engine starts.
        {
          name: 'judgement',
          test: /src[\\/](stages[\\/]gate-(judgement|result)|gate[\\/](aggregate-(metric|sql)|changes|comparable-columns|leakage(-tables)?|near-duplicates|row-tokens|checks[\\/](?!scans)[a-z-]+|decide|evidence|fairness-rates|(html|markdown)[\\/][a-z-]+|judge|metrics|noise|own-metrics|personal|plots|report-(html|markdown)|scan-table|scores|slice-columns|unseen-candidate|view)|stats[\\/](calibration-error|classification|compare-(classes|metric)|deciding-bounds|delong|influence|losses|mcnemar|ndcg|bootstrap|paired-(bootstrap|estimate|mean|ratio)|ratio|tango|unit-spread|unseen))\.ts$/,
        },
      ],
    },
  },
});
