import { afterEach, describe, expect, it } from 'vitest';
import { Follower, type FollowerOptions } from '../../src/serving/follower.ts';
import { FakePointer, FakePredictor, manifestOf, RecordingLogger, until } from './helpers.ts';

const running: Follower[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((follower) => follower.close()));
});

async function following(options: Partial<FollowerOptions> & { pointer: FakePointer }) {
  const predictors: FakePredictor[] = [];
  const logger = new RecordingLogger();
  const follower = new Follower({
    load: async (manifest) => {
      const version = [1, 2, 3, 4].find((each) => manifestOf(each) === manifest) ?? 0;
      const predictor = new FakePredictor(version);
      predictors.push(predictor);
      return predictor;
    },
    logger,
    pollMs: 10,
    retryMs: 20,
    drainMs: 100,
    ...options,
  });
  running.push(follower);
  await follower.start();
  return { follower, predictors, logger };
}

const served = (follower: Follower) => follower.status().serving?.version ?? null;

describe('Follower', () => {
  it('[DEP-4] follows promotions and a rollback, which loads nothing', async () => {
    const pointer = new FakePointer();
    pointer.move(1);
    const { follower, predictors } = await following({ pointer });
    expect(served(follower)).toBe(1);
    pointer.move(2);
    await until(() => served(follower) === 2);
    expect(predictors.map(({ closed }) => closed)).toEqual([false, false]);
    pointer.move(1);
    await until(() => served(follower) === 1);
    expect(predictors).toHaveLength(2);
    expect(follower.status().serving?.generation).toBe(3);
  });

  it('closes what was replaced twice, after its last answer', async () => {
    const pointer = new FakePointer();
    pointer.move(1);
    const { follower, predictors } = await following({ pointer, drainMs: 10_000 });
    const held = follower.acquire()!;
    pointer.move(2);
    await until(() => served(follower) === 2);
    pointer.move(3);
    await until(() => served(follower) === 3);
    expect(predictors[0]?.closed).toBe(false);
    follower.release(held);
    await until(() => predictors[0]?.closed === true);
    expect(predictors[1]?.closed).toBe(false);
  });

  it('keeps the last good version when the next cannot be loaded, says so, and tries again', async () => {
    const pointer = new FakePointer();
    let broken = true;
    pointer.move(1);
    const { follower, logger } = await following({
      pointer,
      load: async (manifest) => {
        if (manifest === manifestOf(2) && broken) throw new Error('not an ONNX file');
        return new FakePredictor(manifest === manifestOf(2) ? 2 : 1);
      },
    });
    pointer.move(2);
    await until(() => follower.status().loadFailures >= 2);
    expect(follower.status()).toMatchObject({
      serving: { version: 1 },
      wanted: { version: 2, generation: 2 },
      loadError: { message: 'not an ONNX file' },
    });
    expect(logger.lines.some((line) => /Version 1 goes on serving/.test(line))).toBe(true);
    broken = false;
    await until(() => served(follower) === 2);
    expect(follower.status()).toMatchObject({ loadError: null, wanted: null });
  });

  it('refuses a model that answers with the wrong number of rows', async () => {
    const pointer = new FakePointer();
    pointer.move(1);
    const bad = new FakePredictor(1);
    bad.predict = async () => new Float64Array(0);
    const { follower } = await following({ pointer, load: async () => bad });
    expect(served(follower)).toBeNull();
    expect(bad.closed).toBe(true);
  });

  it('a rollback overtakes a load that hangs, and the late model is closed', async () => {
    const pointer = new FakePointer();
    pointer.move(1);
    const late = Promise.withResolvers<FakePredictor>();
    const { follower } = await following({
      pointer,
      load: async (manifest) => (manifest === manifestOf(2) ? late.promise : new FakePredictor(1)),
    });
    pointer.move(2);
    await until(() => follower.status().wanted?.version === 2);
    pointer.move(1);
    await until(() => follower.status().serving?.generation === 3);
    const predictor = new FakePredictor(2);
    late.resolve(predictor);
    await until(() => predictor.closed);
    expect(served(follower)).toBe(1);
  });

  it('serves on while the registry cannot be read, and never goes to an older generation', async () => {
    const pointer = new FakePointer();
    pointer.move(1);
    pointer.move(2);
    const { follower } = await following({ pointer });
    pointer.error = new Error('no route to the store');
    await until(() => follower.status().registryError !== null);
    expect(served(follower)).toBe(2);
    pointer.error = null;
    pointer.position = { version: 1, manifest: manifestOf(1), generation: 1 };
    await until(() => follower.status().registryError === null);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(follower.status().serving).toMatchObject({ version: 2, generation: 2 });
  });

  it('starts a model anew whose process ended', async () => {
    const pointer = new FakePointer();
    pointer.move(1);
    const { follower, predictors } = await following({ pointer });
    predictors[0]!.fails = true;
    for (let request = 0; request < 3; request += 1) {
      const serving = follower.acquire()!;
      await serving.model
        .predict({ distance: [1], hour: [1], carrier: [''], holiday: [true] }, 1)
        .catch(() => {});
      follower.release(serving);
    }
    await until(() => predictors.length === 2 && predictors[0]?.closed === true);
    expect(served(follower)).toBe(1);
  });

  it('throws what the first look throws, and waits where nothing is deployed', async () => {
    const pointer = new FakePointer();
    const { follower } = await following({ pointer });
    expect(follower.acquire()).toBeNull();
    pointer.move(1);
    await until(() => served(follower) === 1);
    const unknown = new FakePointer();
    unknown.error = new Error('no such model');
    await expect(following({ pointer: unknown })).rejects.toThrow('no such model');
  });
});
