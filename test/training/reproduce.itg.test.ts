import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Digest } from '../../src/json.ts';
import { runStage } from '../../src/stages/define.ts';
import { reproduce } from '../../src/stages/reproduce.ts';
import { train } from '../../src/stages/train.ts';
import {
  exampleScript,
  hasPython,
  keepingLogger,
  makeSplit,
  makeWorld,
  recipe,
  trainingCode,
  type World,
} from './world.ts';

const python = await hasPython();
let world: World;
let split: string;

beforeAll(async () => {
  if (!python) return;
  world = await makeWorld();
  split = await makeSplit(world);
});
afterAll(async () => {
  await world?.close();
});

async function trained(script: string, change: object = {}): Promise<Digest> {
  const code = await trainingCode(world, script);
  const outcome = await runStage(train, { split, code, training: { ...recipe(), ...change } }, world.context);
  expect(outcome.error).toBeUndefined();
  return outcome.outputs.model!;
}

const again = (model: Digest, tolerance: number | null = null) =>
  runStage(reproduce, { model, tolerance }, world.context);

/** Draws anew in each run, whatever the seed says. */
const forgetful = async () =>
  (await exampleScript())
    .replace(
      'train, validation = mg.load("train"), mg.load("validation")',
      `train, validation = mg.load("train"), mg.load("validation")
import secrets
drawn = np.random.default_rng(secrets.randbits(64)).permutation(len(train))[: len(train) // 2]
train.X, train.y = train.X[drawn], train.y[drawn]`,
    )
    .replace('import modelgate as mg', 'import modelgate as mg\nimport numpy as np');

describe.skipIf(!python)('modelgate reproduce', { timeout: 180_000 }, () => {
  it('[TRN-7] trains the recipe of a package again, without the cache, and finds the same', async () => {
    const model = await trained(await exampleScript());
    const logger = keepingLogger();
    const outcome = await runStage(reproduce, { model }, { ...world.context, logger });
    expect(outcome.error).toBeUndefined();
    expect(logger.lines).toContainEqual(expect.stringContaining('trained 20 trees')); // now, not read back
    expect(outcome).toMatchObject({ verdict: 'pass', reason_code: 'reproduced', cached: false });
    expect(outcome.outputs).toMatchObject({
      reproduced: true,
      tolerance: 1e-6,
      differing: [],
      predictions: { max_difference: 0, identical: true },
    });
    expect(outcome.outputs.predictions?.rows).toBeGreaterThan(1000);
    const kept = await world.store.readManifest(outcome.outputs.reproduction!, 'reproduction');
    expect(kept).toMatchObject({ inputs: { model }, facts: { reproduced: true, tolerance: 1e-6 } });
    expect((await readdir(world.context.workDirectory)).filter((name) => name.startsWith('train-'))).toEqual(
      [],
    );
  });

  it('[TRN-7] marks a training that ignores its seed non-reproducible, with the differing metrics', async () => {
    const outcome = await again(await trained(await forgetful()));
    expect(outcome).toMatchObject({ verdict: 'fail', reason_code: 'not_reproduced', failure_class: 'model' });
    expect(outcome.outputs.differing?.map(({ field }) => field)).toEqual(['metrics.auc', 'metrics.log_loss']);
    expect(outcome.outputs.predictions).toMatchObject({ identical: false });
    expect(outcome.outputs.predictions?.max_difference).toBeGreaterThan(0);
    expect(outcome.summary).toMatch(/^Not reproducible within 0\.000001; differing: metrics\.auc/);
  });

  it('[TRN-7] takes the tolerance that the recipe recorded, unless another is given', async () => {
    const model = await trained(await forgetful(), { reproduce_tolerance: 0.5 });
    const wide = await again(model);
    expect(wide).toMatchObject({ verdict: 'pass', outputs: { tolerance: 0.5, reproduced: true } });
    expect(await again(model, 0)).toMatchObject({ verdict: 'fail', outputs: { tolerance: 0 } });
  });

  it('tells why a repetition does not come to its end', async () => {
    const once = `${await exampleScript()}
from pathlib import Path
import os, tempfile
done = Path(tempfile.gettempdir()) / ("modelgate-once-" + "${process.pid}")
if done.exists():
    done.unlink()
    raise MemoryError()
done.touch()
`;
    const outcome = await again(await trained(once));
    expect(outcome).toMatchObject({ verdict: 'error', reason_code: 'training_out_of_memory' });
  });

  it('takes the digest of a model package alone', async () => {
    expect(await again(split)).toMatchObject({ verdict: 'error' });
  });
});
