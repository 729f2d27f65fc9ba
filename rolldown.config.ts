import path from 'node:path';
import { defineConfig } from 'rolldown';
import { assetPlugin } from './scripts/asset-plugin.ts';
import { bundleEntries } from './scripts/bundles.ts';

const root = import.meta.dirname;
const entries = bundleEntries(root);

/** See docs/decisions/0004-bundles.md. */
export default defineConfig({
  cwd: root,
  input: Object.fromEntries(Object.entries(entries).map(([name, module]) => [name, path.join(root, module)])),
  platform: 'node',
  // Compiled code can't be bundled: these are looked up in node_modules at run time (src/native.ts). So is Probot,
  // which only the bot loads: it starts workers from files of its own. And pg, for the bot alone as well.
  external: [/^onnxruntime-(node|common)/, /^@duckdb\//, 'probot', 'pg'],
  plugins: [
    assetPlugin({
      root,
      entries: Object.fromEntries(Object.entries(entries).map(([name, module]) => [module, `${name}.js`])),
    }),
  ],
  transform: { target: 'node24' },
  output: {
    dir: path.join(root, 'dist'),
    format: 'esm',
    minify: true,
    sourcemap: true,
    // One flat folder, so that the lookup of files beside a module is the same in every chunk.
    entryFileNames: '[name].js',
    chunkFileNames: 'chunk-[hash].js',
  },
});
