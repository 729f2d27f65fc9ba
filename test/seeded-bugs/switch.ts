/** For `node --import`: loads our modules with the bug that SEEDED_BUG names. Without the variable it does nothing. */
import { registerHooks } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { seededBugs } from './bugs.ts';

const name = process.env.SEEDED_BUG;
if (name !== undefined && name !== '') {
  const bug = seededBugs.find((one) => one.name === name);
  if (bug === undefined) throw new Error(`There is no seeded bug ${JSON.stringify(name)}.`);
  const module = pathToFileURL(path.resolve(import.meta.dirname, '../..', bug.file)).href;
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (url !== module || loaded.source == null) return loaded;
      const source = Buffer.from(loaded.source as Uint8Array).toString('utf8');
      if (source.split(bug.from).length !== 2)
        throw new Error(`Seeded bug ${bug.name}: its text stands not once in ${bug.file}.`);
      return { ...loaded, source: source.replace(bug.from, () => bug.to) };
    },
  });
}
