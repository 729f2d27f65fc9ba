import { describe, expect, it } from 'vitest';
import type { FeatureColumns } from '../../src/evaluation/predictor.ts';
import { LoadedModel } from '../../src/serving/loaded-model.ts';
import { FakePredictor, manifestOf } from './helpers.ts';

const row = (distance: number): FeatureColumns => ({
  distance: [distance],
  hour: [1],
  carrier: ['UA'],
  holiday: [true],
});

describe('LoadedModel', () => {
  it('[FEA-3] gives each request its own rows, although they are computed together', async () => {
    const predictor = new FakePredictor(1, 2);
    const model = new LoadedModel(manifestOf(1), predictor);
    const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => model.predict(row(index), 1)));
    expect(answers.map(([value]) => value)).toEqual(
      Array.from({ length: 50 }, (_, index) => 1 + index / 1000),
    );
    expect(predictor.calls).toBeLessThan(5);
  });

  it('a request that the model cannot answer does not fail its neighbours', async () => {
    const predictor = new FakePredictor(1, 1);
    const predict = predictor.predict.bind(predictor);
    predictor.predict = async (features, rows) => {
      if (Array.from(features.distance ?? []).includes(13)) throw new Error('13');
      return predict(features, rows);
    };
    const model = new LoadedModel(manifestOf(1), predictor);
    const ends = await Promise.allSettled([12, 13, 14].map((distance) => model.predict(row(distance), 1)));
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(model.consecutiveFailures).toBe(0); // the last one succeeded
  });

  it('closes when the last user has gone, or when draining takes too long', async () => {
    const drained = new FakePredictor(1);
    const model = new LoadedModel(manifestOf(1), drained);
    model.retain();
    const closing = model.close(5000);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(drained.closed).toBe(false);
    model.release();
    await closing;
    expect(drained.closed).toBe(true);

    const stuck = new LoadedModel(manifestOf(2), new FakePredictor(2));
    stuck.retain();
    await stuck.close(10);
  });
});
