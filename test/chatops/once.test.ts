import { describe, expect, it } from 'vitest';
import { handleComment } from '../../src/chatops/handle.ts';
import { GitHubUnavailable } from '../../src/github/port.ts';
import { model, ready, sha, type World } from './world.ts';

class Killed extends Error {}

/** Handles a comment again and again, as the inbox does, until it is handled. */
async function handle(world: World, comment: ReturnType<World['comment']>): Promise<void> {
  for (let tries = 0; tries < 20; tries += 1) {
    try {
      await handleComment(comment, world.context);
      return;
    } catch (error) {
      if (!(error instanceof Killed || error instanceof GitHubUnavailable)) throw error;
      world.clock.forward(60_000);
    }
  }
  throw new Error('never handled');
}

async function expectOnce(world: World): Promise<void> {
  const { github, registry } = world;
  expect(github.threads.filter(({ ours }) => ours)).toHaveLength(1);
  expect(github.workflowRuns).toHaveLength(1);
  expect(github.deploymentList).toHaveLength(1);
  const moves = (await registry.entries(model)).filter(({ entry }) => entry.type === 'promote');
  expect(moves).toHaveLength(3);
  expect(world.records()).toMatchObject([{ decision: 'done', reason: 'done' }]);
  expect(github.threads[0]?.reactions).toContain('rocket');
  expect(await world.serving('staging')).toBe(2);
}

describe('a comment has one effect', () => {
  it('killed before each request and handled again', { timeout: 300_000 }, async () => {
    const quiet = await ready();
    await quiet.say('max', '/promote to staging');
    const requests = quiet.github.requests.length;
    for (let kill = 0; kill < requests; kill += 1) {
      const world = await ready();
      const comment = world.comment('max', '/promote to staging');
      world.github.before = (_, index) => {
        if (index === kill) throw new Killed();
      };
      await handle(world, comment);
      await world.work();
      await expectOnce(world);
    }
  });

  it('where an answer is lost after the effect', { timeout: 120_000 }, async () => {
    for (const lost of ['createComment', 'createDeployment', 'dispatch'] as const) {
      const world = await ready();
      let losses = 0;
      world.github.after = (method) => {
        if (method !== lost || losses > 0) return;
        losses += 1;
        throw new GitHubUnavailable('502', { retryAfterSeconds: null, ambiguous: true });
      };
      await handle(world, world.comment('max', '/promote to staging'));
      expect(losses).toBe(1);
      await world.work();
      await expectOnce(world);
    }
  });

  it('delivered three times, also after its end', async () => {
    const world = await ready();
    const comment = world.comment('max', '/promote to staging');
    await handle(world, comment);
    await handle(world, comment);
    await world.work();
    expect(await handleComment(comment, world.context)).toMatchObject({ decision: 'done' });
    await expectOnce(world);
  });

  it('although somebody deleted the reply meanwhile', async () => {
    const world = await ready();
    const { github } = world;
    const comment = world.comment('max', '/promote to staging');
    github.after = (method) => {
      if (method === 'dispatch') throw new Killed();
    };
    await expect(handleComment(comment, world.context)).rejects.toThrow(Killed);
    github.threads = github.threads.filter(({ ours }) => !ours);
    await handle(world, comment);
    await world.work();
    await expectOnce(world);
  });

  it('goes on with what it started although the head has moved since', async () => {
    const world = await ready();
    const comment = world.comment('max', '/promote to staging');
    world.github.after = (method) => {
      if (method === 'dispatch') throw new Killed();
    };
    await expect(handleComment(comment, world.context)).rejects.toThrow(Killed);
    world.change({ headSha: sha('9') });
    expect(await handleComment(comment, world.context)).toMatchObject({ decision: 'started' });
    expect(world.github.workflowRuns).toHaveLength(1);
  });

  it('finds the run by its name where GitHub does not tell it', async () => {
    const world = await ready();
    world.github.tellsRun = false;
    const result = await world.say('max', '/promote to staging');
    expect(result.operation?.run?.id).toBe(world.github.workflowRuns[0]?.id);
    await world.work();
    await expectOnce(world);
  });

  it('tells its end from the registry although the run is gone', async () => {
    const world = await ready();
    await world.say('max', '/promote to staging');
    await world.work();
    expect(world.records()[0]?.summary).toContain(`staging serves ${model}@2`);
  });

  it('waits while a run that was just started may not be listed', async () => {
    const world = await ready();
    const comment = world.comment('max', '/promote to staging');
    world.github.before = (method) => {
      if (method === 'dispatch') throw new Killed();
    };
    await expect(handleComment(comment, world.context)).rejects.toThrow(Killed);
    world.github.before = () => {};
    await expect(handleComment(comment, world.context)).rejects.toMatchObject({
      name: 'GitHubUnavailable',
      ambiguous: false,
    });
    world.clock.forward(60_000);
    expect(await handleComment(comment, world.context)).toMatchObject({ decision: 'started' });
    expect(world.github.workflowRuns).toHaveLength(1);
  });
});

describe('comments that are no commands', () => {
  it('of bots, of other words and quoted ones are left alone', async () => {
    const world = await ready();
    const bot = { ...world.comment('app[bot]', '/promote to staging'), authorType: 'Bot' };
    expect(await handleComment(bot, world.context)).toBeNull();
    for (const body of ['Looks good', '/rebase', '> /promote to staging', '`/promote to staging`']) {
      expect(await handleComment(world.comment('max', body), world.context)).toBeNull();
    }
    expect(world.github.requests).toEqual([]);
  });

  it('near to one are answered with what was probably meant', async () => {
    const world = await ready();
    const result = await world.say('max', '/promte to staging');
    expect(result).toMatchObject({ decision: 'refused', reason: 'usage' });
    expect(result.summary).toContain('/promote to staging');
  });

  it('[GOV-5] refused commands are answered and logged with their reason', async () => {
    const world = await ready();
    expect(await world.say('rea', '/promote to staging')).toMatchObject({ reason: 'not_permitted' });
    expect(world.github.threads.filter(({ ours }) => ours)).toHaveLength(1);
    expect(JSON.parse(world.logged.at(-1) ?? '')).toMatchObject({
      ...{ event: 'command', command: 'promote', by: 'rea', decision: 'refused', reason: 'not_permitted' },
    });
  });
});
