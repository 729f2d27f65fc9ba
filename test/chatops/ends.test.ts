import { describe, expect, it } from 'vitest';
import { finishOperation } from '../../src/chatops/finish.ts';
import { model, pull, ready, sha } from './world.ts';

describe('what a command started is told by its own result', () => {
  it('drift that is found is what was asked for', async () => {
    const world = await ready();
    const found = await world.say('max', '/drift run');
    world.drifts(found.operation?.run?.id ?? 0);
    expect(await world.end(found)).toMatchObject({ decision: 'done', reason: 'drift_found' });
    expect(world.records().at(-1)?.summary).toContain('distance moved by 12 miles');
    // a run that uploaded nothing has not looked
    const broken = await world.say('max', '/drift run');
    world.github.complete(broken.operation?.run?.id ?? 0, 'failure');
    expect(await world.end(broken)).toMatchObject({ decision: 'failed', reason: 'internal' });
  });

  it.each([
    ['fail', 'gate_failed', 'failed its gate'],
    ['inconclusive', 'gate_undecided', 'undecided'],
    ['pass', 'done', 'passed'],
  ] as const)('a training whose gate says %s has ended well', async (verdict, reason, words) => {
    const world = await ready();
    const started = await world.say('max', '/train');
    const run = started.operation?.run?.id ?? 0;
    await world.candidate(sha('1'), { verdict, run });
    world.github.complete(run, verdict === 'pass' ? 'success' : 'failure');
    const ended = await world.end(started);
    expect(ended).toMatchObject({ decision: 'done', reason });
    expect(ended?.summary).toContain(`${model}@3`);
    expect(ended?.summary).toContain(words);
  });

  it('a training without a verdict has failed', async () => {
    const world = await ready();
    const started = await world.say('max', '/train');
    await world.candidate(sha('1'), { verdict: 'fail', run: 1 });
    world.github.complete(started.operation?.run?.id ?? 0, 'failure');
    expect(await world.end(started)).toMatchObject({ decision: 'failed', reason: 'internal' });
  });

  it('of a run that somebody deleted, after a while', async () => {
    const world = await ready();
    await world.say('max', '/promote to staging');
    world.github.workflowRuns.length = 0;
    const ask = () =>
      finishOperation(world.context, { number: pull, commentId: world.records()[0]?.comment ?? 0 });
    expect(await ask()).toBeNull();
    world.clock.forward(11 * 60_000);
    expect(await ask()).toMatchObject({ decision: 'failed' });
    expect(world.records()[0]?.summary).toContain('GitHub shows no run');
    expect(world.github.deploymentList[0]?.states.at(-1)).toMatchObject({ state: 'failure' });
  });
});

describe('/retrain and /drift run', () => {
  it('are about the model that is named, and say so to their workflows', async () => {
    const world = await ready();
    const first = world.context.models.get(model)!;
    (world.context.models as Map<string, typeof first>).set('prices', {
      ...first,
      file: 'prices/modelgate.yaml',
    });
    const wanted = { model: 'prices', config: 'prices/modelgate.yaml' };
    expect((await world.say('max', '/retrain prices')).operation?.inputs).toMatchObject(wanted);
    expect((await world.say('max', '/drift run prices')).operation?.inputs).toMatchObject(wanted);
    expect((await world.say('max', `/retrain ${model}`)).operation?.inputs).toMatchObject({
      model,
      config: 'modelgate.yaml',
    });
    expect(await world.say('max', '/retrain')).toMatchObject({ reason: 'ambiguous' });
    // nothing would read a reason
    expect(await world.say('max', '/retrain prices --reason=x')).toMatchObject({ reason: 'usage' });
  });
});

describe('/cancel', () => {
  it('says what was asked for, which may come too late', async () => {
    const world = await ready();
    await world.say('max', '/promote to staging');
    world.github.cancelRun = async () => {};
    const { summary } = await world.say('max', '/cancel');
    expect(summary).toContain('GitHub was asked to stop: promote.');
    await world.work();
    expect(await world.serving('staging')).toBe(2);
  });
});
