import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../../../src/json.ts';
import { exitCode } from '../../../src/outcome.ts';
import { verify } from '../../../src/registry/verify.ts';
import { isSampled } from '../../../src/registry/verify-sample.ts';
import { runStage } from '../../../src/stages/define.ts';
import { verify as verifyStage } from '../../../src/stages/verify.ts';
import { FileSystemStorage } from '../../../src/store/file-system.ts';
import { keys } from '../../../src/store/keys.ts';
import { contextOf, model, openRegistry, registerVersions, temporaryFolder } from '../world.ts';

const digests = Array.from({ length: 400 }, (_, n) => sha256(String(n)));

describe('a sample of the data', () => {
  it('is about its share, and seeds in a row read everything', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.02, max: 1, noNaN: true }), fc.nat(100_000), (share, first) => {
        const days = Math.ceil(1 / share);
        const read = new Set<string>();
        for (let seed = first; seed < first + days; seed += 1) {
          for (const digest of digests) if (isSampled(digest, { share, seed })) read.add(digest);
        }
        expect(read.size).toBe(digests.length);
        const one = digests.filter((digest) => isSampled(digest, { share, seed: first })).length;
        expect(Math.abs(one / digests.length - share)).toBeLessThan(0.15);
      }),
      { seed: 4, numRuns: 100 },
    );
  });

  it('finds a changed object on the day on which it is read, and says what it read', async () => {
    const folder = temporaryFolder();
    const registry = openRegistry(folder);
    await registerVersions(registry, 2);
    const orphan = await registry.store.putBytes(Buffer.from('of an unregistered run'));
    const file = join(folder, keys.object(orphan));
    const bytes = readFileSync(file);
    chmodSync(file, 0o644);
    writeFileSync(file, bytes.toString().toUpperCase());
    const found: number[] = [];
    let objects = 0;
    for (let seed = 0; seed < 4; seed += 1) {
      const sample = { share: 0.25, seed };
      const result = await verify(new FileSystemStorage(folder), { anchor: null, read_data: sample });
      expect(result.read).toMatchObject(sample);
      objects += result.read?.objects ?? 0;
      if (result.answer === 'damaged') found.push(seed);
    }
    expect(found).toEqual([0, 1, 2, 3].filter((seed) => isSampled(orphan, { share: 0.25, seed })));
    expect(found.length).toBeGreaterThan(0);
    const all = await verify(new FileSystemStorage(folder), { anchor: null, read_data: true });
    expect(all.read).toMatchObject({ share: 1, seed: null, objects: all.objects });
    expect(objects).toBeGreaterThanOrEqual(all.objects);
  });
});

describe('anchors', () => {
  it('may be several, of several models, and each says what it met', async () => {
    const context = contextOf(openRegistry(temporaryFolder()));
    await registerVersions(context.registry, 2);
    const at = async (seq: number) => `${seq}:${(await context.registry.entry(model, seq)).head}`;
    const check = async (anchors: string[]) => {
      const outcome = await runStage(verifyStage, { anchors }, context);
      const findings = outcome.outputs.anchors?.map(({ finding }) => finding) ?? [];
      return [outcome.outputs.answer, exitCode(outcome), findings.join(' ')];
    };
    const wrong = 'f'.repeat(64);
    expect(await check([await at(1), `${model}:${await at(4)}`])).toEqual(['sound', 0, 'held held']);
    expect(await check([await at(1), `5:${wrong}`])).toEqual(['rolled_back', 1, 'held gone']);
    expect(await check([`5:${wrong}`, `2:${wrong}`])).toEqual(['forked', 1, 'gone replaced']);
    expect(await check([`other:1:${wrong}`])).toEqual(['rolled_back', 1, 'gone']);
    expect(await check([await at(1), ''])).toEqual([undefined, 1, '']);
    expect(await check([`../x:1:${wrong}`])).toEqual([undefined, 1, '']);
    const plain = await runStage(verifyStage, {}, context);
    expect(plain.summary).toMatch(/Without an anchor, entries cut off .* would not be seen/);
  });
});
