import { appendFile, cp, mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { prepareSources, type SourceInputs } from '../../src/data/sources.ts';
import { sha256 } from '../../src/json.ts';
import { versionOf } from '../../src/polling/source-version.ts';
import { hashFile } from '../../src/store/store.ts';
import { temporaryFolder } from '../registry/world.ts';

const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/);
const files = fc.uniqueArray(fc.nat(50).map(String).map(sha256), { minLength: 1, maxLength: 8 });
const states = fc.uniqueArray(fc.tuple(name, files), {
  minLength: 1,
  maxLength: 5,
  selector: ([one]) => one,
});

const inputs = (state: readonly (readonly [string, readonly string[]])[], until: string | null = null) =>
  Object.fromEntries(
    state.map(([source, digests]) => [
      source,
      {
        files: [...digests],
        format: 'csv',
        time: until === null ? null : 'at',
        window: { from: null, until },
      },
    ]),
  ) satisfies SourceInputs;

describe('the version of the sources', () => {
  it('[TRG-4] does not hang on the order of sources and files, nor on window and time column', () => {
    fc.assert(
      fc.property(states, fc.infiniteStream(fc.nat()), (state, numbers) => {
        const shuffled = <T>(list: readonly T[]): T[] =>
          list
            .map((one) => [numbers.next().value, one] as const)
            .sort(([a], [b]) => a - b)
            .map(([, one]) => one);
        const other = shuffled(state).map(([source, digests]) => [source, shuffled(digests)] as const);
        expect(versionOf(inputs(other, '2026-01-01'))).toBe(versionOf(inputs(state)));
      }),
      { seed: 4 },
    );
  });

  it('[TRG-4] is another one for every other content of any source', () => {
    fc.assert(
      fc.property(states, states, (one, other) => {
        const canonical = (state: typeof one) =>
          JSON.stringify(state.map(([source, digests]) => [source, [...digests].sort()] as const).sort());
        expect(versionOf(inputs(one)) === versionOf(inputs(other))).toBe(canonical(one) === canonical(other));
      }),
      { seed: 5 },
    );
  });

  it('goes by the bytes of the files: a new name is nothing new, a new row and a new file are', async () => {
    const folder = path.join(temporaryFolder(), 'data');
    await mkdir(folder);
    const rows = path.join(folder, 'a.csv');
    await writeFile(rows, 'id\n1\n');
    const version = async () =>
      versionOf(
        await prepareSources({ sources: { rows: { file: '*.csv' } }, folder, store: { putFile: hashFile } }),
      );
    const first = await version();
    await rename(rows, path.join(folder, 'b.csv'));
    expect(await version()).toBe(first);
    await cp(path.join(folder, 'b.csv'), path.join(folder, 'copy.csv'));
    expect(await version()).toBe(first); // a file under two names is taken once
    await appendFile(path.join(folder, 'copy.csv'), '2\n');
    expect(await version()).not.toBe(first);
  });
});
