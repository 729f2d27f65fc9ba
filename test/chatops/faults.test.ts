import { describe, expect, it } from 'vitest';
import { executeChatops } from '../../actions/execute-chatops.ts';
import { handleComment } from '../../src/chatops/handle.ts';
import { mayEnter } from '../../src/chatops/may-enter.ts';
import { type Code, codes } from '../../src/codes.ts';
import { UserError } from '../../src/errors.ts';
import { model, ready, released, type World } from './world.ts';

const fault = (code: Code) => new UserError({ code, message: 'No.', where: 'store', fix: 'Try again.' });

/** The next look at the store fails so. */
function fail(world: World, code: Code): void {
  const state = world.registry.state.bind(world.registry);
  world.registry.state = async () => {
    world.registry.state = state;
    throw fault(code);
  };
}

describe('what may be over in a moment', () => {
  it.each(['storage_unavailable', 'lost_race'] as const)('is tried again, not refused: %s', async (code) => {
    const world = await released();
    const comment = world.comment('max', '/rollback in production');
    fail(world, code);
    await expect(handleComment(comment, world.context)).rejects.toMatchObject({ code });
    expect(world.records().at(-1)).toMatchObject({ decision: 'accepted' });
    expect(await world.handle(comment)).toMatchObject({ decision: 'started' });
    const question = { runId: world.github.workflowRuns[0]?.id ?? 0, environment: 'production' };
    fail(world, code);
    await expect(mayEnter(question, world.context)).rejects.toMatchObject({ code });
    expect(await mayEnter(question, world.context)).toMatchObject({ allowed: true });
  });

  it('is waited for in Actions too', async () => {
    const world = await released();
    fail(world, 'storage_unavailable');
    const run = { comment: world.comment('max', '/rollback in production'), wait: 0, sleep: async () => {} };
    expect(await executeChatops({ ...run, context: async () => world.context })).toMatchObject({
      decision: 'started',
    });
  });

  it('is not what a person must mend', async () => {
    const world = await released();
    fail(world, 'log_damaged');
    expect(await world.say('max', '/rollback in production')).toMatchObject({ reason: 'unavailable' });
    expect(codes.log_damaged.class).toBe('infrastructure');
  });
});

describe('what GitHub refuses', () => {
  it('a deployment: the command is refused, since its run would not be let in', async () => {
    const world = await ready();
    world.github.before = (method) => {
      if (method === 'createDeployment') throw fault('github_denied');
    };
    const refused = await world.say('max', '/promote to staging');
    expect(refused).toMatchObject({ decision: 'refused', reason: 'unavailable' });
    expect(refused.summary).toContain('deployments: write');
    expect(world.github.workflowRuns).toEqual([]);
    expect(world.records().at(-1)).toMatchObject({ decision: 'refused', operation: null });
  });

  it('a dispatch: the workflow, its inputs and the environment are named, and no deployment stays queued', async () => {
    const world = await ready();
    world.github.before = (method) => {
      if (method === 'dispatch') throw fault('github_refused');
    };
    const refused = await world.say('max', '/promote to staging');
    expect(refused).toMatchObject({ decision: 'refused', reason: 'unavailable' });
    for (const word of ['promote.yml', 'expected_generation', '`staging`', 'main'])
      expect(refused.summary).toContain(word);
    expect(world.github.deploymentList[0]?.states.at(-1)).toMatchObject({ state: 'error' });
  });
});

describe('what to do is said in commands of comments', () => {
  it('a lock is told under its own name, with the way to take it away', async () => {
    const world = await released();
    await world.say('ann', '/lock in production --reason="release freeze"');
    for (const line of ['/rollback in production', `/promote ${model}@1 to production`]) {
      const { checks } = await world.say('max', line);
      const lock = checks.find(({ name }) => name === 'lock');
      expect(lock).toMatchObject({ ok: false });
      expect(lock?.fix).toContain(`/unlock ${model} in production --reason="why"`);
    }
    expect(await world.say('max', '/rollback in production')).toMatchObject({ reason: 'locked' });
  });

  it('where the registry advises a terminal', async () => {
    const world = await released();
    await world.candidate('c'.repeat(40));
    const said = [
      await world.say('max', `/promote ${model}@3 to production`),
      await world.say('max', '/rollback in production to 3'),
      await world.say('max', '/approve to production'),
    ];
    const texts = said.flatMap(({ summary, checks }) => [summary, ...checks.map(({ fix }) => fix ?? '')]);
    expect(texts.join('\n')).toContain(`/promote ${model}@3 to staging`);
    expect(texts.join('\n')).not.toMatch(/modelgate (promote|rollback|request|approve|status)|--to|--in/);
  });

  it('a surplus word shows how the command is written, without an option that nobody gave', async () => {
    const world = await ready();
    const { summary } = await world.say('max', '/promote to staging please');
    expect(summary).toContain('is too much: /promote');
    expect(summary).not.toContain('--override --reason');
  });
});
