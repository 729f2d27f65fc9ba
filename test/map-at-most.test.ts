import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { mapAtMost } from '../src/map-at-most.ts';

it('gives the results in order, and never does more at once', async () => {
  const plans = fc.record({
    turns: fc.array(fc.nat(4), { maxLength: 20 }),
    atOnce: fc.integer({ min: 1, max: 6 }),
  });
  await fc.assert(
    fc.asyncProperty(plans, async ({ turns, atOnce }) => {
      let [running, most] = [0, 0];
      const results = await mapAtMost([...turns.keys()], atOnce, async (item) => {
        most = Math.max(most, ++running);
        for (let left = turns[item] as number; left > 0; left--) await turn();
        running--;
        return item * 2;
      });
      expect(results).toEqual(turns.map((_, item) => item * 2));
      expect(most).toBeLessThanOrEqual(atOnce);
    }),
    { numRuns: 50 },
  );
});

it('begins nothing more once something failed', async () => {
  const begun: number[] = [];
  const failing = mapAtMost([0, 1, 2, 3, 4, 5], 2, async (item) => {
    begun.push(item);
    await turn();
    if (item === 1) throw new Error('one failed');
  });
  await expect(failing).rejects.toThrow('one failed');
  await turn();
  expect(begun.length).toBeLessThan(5);
});
