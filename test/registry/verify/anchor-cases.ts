import { cpSync, rmSync } from 'node:fs';
import path from 'node:path';
import { type Anchor, type Answer, verify } from '../../../src/registry/verify.ts';
import { FileSystemStorage } from '../../../src/store/file-system.ts';
import { keys } from '../../../src/store/keys.ts';
import { model, openRegistry, registerVersions } from '../world.ts';
import { fillStore, holdAndFree, move, otherModel } from './specimen.ts';

export interface AnchorCase {
  what: string;
  /** With the anchor of the true log's newest entry, with those of entries 3 and newest, and with none. */
  one: Answer;
  two: Answer;
  none: Answer;
  expected: Answer;
  /** What can be known without an anchor, from the store alone. */
  without: Answer;
}

/** What an enemy or an accident does to a whole history, and what each anchor says of it. */
export async function tryAnchors(folder: string): Promise<AnchorCase[]> {
  const original = path.join(folder, 'original');
  const registry = await fillStore(original);
  const older = path.join(folder, 'older');
  cpSync(original, older, { recursive: true });
  await holdAndFree(registry, 'production', 6);
  const { seq, head } = await registry.state(model);
  const anchorAt = async (at: number): Promise<Anchor> => ({
    model,
    seq: at,
    sha256: (await registry.entry(model, at)).head,
  });
  const newest: Anchor = { model, seq, sha256: head! };
  const both = [await anchorAt(3), newest];
  const cases: AnchorCase[] = [];

  const add = async (
    what: string,
    expected: Answer,
    without: Answer,
    change: (copy: string) => void | Promise<void>,
    anchors: readonly Anchor[] = both,
  ) => {
    const copy = path.join(folder, `copy-${cases.length}`);
    cpSync(original, copy, { recursive: true });
    await change(copy);
    const ask = async (anchor: Anchor | readonly Anchor[] | null) =>
      (await verify(new FileSystemStorage(copy), { anchor, read_data: true })).answer;
    const [one, two, none] = [await ask(anchors.at(-1)!), await ask(anchors), await ask(null)];
    cases.push({ what, one, two, none, expected, without });
  };
  const cut = (copy: string, entries: number) => {
    for (let at = seq - entries + 1; at <= seq; at += 1) rmSync(path.join(copy, keys.log(model, at)));
  };
  const withoutHints = (copy: string) => rmSync(path.join(copy, 'heads'), { recursive: true });
  const replaceBy = (from: string, copy: string) => {
    rmSync(copy, { recursive: true });
    cpSync(from, copy, { recursive: true });
  };

  await add('untouched', 'sound', 'sound', () => undefined);
  await add('grown on since', 'sound', 'sound', (copy) => holdAndFree(openRegistry(copy), 'production', 3));
  for (const entries of [1, 10]) {
    await add(`last ${entries} cut off`, 'rolled_back', 'rolled_back', (copy) => cut(copy, entries));
    await add(`last ${entries} cut off, and the hints removed`, 'rolled_back', 'sound', (copy) => {
      cut(copy, entries);
      withoutHints(copy);
    });
  }
  await add('an older copy of the store', 'rolled_back', 'sound', (copy) => replaceBy(older, copy));
  await add('a fork: the older copy with another suffix', 'forked', 'sound', async (copy) => {
    replaceBy(older, copy);
    await holdAndFree(openRegistry(copy), 'staging', 8);
  });
  await add('the model replaced by another of its name, as long', 'forked', 'sound', async (copy) => {
    rmSync(copy, { recursive: true });
    const other = openRegistry(copy);
    await registerVersions(other, 4, { rows: 5 });
    await move(other, 1, 'staging');
    await holdAndFree(other, 'staging', 20);
  });
  await add(
    'a model removed, with its hint',
    'rolled_back',
    'sound',
    (copy) => {
      rmSync(path.join(copy, 'log', otherModel), { recursive: true });
      withoutHints(copy);
    },
    [await newestOf(original, otherModel)],
  );
  await add('an entry in the middle lost', 'damaged', 'damaged', (copy) =>
    rmSync(path.join(copy, keys.log(model, 5))),
  );
  await add('the whole store gone', 'unreachable', 'unreachable', (copy) =>
    rmSync(copy, { recursive: true }),
  );
  return cases;
}

async function newestOf(folder: string, name: string): Promise<Anchor> {
  const { seq, head } = await openRegistry(folder).state(name);
  return { model: name, seq, sha256: head! };
}

export function isRight({ one, two, none, expected, without }: AnchorCase): boolean {
  return one === expected && two === expected && none === without;
}
