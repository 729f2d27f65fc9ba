import { readFile } from 'node:fs/promises';
import { UserError } from '../errors.ts';
import { Signature } from '../evaluation/predictor.ts';
import { parseJson } from '../json.ts';
import type { Store } from '../store/store.ts';

export interface ModelPackage {
  manifest: string;
  signature: Signature;
  /** A local, verified copy of model.onnx, for reading alone. */
  modelFile: string;
}

const signatureLimit = 4_000_000;

/** Reads a model package of the store; every file is verified by its digest. */
export async function readPackage(store: Store, manifest: string): Promise<ModelPackage> {
  await store.readManifest(manifest, 'model');
  const parsed = Signature.safeParse(
    parseJson(await readFile(await store.manifestFile(manifest, 'signature.json'), 'utf8'), signatureLimit),
  );
  if (!parsed.success)
    throw unfit(manifest, 'signature.json does not say the inputs and the output of a model.');
  const names = parsed.data.inputs.map((input) => input.name.toLowerCase());
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw unfit(manifest, `two inputs are named ${JSON.stringify(twice)}.`);
  return {
    manifest,
    signature: parsed.data,
    modelFile: await store.manifestFile(manifest, 'model.onnx'),
  };
}

function unfit(manifest: string, what: string): UserError {
  return new UserError({
    code: 'model_signature',
    message: `The package ${manifest.slice(0, 12)} cannot be served: ${what}`,
    fix: 'Train it again; input names must differ by more than upper and lower case.',
  });
}
