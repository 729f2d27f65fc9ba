import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { rolldown } from 'rolldown';
import config from '../../rolldown.config.ts';

/** Bundles a module as actions and command line are (scripts/build.ts); gives the file to run. */
export async function bundled(module: string, folder: string): Promise<string> {
  if (Array.isArray(config) || Array.isArray(config.output))
    throw new Error('rolldown.config.ts holds one build');
  const bundle = await rolldown({ ...config, input: { main: module } });
  await bundle.write({ ...config.output, dir: folder });
  await bundle.close();
  await writeFile(path.join(folder, 'package.json'), '{ "type": "module" }\n');
  return path.join(folder, 'main.js');
}
