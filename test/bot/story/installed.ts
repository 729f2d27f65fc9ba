import { cp, mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { root } from '../../actions/job.ts';

/** The command line as an installed package has it: it finds no sources, and runs what was built. */
export async function installedCommand(home: string): Promise<string> {
  const folder = path.join(home, 'package');
  await mkdir(folder);
  for (const name of ['package.json', 'bin'])
    await cp(path.join(root, name), path.join(folder, name), { recursive: true });
  await symlink(path.join(root, 'dist'), path.join(folder, 'dist'));
  return path.join(folder, 'bin/modelgate.js');
}
