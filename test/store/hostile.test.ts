import { expect, it } from 'vitest';
import { temporaryFolder } from '../registry/world.ts';
import { tryArchives } from './hostile-archives.ts';
import { tryHandoffs } from './hostile-handoffs.ts';
import { tryLinks } from './hostile-links.ts';
import { tryNames } from './hostile-names.ts';

// The short forms of `npm run chaos:registry -- hostile`.
const limit = { timeout: 120_000 };

it('no hostile name leads out of the store, at any entrance', limit, async () => {
  const found = await tryNames({ jail: temporaryFolder(), count: 110, seed: 1 });
  expect(found.problems).toEqual([]);
  expect(found.tried).toBeGreaterThan(3000);
  // the plain ones among them are let in
  expect(found.accepted).toBeGreaterThan(100);
});

it('no crafted archive leaves its folder, or takes much time or memory', limit, async () => {
  const found = await tryArchives({ jail: temporaryFolder(), count: 60, seed: 1 });
  expect(found.problems).toEqual([]);
  expect(found.refused).toBeGreaterThan(40);
  expect(found.unpacked).toBeGreaterThan(5);
});

it('a hand-off with links, pipes or folders in it is refused', limit, async () => {
  const found = await tryHandoffs(temporaryFolder());
  expect(found.problems).toEqual([]);
  expect(found.refused).toBe(found.handoffs);
});

it(
  'links, pipes and folders in a store are refused or harmless, and nothing hangs on them',
  limit,
  async () => {
    const found = await tryLinks(temporaryFolder(), { every: 7 });
    expect(found.problems).toEqual([]);
    expect(found.cases).toBeGreaterThan(15);
    expect(found.refused).toBeGreaterThan(5);
  },
);
