import { describe, expect, it } from 'vitest';
import { ContextSource } from '../../bot/context.ts';
import { mayDeploy } from '../../src/chatops/may-deploy.ts';
import { mayEnter } from '../../src/chatops/may-enter.ts';
import { replyKeyOf } from '../../src/chatops/reply-key.ts';
import { encodeRecord, readRecord } from '../../src/chatops/reply-record.ts';
import { silentLogger } from '../../src/logger.ts';
import { temporaryFolder } from '../registry/world.ts';
import { configuration, ready, type World } from './world.ts';

const key = replyKeyOf('b1f5e2c4a79d4be08f6ec6d3a4c1970b');

/** A bot, which has a key; a job of Actions has none. */
async function signing(): Promise<World> {
  const world = await ready();
  world.context.replyKey = key;
  return world;
}

const enter = (world: World) =>
  mayEnter({ runId: world.github.workflowRuns[0]?.id ?? 0, environment: 'staging' }, world.context);

/** A person who may write changes the app's comment: the last record in it counts. */
function edit(world: World, change: object): void {
  const reply = world.github.threads.find(({ ours }) => ours)!;
  const record = readRecord(reply.body)!;
  reply.body = `${reply.body}\n\n${encodeRecord({ ...record, ...change })}`;
}

describe('[GAT-4] a run is let in for a command as it was accepted', () => {
  it('and never a second time: a cancelled promotion is not run again', async () => {
    const world = await signing();
    await world.say('max', '/promote to staging');
    expect(await enter(world)).toMatchObject({ allowed: true });
    const run = world.github.workflowRuns[0]!;
    run.attempt = 2;
    expect(await enter(world)).toMatchObject({ allowed: false, reason: 'not_permitted' });
    expect((await enter(world)).message).toContain('started again');
    // whatever the reply says
    edit(world, { decision: 'started' });
    expect(await enter(world)).toMatchObject({ allowed: false });
  });

  it('believes no reply that somebody has changed since', async () => {
    const world = await signing();
    const { operation } = await world.say('max', '/promote to staging');
    const environment = 'staging';
    const ask = () => mayDeploy({ context: world.context, opId: operation?.opId ?? '', environment });
    expect(await ask()).toMatchObject({ allowed: true });
    edit(world, {});
    expect(await ask()).toMatchObject({ allowed: false, reason: 'not_permitted' });
    expect((await enter(world)).message).toContain('somebody has changed it');
  });

  it('a forged end, or a forged start, of a command is not believed either', async () => {
    const world = await signing();
    const comment = world.comment('max', '/promote to staging');
    await world.handle(comment);
    edit(world, { decision: 'done', reason: 'done', summary: 'All is well.' });
    const resumed = await world.handle(comment);
    expect(resumed).toMatchObject({ decision: 'started' });
    expect(world.github.workflowRuns).toHaveLength(1);
    expect(await enter(world)).toMatchObject({ allowed: true });
  });

  it('is signed at every change, and only read as signed with the same key', async () => {
    const world = await signing();
    await world.say('max', '/promote to staging');
    const body = world.github.threads.find(({ ours }) => ours)?.body ?? '';
    expect(readRecord(body, key)).toMatchObject({ decision: 'started' });
    expect(readRecord(body)).toEqual(readRecord(body, key));
    expect(readRecord(body, replyKeyOf('another secret'))).toBeNull();
    expect(readRecord(body.replace('"max"', '"ann"'), key)).toBeNull();
    await world.work();
    expect(readRecord(world.github.threads.find(({ ours }) => ours)?.body ?? '', key)).toMatchObject({
      decision: 'done',
    });
  });

  it('with a key that the bot has, and a job of Actions has not', async () => {
    const world = await ready();
    const text = JSON.stringify(configuration);
    const file = async ({ path }: { path: string }) => (path === 'modelgate.yaml' ? Buffer.from(text) : null);
    const github = Object.assign(world.github, { file });
    const settings = { store: temporaryFolder(), configFiles: ['modelgate.yaml'] };
    const contextOf = (more: { webhookSecret?: string }) =>
      new ContextSource({ settings: { ...settings, ...more }, logger: silentLogger }).of(github);
    expect((await contextOf({ webhookSecret: 'b1f5e2c4a79d4be08f6ec6d3a4c1970b' })).replyKey).toEqual(key);
    expect((await contextOf({})).replyKey).toBeUndefined();
  });

  it('asks again whether the person who gave it may', async () => {
    const world = await ready();
    await world.say('max', '/promote to staging');
    world.github.roles.set('max', 'read');
    const refused = await enter(world);
    expect(refused).toMatchObject({ allowed: false, reason: 'not_permitted' });
    expect(refused.message).toContain('It takes the role write');
    world.github.roles.set('max', 'maintain');
    expect(await enter(world)).toMatchObject({ allowed: true });
  });
});
