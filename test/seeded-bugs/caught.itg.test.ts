import { describe, expect, it } from 'vitest';
import { seededBugs } from './bugs.ts';
import { findingsBy, findingsOf } from './proofs.ts';

// The cheap ones; `npm run chaos:registry -- seeded-bugs` runs all.
const cheap = ['anchor-hash-ignored', 'op-id-ignored', 'listing-for-truth'];
const limit = { timeout: 120_000 };

describe('a seeded bug is seen by its proof', () => {
  it.each(seededBugs.filter(({ name }) => cheap.includes(name)))('$name', limit, async (bug) => {
    expect(await findingsOf(bug)).not.toEqual([]);
  });

  it('and without a bug there is nothing to see', limit, async () => {
    expect(await findingsBy('moves', null)).toEqual([]);
  });
});
