import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { bundleInto } from './bundle.ts';

const root = path.join(import.meta.dirname, '..');
const output = path.join(root, 'dist');

/** Makes dist/ anew. The old one stands until the new one is whole. */
async function main(): Promise<void> {
  const started = performance.now();
  const staging = path.join(root, 'node_modules', `.modelgate-dist-${process.pid}`);
  try {
    const { files, bytes } = await bundleInto(staging);
    await rm(output, { recursive: true, force: true });
    await rename(staging, output);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    process.stdout.write(`dist/: ${files} files, ${Math.round(bytes / 1000)} kB of code, ${seconds} s\n`);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

await main();
