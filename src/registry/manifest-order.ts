import type { Digest } from '../json.ts';

/**
 * These digests, each before those of them that it names: nothing that is removed in this order leaves a manifest
 * without what it names, nor does anything that is written in the reverse order. Hashes form no circle.
 */
export function referrersFirst(
  digests: readonly Digest[],
  namesOf: (digest: Digest) => Iterable<Digest>,
): Digest[] {
  const within = new Set(digests);
  const entered = new Set<Digest>();
  const order: Digest[] = [];
  for (const root of digests) {
    const stack = [{ digest: root, done: false }];
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      if (top.done) {
        order.push(top.digest);
        continue;
      }
      if (entered.has(top.digest)) continue;
      entered.add(top.digest);
      stack.push({ digest: top.digest, done: true });
      for (const name of namesOf(top.digest)) if (within.has(name)) stack.push({ digest: name, done: false });
    }
  }
  return order.reverse();
}
