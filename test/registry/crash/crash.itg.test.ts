import { describe, expect, it } from 'vitest';
import { injectEverywhere } from './injection.ts';
import { killAtRandomMoments } from './kills.ts';
import { overtakeAtCommit } from './overtaking.ts';
import { cutPower } from './power-cut.ts';
import { findingsWithBug, promotion, promotionAgain } from './proofs.ts';
import { noStrace } from './strace.ts';

// Short forms; `npm run chaos:registry -- crash` is the proof at full size.
const limit = { timeout: 300_000 };
const missing = noStrace();

describe('a process that is killed', () => {
  it(
    '[GOV-1] at random moments leaves a sound registry, all that was acknowledged, and work for the next',
    limit,
    async () => {
      const found = await killAtRandomMoments({ seed: 5, kills: 8, bug: null });
      expect(found).toMatchObject({ kills: 8, problems: [] });
      expect(found.acknowledged).toBeGreaterThan(0);
    },
  );
});

describe.skipIf(missing !== null)(`crashes at system calls (${missing ?? 'strace'})`, () => {
  it(
    '[GOV-1] killed at every sync and link of a promotion: nothing corrupt, nothing lost',
    limit,
    async () => {
      const kinds = ['fsync', 'fdatasync', 'link', 'linkat'];
      const found = await injectEverywhere({ subject: promotion, kinds, faults: ['SIGKILL'], bug: null });
      expect(found.problems).toEqual([]);
      // of its entry: the file, its name, and those of its folders
      expect(found.calls.fsync).toBeGreaterThanOrEqual(5);
      expect(found.killed).toBe(Object.values(found.calls).reduce((sum, count) => sum + count));
    },
  );

  it('a disk that is full at the link or a write of a promotion is told as such, exit 1', limit, async () => {
    const kinds = ['link', 'linkat', 'write'];
    const found = await injectEverywhere({ subject: promotion, kinds, faults: ['ENOSPC'], bug: null });
    // the entry's write and its link; without the hint it is done
    expect(found).toMatchObject({ faults: 3, refused: 2, done: 1, problems: [] });
  });

  it('the power cut at every moment of a promotion: every state of the disk is sound', limit, async () => {
    const found = await cutPower({ scenario: promotion, seed: 1, bug: null });
    expect(found.problems).toEqual([]);
    expect(found.distinct).toBeGreaterThan(5);
  });

  it('a promotion that a killed process began is told as done only once it is durable', limit, async () => {
    const found = await cutPower({ scenario: promotionAgain, seed: 1, bug: null });
    expect(found.problems).toEqual([]);
  });

  it('a process that is overtaken at its commit takes the next place', limit, async () => {
    expect(await overtakeAtCommit(null)).toEqual([]);
  });

  it.each(['folder-not-synced', 'replay-not-persisted'])('sees the seeded bug %s', limit, async (bug) => {
    expect(await findingsWithBug(bug)).not.toEqual([]);
  });
});
