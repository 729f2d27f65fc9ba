import { readdir, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { rolldown } from 'rolldown';
import config from '../rolldown.config.ts';
import { licences } from './licences.ts';

export interface Bundled {
  files: number;
  /** Bytes of JavaScript, source maps aside. */
  bytes: number;
}

/** Bundles actions, command line and workers into a folder, with the licences of what went in. */
export async function bundleInto(folder: string): Promise<Bundled> {
  if (Array.isArray(config) || Array.isArray(config.output) || config.output === undefined) {
    throw new Error('rolldown.config.ts holds one build with one output');
  }
  const bundle = await rolldown(config);
  const { output } = await bundle.write({ ...config.output, dir: folder });
  await bundle.close();
  const modules = output.flatMap((chunk) => (chunk.type === 'chunk' ? chunk.moduleIds : []));
  await writeFile(path.join(folder, 'LICENSES.txt'), await licences(modules));
  await writeFile(path.join(folder, 'package.json'), '{ "type": "module" }\n');
  const code = (await readdir(folder)).filter((file) => file.endsWith('.js'));
  const sizes = await Promise.all(code.map(async (file) => (await stat(path.join(folder, file))).size));
  return { files: output.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}
