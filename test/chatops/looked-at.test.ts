import { describe, expect, it } from 'vitest';
import type { Review } from '../../src/github/port.ts';
import { model, pull, ready, sha, type World } from './world.ts';

/** Version 2 runs in staging, and waits for production. */
async function staged(): Promise<World & { digest: string }> {
  const world = await ready();
  await world.say('max', '/promote to staging');
  await world.work();
  return world;
}
const approved = (user: string, commit = sha('1')): Review => ({ user, state: 'approved', commit });
const objected = (user: string): Review => ({ user, state: 'changes_requested', commit: sha('1') });
const socks = (count: number, word: typeof approved | typeof objected) =>
  Array.from({ length: count }, (_, at) => word(`sock${at}`));

describe('[GAT-4] the checks of a commit', () => {
  it.each([
    ['a red gate', ['modelgate/gate'], [], 'started'],
    ['a red gate of the model', [`modelgate/gate (${model})`], [], 'started'],
    ['a red gate and tests that still run', ['modelgate/gate'], ['ci'], 'checks_not_green'],
    ['a red gate and red tests', ['modelgate/gate', 'ci'], [], 'checks_not_green'],
    ['a red gate of another model', ['modelgate/gate (diamonds)'], [], 'checks_not_green'],
  ])('with %s', async (_, failed, pending, reason) => {
    const world = await ready();
    world.github.checks.set(sha('1'), { state: 'failure', failed, pending });
    expect(await world.say('max', '/promote to staging')).toMatchObject({ reason });
  });

  it('says what is waited for', async () => {
    const world = await ready();
    world.github.checks.set(sha('1'), { state: 'failure', failed: ['modelgate/gate'], pending: ['ci'] });
    const { checks } = await world.say('max', '/promote to staging');
    expect(checks.find(({ name }) => name === 'checks')).toMatchObject({
      ...{ ok: false, detail: 'Some have not ended.' },
    });
  });
});

describe('[GAT-6] the reviews of a commit', () => {
  it.each([
    [
      'an objection behind thirty approvals',
      [approved('wil'), ...socks(29, approved), objected('lead')],
      /^lead asked/,
    ],
    ['an approval before one by the same objector', [approved('wil'), objected('lead')], /^lead asked/],
    ['more objections than are asked about', [approved('wil'), ...socks(31, objected)], /^31 people ask/],
    ['approvals of strangers alone', socks(40, approved), /^0 of 1$/],
  ])('refuse: %s', async (_, words, said) => {
    const world = await staged();
    world.github.roles.set('lead', 'admin');
    world.github.reviewsOf.set(pull, words);
    const line = `/promote to production --confirm=${world.digest}`;
    const result = await world.say('max', line);
    expect(result).toMatchObject({ decision: 'refused', reason: 'not_reviewed' });
    const [reviews] = result.checks.filter(({ name }) => name === 'reviews');
    expect(reviews?.detail).toMatch(said);
  });

  it('are not outweighed by objections of people who may not write', async () => {
    const world = await staged();
    world.github.reviewsOf.set(pull, [...socks(20, objected), approved('wil')]);
    const line = `/promote to production --confirm=${world.digest}`;
    expect(await world.say('max', line)).toMatchObject({ reason: 'started' });
  });
});

describe('[GAT-6] a version of a merged pull request, in an issue', () => {
  const issue = 50;
  /** Commit 1 was refused, commit 4 reviewed and merged as commit 5; version 2 is of commit 1. */
  async function merged(change: { headSha?: string; mergeCommit?: string; reviews?: Review[] } = {}) {
    const world = await staged();
    const { headSha = sha('4'), mergeCommit = sha('5'), reviews = [approved('wil', headSha)] } = change;
    world.change({ headSha, mergeCommit, state: 'closed', merged: true });
    world.github.reviewsOf.set(pull, reviews);
    // GitHub names a pull request for every commit of it
    world.github.pullRequestsOf = async () => [world.github.pulls.get(pull)!];
    return world.say('max', `/promote ${model}@2 to production --confirm=${world.digest}`, issue);
  }

  it('is refused where its commit is an earlier one, which nobody has approved', async () => {
    expect(await merged()).toMatchObject({ decision: 'refused', reason: 'not_reviewed' });
  });

  it.each([
    ['the head that was merged', { headSha: sha('1') }],
    ['what it became on the default branch', { mergeCommit: sha('1') }],
    ['an earlier commit with a review of its own', { reviews: [approved('wil')] }],
  ])('is taken where its commit is %s', async (_, change) => {
    expect(await merged(change)).toMatchObject({ reason: 'started' });
  });
});
