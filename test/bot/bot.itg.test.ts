import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { environmentOf } from '../../src/registry/state.ts';
import type { FakeRepository } from '../github/fake/repository.ts';
import { BotWorld, eventually, modelConfig, workflows } from './world.ts';

const model = 'flights-late';
const patience = 120_000;

let world: BotWorld;
let repository: FakeRepository;
beforeEach(async () => {
  world = await BotWorld.create();
  repository = world.github.repository('acme/flights', {
    isPrivate: true,
    files: { 'modelgate.yaml': modelConfig(model), ...workflows },
  });
  repository.collaborator('max', 'maintain');
  repository.collaborator('rea', 'read');
});
afterEach(async () => {
  const { violations } = world.github;
  await world[Symbol.asyncDispose]();
  expect(violations).toEqual([]);
});

/** A pull request whose head passed. */
async function ready(): Promise<number> {
  const first = await world.candidate(repository, { model, commit: '0'.repeat(40) });
  await world.place(repository, { model, version: first.version });
  const pull = repository.openPullRequest('max', { branch: 'better', files: { 'train.py': 'better' } });
  await world.candidate(repository, { model, commit: pull.pull.headSha });
  repository.status(pull.pull.headSha, 'tests', 'success');
  return pull.number;
}

const ended = (comment: number) =>
  eventually(
    () => world.replies(repository, comment),
    ([record]) => record !== undefined && !['accepted', 'started'].includes(record.decision),
    { what: 'a reply that is at its end' },
  );

describe('the bot as a process', () => {
  it('carries out a command: reaction, one reply, run, deployment', { timeout: patience }, async () => {
    const number = await ready();
    await world.start();
    const { id } = repository.comment(number, 'max', '/promote to staging');
    expect(await ended(id)).toMatchObject([{ decision: 'done', reason: 'done' }]);
    expect(environmentOf(await world.registry(repository).state(model), 'staging').version).toBe(2);
    expect(world.github.count('actions/create-workflow-dispatch')).toBe(1);
    expect(world.github.count('repos/create-deployment')).toBe(1);
    await eventually(
      () =>
        repository
          .findComment(id)
          .reactions.map(({ content }) => content)
          .sort()
          .join(),
      (reactions) => reactions === 'eyes,rocket',
    );
    await world.github.idle();
    const delivered = world.github.deliveries.list.filter(({ event }) => event === 'issue_comment');
    expect(delivered.every(({ statusCode }) => statusCode === 202)).toBe(true);
    const metrics = await world.metrics();
    expect(metrics).toContain('modelgate_bot_seconds_to_eyes_count 1');
    expect(metrics).toMatch(/modelgate_bot_commands_total\{decision="started",reason="started"\} 1/);
    expect(await world.end('SIGTERM')).toBe(0);
  });

  it('does one command once, however often it is delivered', { timeout: patience }, async () => {
    const number = await ready();
    world.github.deliveries.plan = () => ({ copies: 3 });
    await world.start();
    const { id } = repository.comment(number, 'max', '/lock staging --reason="busy"');
    expect(await ended(id)).toMatchObject([{ decision: 'done' }]);
    await world.github.idle();
    const entries = await world.registry(repository).entries(model);
    expect(entries.filter(({ entry }) => entry.type === 'lock')).toHaveLength(1);
    expect(world.replies(repository, id)).toHaveLength(1);
  });

  it('refuses a person without the right, and counts it by its reason', { timeout: patience }, async () => {
    const number = await ready();
    await world.start();
    const { id } = repository.comment(number, 'rea', '/promote to staging');
    expect(await ended(id)).toMatchObject([{ decision: 'refused', reason: 'not_permitted' }]);
    await eventually(
      () => world.metrics(),
      (text) => text.includes('modelgate_bot_commands_total{decision="refused",reason="not_permitted"} 1'),
    );
  });

  it('fetches what was delivered while it was away', { timeout: patience }, async () => {
    const number = await ready();
    const { id } = repository.comment(number, 'max', '/lock staging --reason="busy"');
    await world.github.idle();
    expect(world.replies(repository, id)).toEqual([]);
    // an outage just now may be a delivery on its way: it is older than that
    for (const one of world.github.deliveries.list)
      one.deliveredAt = `${new Date(Date.now() - 60_000).toISOString().slice(0, 19)}Z`;
    await world.start();
    expect(await ended(id)).toMatchObject([{ decision: 'done' }]);
  });

  it('tells the end of a command whose webhook was lost', { timeout: patience }, async () => {
    const number = await ready();
    world.github.deliveries.plan = ({ event }) => ({ copies: event === 'workflow_run' ? 0 : 1 });
    await world.start();
    const { id } = repository.comment(number, 'max', '/promote to staging');
    await eventually(
      () => world.replies(repository, id),
      ([record]) => record?.decision === 'started' || record?.decision === 'done',
    );
    expect(await ended(id)).toMatchObject([{ decision: 'done' }]);
  });

  it('writes no secret into its log or its answers', { timeout: patience }, async () => {
    await ready();
    await world.start();
    const forged = await fetch(`${world.url}/api/github/webhooks`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-github-delivery': 'one',
        'x-github-event': 'issue_comment',
        'x-hub-signature-256': `sha256=${'0'.repeat(64)}`,
      },
      body: '{}',
    });
    expect(forged.status).toBe(401);
    world.github.faults.plan = () => ({ kind: 'refuse', status: 500 });
    repository.comment(1, 'max', '/status');
    await eventually(
      () => world.log.join('\n'),
      (text) => /GitHub (answers 500|does not say which app this is)/.test(text),
    );
    const said = world.log.join('\n');
    const key = world.github.app.privateKey.split('\n')[1] ?? '';
    for (const canary of ['b1f5e2c4a79d4be08f6ec6d3a4c1970b', key, 'ghs_', 'eyJ'])
      expect(said).not.toContain(canary);
  });
});
