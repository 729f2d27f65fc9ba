import { describe, expect, it } from 'vitest';
import { commentOf } from '../../actions/chatops-event.ts';
import { executeChatops } from '../../actions/execute-chatops.ts';
import { GitHubUnavailable } from '../../src/github/port.ts';
import { promote } from '../../src/rollout/move.ts';
import { model, pull, ready, type World } from '../chatops/world.ts';

const event = (change: object = {}, comment: object = {}) =>
  JSON.stringify({
    ...{ action: 'created', issue: { number: 7, pull_request: {} } },
    comment: {
      ...{ id: 5, body: '/status', user: { login: 'max', type: 'User' } },
      ...{ created_at: '2026-03-01T12:00:00Z', ...comment },
    },
    ...change,
  });
const read = (text: string) => commentOf({ name: 'issue_comment', text });

describe('the event of chatops.yml', () => {
  it('is a new comment of a person', () => {
    expect(read(event())).toMatchObject({ id: 5, body: '/status', author: 'max', isPullRequest: true });
    expect(read(event({ issue: { number: 7 } }))).toMatchObject({ isPullRequest: false });
    expect(read(event({ action: 'edited' }))).toBeNull();
    expect(read(event({}, { user: { login: 'app[bot]', type: 'Bot' } }))).toBeNull();
    expect(read(event({}, { user: null }))).toBeNull();
    expect(read(event({}, { performed_via_github_app: { id: 1 } }))?.viaApp).toBe(true);
  });

  it.each(['', '{', '[]', '{"comment":{}}', event({ __proto: 1 }).replace('__proto', '__proto__')])(
    'refuses what is none: %s',
    (text) => {
      expect(() => read(text)).toThrow(expect.objectContaining({ code: 'usage' }));
    },
  );

  it('refuses other events', () => {
    expect(() => commentOf({ name: 'pull_request_target', text: event() })).toThrow(
      expect.objectContaining({ code: 'usage' }),
    );
  });
});

/** What promote.yml does. */
async function carriedOut(world: World): Promise<void> {
  const run = world.github.workflowRuns[0]!;
  await promote(world.registry, {
    ...{ model, version: 2, environment: 'staging', environments: ['staging', 'production'] },
    ...{ op_id: run.inputs.op_id ?? null, reason: null, dry_run: false, override: null },
    ...{ expected_generation: 1, actor: { name: 'max', via: 'action' } },
  });
  Object.assign(run, { status: 'completed', conclusion: 'success' });
}

describe('chatops from Actions', () => {
  it('carries out a command and tells its end in the one reply', { timeout: 120_000 }, async () => {
    const world = await ready();
    const naps: number[] = [];
    const result = await executeChatops({
      comment: world.comment('max', '/promote to staging', pull),
      context: async () => world.context,
      wait: 60_000,
      sleep: async (milliseconds) => {
        naps.push(milliseconds);
        if (naps.length === 2) await carriedOut(world);
      },
    });
    expect(result).toMatchObject({ decision: 'done', reason: 'done' });
    expect(naps).toHaveLength(2);
    expect(await world.serving('staging')).toBe(2);
    expect(world.records()).toMatchObject([{ decision: 'done' }]);
    expect(world.github.workflowRuns).toHaveLength(1);
  });

  it('tries again what GitHub does not answer now, and gives up at last', { timeout: 120_000 }, async () => {
    const world = await ready();
    let refusals = 3;
    const comment = world.comment('max', '/status', pull);
    const run = {
      ...{ comment, context: async () => world.context, wait: 0 },
      sleep: async () => {},
    };
    world.github.before = () => {
      refusals -= 1;
      if (refusals >= 0) throw new GitHubUnavailable('no', { retryAfterSeconds: 1, ambiguous: false });
    };
    expect(await executeChatops(run)).toMatchObject({ decision: 'done' });
    refusals = Number.POSITIVE_INFINITY;
    await expect(executeChatops(run)).rejects.toThrow(GitHubUnavailable);
  });
});
