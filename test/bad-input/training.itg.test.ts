import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireClear, requireDone, requireSound } from './claims.ts';
import { Project } from './project.ts';
import {
  disguisedScript,
  infiniteScript,
  lateNanScript,
  nanScript,
  otherInputScript,
  pickleScript,
  silentScript,
} from './scripts.ts';

let project: Project;
beforeAll(async () => {
  project = await Project.make();
});
afterAll(() => project.close());

const faults: { name: string; script: string; code: string; stage: string; says: RegExp }[] = [
  {
    name: 'a script that ends well without a model',
    script: silentScript,
    code: 'training_incomplete',
    stage: 'train',
    says: /ended without model\.onnx/,
  },
  {
    name: 'a script that writes a pickle',
    script: pickleScript('model.pkl'),
    code: 'model_refused',
    stage: 'train',
    says: /model\.pkl is .*pickle.*, not ONNX/,
  },
  {
    name: 'a pickle that is called ONNX',
    script: disguisedScript,
    code: 'model_refused',
    stage: 'train',
    says: /pickle.*, not ONNX/,
  },
  {
    name: 'a model with an input that the features do not have',
    script: otherInputScript,
    code: 'model_signature',
    stage: 'train',
    says: /do not fit together: .*wants "temperature", which the features do not have/,
  },
  {
    name: 'predictions that are NaN',
    script: nanScript,
    code: 'prediction_invalid',
    stage: 'train',
    says: /are no probability \(row 1: NaN/,
  },
  {
    name: 'predictions that are infinite',
    script: infiniteScript,
    code: 'prediction_invalid',
    stage: 'train',
    says: /are no probability \(row 1: Infinity/,
  },
  {
    name: 'a prediction that is NaN for one row of the evaluation set alone',
    script: lateNanScript,
    code: 'prediction_invalid',
    stage: 'evaluate',
    says: /^1 of \d+ predictions/,
  },
];

describe('a training that gives no usable model is refused, and the same command works with a mended script', () => {
  it.each(faults)('$name', { timeout: 120_000 }, async ({ script, code, stage, says }) => {
    await project.script(script);
    const answer = await project.run();
    const error = requireClear(answer, code);
    expect(error.message).toMatch(says);
    expect(answer.json?.stages?.at(-1)).toMatchObject({ stage, verdict: 'error' });
    expect(answer.json?.version).toBeNull();
    await requireSound(project);
    await project.mend();
    requireDone(await project.run());
  });
});
