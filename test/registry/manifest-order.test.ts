import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sha256 } from '../../src/json.ts';
import { referrersFirst } from '../../src/registry/manifest-order.ts';

it('orders manifests so that each comes before what it names', () => {
  const edges = fc.array(fc.tuple(fc.nat(14), fc.nat(14)), { maxLength: 60 });
  fc.assert(
    fc.property(edges, fc.shuffledSubarray([...Array(15).keys()]), (pairs, chosen) => {
      const digestOf = (index: number) => sha256(`${index}`);
      const names = new Map<string, string[]>();
      for (const [one, other] of pairs) {
        // hashes form no circle
        if (one < other) names.set(digestOf(one), [...(names.get(digestOf(one)) ?? []), digestOf(other)]);
      }
      const digests = chosen.map(digestOf);
      const order = referrersFirst(digests, (digest) => names.get(digest) ?? []);
      expect(order.toSorted()).toEqual(digests.toSorted());
      for (const [index, digest] of order.entries()) {
        for (const name of names.get(digest) ?? []) {
          if (order.includes(name)) expect(order.indexOf(name)).toBeGreaterThan(index);
        }
      }
    }),
    { seed: 5, numRuns: 200 },
  );
});
