import { readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { rolldown } from 'rolldown';
import config from '../rolldown.config.ts';
import { licences } from './licences.ts';

const root = path.join(import.meta.dirname, '..');
const output = path.join(root, 'dist');

/**
 * Bundles actions, command line and workers into dist/, with the licences of what went in. The old dist/ stands
 * until the new one is whole.
 */
async function main(): Promise<void> {
  const started = performance.now();
  if (Array.isArray(config) || Array.isArray(config.output) || config.output === undefined) {
    throw new Error('rolldown.config.ts holds one build with one output');
  }
  const staging = path.join(root, 'node_modules', `.modelgate-dist-${process.pid}`);
  try {
    const bundle = await rolldown(config);
    const { output: chunks } = await bundle.write({ ...config.output, dir: staging });
    await bundle.close();
    const modules = chunks.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []));
    await writeFile(path.join(staging, 'LICENSES.txt'), await licences(modules));
    await writeFile(path.join(staging, 'package.json'), '{ "type": "module" }\n');
    const bytes = await codeBytes(staging);
    await rm(output, { recursive: true, force: true });
    await rename(staging, output);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    process.stdout.write(
      `dist/: ${chunks.length} files, ${Math.round(bytes / 1000)} kB of code, ${seconds} s\n`,
    );
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

async function codeBytes(folder: string): Promise<number> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.js'));
  const sizes = await Promise.all(files.map(async (file) => (await stat(path.join(folder, file))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

await main();
