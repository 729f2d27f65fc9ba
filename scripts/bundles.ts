import { existsSync } from 'node:fs';
import { actionNames, eventActionNames } from '../actions/names.ts';

/** Modules that are started as a process or worker of their own: each is an entry in dist/. */
const processes: Readonly<Record<string, string>> = {
  'src/cli/main.ts': 'cli',
  'src/evaluation/onnxruntime-worker.ts': 'onnxruntime-worker',
};

/** Entries of the bundle: name in dist/ (without .js) → module, from the repository's root. */
export function bundleEntries(root: string): Record<string, string> {
  const entries: Record<string, string> = { stage: 'actions/stage/index.ts' };
  for (const name of [...actionNames, ...eventActionNames]) entries[name] = `actions/${name}/index.ts`;
  for (const [module, name] of Object.entries(processes)) {
    if (existsSync(`${root}/${module}`)) entries[name] = module;
  }
  return entries;
}
