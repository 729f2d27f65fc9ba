import type { Subject } from './injection.ts';
import { injectEverywhere } from './injection.ts';
import { overtakeAtCommit } from './overtaking.ts';
import { cutPower, type Scenario } from './power-cut.ts';

/** One version is in both environments, a second one is registered: what follows is a promotion. */
const before = ['cycle:1', 'register:2'];
const promote = ['promote:2:staging:the-promotion'];

export const promotion: Subject & Scenario = { name: 'a promotion', before, steps: promote };
export const commandLine: Subject = { ...promotion, name: 'a promotion by the command line', cli: true };
/** All of it, folders included. */
export const firstCycle: Subject & Scenario = { name: 'a new store', before: [], steps: ['cycle:1'] };
export const cycle: Scenario = { name: 'a cycle', before: ['cycle:1'], steps: ['cycle:2'] };
export const promotionAgain: Scenario = {
  ...promotion,
  name: 'a promotion, killed after its link and repeated',
  killedAfterLink: 1,
};
/** So often a new store's first cycle links: each is a place to be killed at. */
export const cycleAgain = (link: number): Scenario => ({
  ...firstCycle,
  name: `a new store, killed after link ${link} and repeated`,
  killedAfterLink: link,
});

/** The proof that must see each seeded bug of this area: it gives what went wrong. */
export const proofs: Record<string, (bug: string) => Promise<readonly string[]>> = {
  'commit-by-rename': overtakeAtCommit,
  'commit-on-final-name': powerCut(promotion),
  'entry-not-synced': powerCut(promotion),
  'folder-not-synced': powerCut(promotion),
  'objects-not-synced': powerCut(firstCycle),
  'new-folders-not-synced': powerCut(firstCycle),
  'parents-not-synced': powerCut(firstCycle),
  'replay-not-persisted': powerCut(promotionAgain),
  'existing-not-synced': powerCut(cycleAgain(1)),
  'sync-error-swallowed': injection('fsync', 'EIO'),
  'folder-sync-error-swallowed': injection('fsync', 'EIO'),
  'link-error-taken-as-success': injection('link', 'EIO'),
  'hint-before-commit': injection('link', 'SIGKILL'),
};

/** What the proof of a seeded bug found wrong; nothing when the bug went unnoticed. */
export async function findingsWithBug(bug: string): Promise<readonly string[]> {
  const proof = proofs[bug];
  if (proof === undefined) throw new Error(`no crash proof is named for the seeded bug ${bug}`);
  return proof(bug);
}

function powerCut(scenario: Scenario) {
  return async (bug: string) => (await cutPower({ scenario, seed: 1, bug, firstProblemOnly: true })).problems;
}

function injection(kind: 'fsync' | 'link', fault: 'SIGKILL' | 'EIO') {
  const options = { subject: promotion, kinds: [kind], faults: [fault], firstProblemOnly: true } as const;
  return async (bug: string) => (await injectEverywhere({ ...options, bug })).problems;
}
