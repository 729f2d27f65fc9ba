import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Path of a file that is started or read at run time and so cannot be bundled: a worker's entry, a Python
 * module. It lies beside the importing module (sources), or beside the bundle, or one folder above its
 * chunks. `MODELGATE_WORKER_DIR` names another folder for programs that bundle ModelGate themselves.
 *
 * @param base `import.meta.url` of the caller
 * @param name file name without a folder; `.ts` of the sources is looked for as `.js` in a bundle
 * @param folder folder beside the source in which it lies there
 */
export function assetPath(base: string, name: string, folder = ''): string {
  const built = name.replace(/\.ts$/, '.js');
  const override = process.env.MODELGATE_WORKER_DIR;
  const candidates =
    override === undefined
      ? [`./${folder}${name}`, `./${built}`, `../${built}`].map((path) => fileURLToPath(new URL(path, base)))
      : [join(override, built), join(override, name)];
  const found = candidates.find((path) => existsSync(path));
  if (found === undefined)
    throw new Error(`${name} is not beside the program: looked at ${candidates.join(', ')}`);
  return found;
}
