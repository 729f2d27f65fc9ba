import { expect, it } from 'vitest';
import { temporaryFolder } from '../world.ts';
import { isRight, tryAnchors } from './anchor-cases.ts';
import { flipBits } from './bit-flips.ts';
import { mutations } from './mutations.ts';
import { surviveMutants } from './survival.ts';

// The short forms of `npm run chaos:registry -- verify`.

it('[GOV-1] reports single bit flips in objects, manifests and log entries with their key', {
  timeout: 120_000,
}, async () => {
  const { flips, places, unseen } = await flipBits({ folder: temporaryFolder(), count: 60, seed: 2 });
  expect(unseen).toEqual([]);
  expect(flips).toBe(60);
  expect(Object.keys(places).sort()).toEqual(['log', 'manifests', 'objects']);
});

it('[GOV-1] tells histories apart by their anchors', { timeout: 120_000 }, async () => {
  const cases = await tryAnchors(temporaryFolder());
  expect(cases.filter((one) => !isRight(one))).toEqual([]);
  expect(cases).toHaveLength(12);
});

it('neither crashes nor hangs for a spoilt registry', { timeout: 120_000 }, async () => {
  const count = Object.keys(mutations).length;
  const { failures, mutants, answers } = await surviveMutants({ folder: temporaryFolder(), count, seed: 3 });
  expect(failures).toEqual([]);
  expect(mutants).toBe(count);
  expect(answers.damaged).toBeGreaterThan(count / 2);
});
