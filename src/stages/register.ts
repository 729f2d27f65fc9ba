import { z } from 'zod';
import { AdmissionRules } from '../evaluation/admission-policy.ts';
import { admitFile } from '../evaluation/onnx-admission.ts';
import { Digest } from '../json.ts';
import { Name } from '../names.ts';
import { Verdict } from '../outcome.ts';
import { readRecord } from '../registry/record.ts';
import { register as registerVersion } from '../registry/register.ts';
import { defineStage } from './define.ts';

/** Makes a gated run an immutable version of the model; the same gate's result gives the same version. */
export const register = defineStage({
  name: 'register',
  description: 'Makes a gated model an immutable version in the registry.',
  inputs: z.object({
    model: Name.describe("The model's name in the registry."),
    gate: Digest.describe("Digest of the gate's result."),
    admission: AdmissionRules.optional().describe('What the project allows of model files.'),
  }),
  outputs: z.object({
    version: z.number(),
    /** Digest of the model package. */
    model: Digest,
    gate_verdict: Verdict,
    seq: z.number(),
    head: Digest,
  }),
  cache: false,
  run: async ({ model, gate, admission }, { store, registry, actor }) => {
    // another machine may have made the package: nothing is a version that would not be loaded
    const record = await readRecord(store, gate);
    await admitFile(await store.manifestFile(record.manifest, 'model.onnx'), admission);
    const { version, manifest, verdict, seq, head, fresh } = await registerVersion(registry, {
      model,
      gate,
      actor,
    });
    return {
      verdict: 'pass',
      reason_code: fresh ? 'done' : 'nothing_to_do',
      summary: `${model}@${version} ${fresh ? 'is registered' : 'was registered before'}; its gate: ${verdict}.`,
      outputs: { version, model: manifest, gate_verdict: verdict, seq, head },
    };
  },
});
