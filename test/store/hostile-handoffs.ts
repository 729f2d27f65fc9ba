import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../../src/errors.ts';
import { FileSystemStorage } from '../../src/store/file-system.ts';
import { packClosure, unpackClosure } from '../../src/store/handoff.ts';
import { Store } from '../../src/store/store.ts';
import { storeRun } from '../registry/runs.ts';
import { replacements } from './hostile-links.ts';

export interface HandoffTally {
  handoffs: number;
  refused: number;
  problems: string[];
}

const secret = 'nobody reads or changes this';

/**
 * Hand-offs in which links, pipes and folders stand where files belong. Each is refused or taken over as it was
 * packed: never with what stands outside of it.
 */
export async function tryHandoffs(jail: string): Promise<HandoffTally> {
  const source = new Store(new FileSystemStorage(path.join(jail, 'source')));
  const packed = path.join(jail, 'packed');
  const root = await storeRun(source);
  await packClosure(source, [root], packed);
  const [object] = readdirSync(path.join(packed, 'objects'));
  const places = ['.', 'handoff.json', 'objects', 'manifests', `objects/${object}`, `manifests/${root}`];
  const tally: HandoffTally = { handoffs: 0, refused: 0, problems: [] };
  for (const place of places) {
    for (const [what, replace] of Object.entries(replacements)) {
      const home = path.join(jail, `case-${tally.handoffs}`);
      const [folder, outside] = [path.join(home, 'handoff'), path.join(home, 'outside')];
      cpSync(packed, folder, { recursive: true });
      mkdirSync(outside);
      writeFileSync(path.join(outside, 'secret'), secret);
      // where a link to a folder leads, all that the hand-off names is there
      if (['objects', 'manifests'].includes(place))
        cpSync(path.join(packed, place), outside, { recursive: true });
      const before = readdirSync(outside).join();
      rmSync(path.join(folder, place), { recursive: true });
      replace({ place: path.join(folder, place), outside, inside: path.join(packed, 'handoff.json') });
      tally.handoffs += 1;
      const target = path.join(home, 'target');
      try {
        await unpackClosure(new Store(new FileSystemStorage(target)), folder);
        tally.problems.push(`${place}, ${what}: taken over`);
      } catch (error) {
        tally.refused += 1;
        if (!(error instanceof UserError)) tally.problems.push(`${place}, ${what}: ${String(error)}`);
      }
      if (readdirSync(outside).join() !== before) tally.problems.push(`${place}, ${what}: it wrote outside`);
      if (holds(target, secret)) tally.problems.push(`${place}, ${what}: took over what stands outside`);
      rmSync(home, { recursive: true });
    }
  }
  return tally;
}

function holds(folder: string, text: string): boolean {
  if (!existsSync(folder)) return false;
  const found = readdirSync(folder, { recursive: true, withFileTypes: true });
  return found.some(
    (one) => one.isFile() && readFileSync(path.join(one.parentPath, one.name), 'utf8').includes(text),
  );
}
