import { readFile, stat } from 'node:fs/promises';
import { UserError } from '../errors.ts';
import { recogniseFile, recogniseHidden } from '../file-kind.ts';
import {
  type AdmissionPolicy,
  type AdmissionRules,
  admissionPolicy,
  controlFlow,
  defaultAdmission,
} from './admission-policy.ts';
import type { FeatureType } from './feature-columns.ts';
import { type OnnxModel, type OnnxValue, readOnnx } from './onnx-model.ts';
import type { Signature, TensorType } from './predictor.ts';
import { ProtobufError } from './protobuf.ts';

const domains = new Set(['', 'ai.onnx.ml']);

/**
 * Admits a model file by its content alone, before any runtime sees it: one whole ONNX file without external
 * data, with operators of the standard domains only, within bounds of size. An allow-list, since every
 * scanner that lists what is bad has been passed. Throws `model_refused` and says all reasons.
 */
export function admitOnnx(bytes: Uint8Array, policy: AdmissionPolicy = defaultAdmission): OnnxModel {
  if (bytes.length > policy.maximumBytes) throw refused([`it is larger than ${policy.maximumBytes} bytes`]);
  const kind = recogniseFile(bytes) ?? recogniseHidden(bytes);
  if (kind !== null) throw refused([`it is ${kind}, not ONNX`]);
  let model: OnnxModel;
  try {
    model = readOnnx(bytes);
  } catch (error) {
    if (!(error instanceof ProtobufError || error instanceof TypeError || error instanceof RangeError))
      throw error;
    throw refused([`it is not a whole ONNX file (${error.message})`], error);
  }
  const reasons = model.unusual.map((what) => `it has ${what}`);
  const strange = Object.keys(model.opsets).filter((domain) => !domains.has(domain));
  if (strange.length > 0) reasons.push(`it needs operators of ${listed(strange)}`);
  if (!('' in model.opsets) && !('ai.onnx.ml' in model.opsets)) reasons.push('it names no operator set');
  const forbidden = Object.keys(model.operators).filter((name) => !policy.operators.has(name));
  if (forbidden.length > 0) reasons.push(`it uses ${listed(forbidden)}`);
  const strangers = model.graphsIn.filter((name) => !controlFlow.some((known) => known === name));
  if (strangers.length > 0) reasons.push(`it has graphs within ${listed(strangers)}`);
  if (model.nodes > policy.maximumNodes)
    reasons.push(`it has ${model.nodes} nodes (at most ${policy.maximumNodes})`);
  if (model.tensorBytes > policy.maximumTensorBytes) {
    reasons.push(`its tensors hold ${model.tensorBytes} bytes (at most ${policy.maximumTensorBytes})`);
  }
  if (reasons.length === 0) return model;
  const loops = forbidden.filter((name) => controlFlow.some((known) => known === name));
  throw refused(reasons, undefined, loops.length === forbidden.length ? loops : []);
}

/** The bytes of a file that is admitted. One that is too large is not read. Throws `model_refused`. */
export async function admitFile(file: string, rules?: AdmissionRules): Promise<Buffer> {
  const policy = admissionPolicy(rules);
  const { size } = await stat(file);
  if (size > policy.maximumBytes) throw refused([`it is larger than ${policy.maximumBytes} bytes`]);
  const bytes = await readFile(file);
  admitOnnx(bytes, policy);
  return bytes;
}

/**
 * Whether graph, signature and features fit together: the same inputs of the same types, each a tensor
 * [rows, 1] named as a feature, and a numeric output. Throws `model_signature` and names what does not fit.
 */
export function checkSignature(
  model: OnnxModel,
  signature: Signature,
  features: readonly FeatureType[],
): void {
  const wrong: string[] = [];
  const stated = new Map(signature.inputs.map((input) => [input.name, input.type]));
  const known = new Map(features.map((feature) => [feature.name, feature.type]));
  if (stated.size !== signature.inputs.length) wrong.push('the signature names an input twice');
  for (const input of model.inputs) {
    const name = quoted(input.name);
    const feature = known.get(input.name);
    if (stated.get(input.name) !== input.type)
      wrong.push(`the signature does not state the input ${name} as it is`);
    if (feature === undefined) wrong.push(`the model wants ${name}, which the features do not have`);
    else if (input.type === null || !fits(feature, input.type)) {
      wrong.push(`the model wants ${name} as ${input.type ?? 'another type'}, the feature is a ${feature}`);
    }
    if (!isColumn(input)) wrong.push(`the input ${name} is not one column [rows, 1]`);
  }
  for (const name of stated.keys()) {
    if (!model.inputs.some((input) => input.name === name))
      wrong.push(`the model has no input ${quoted(name)}`);
  }
  const output = model.outputs.find(({ name }) => name === signature.output);
  if (output === undefined) wrong.push(`the model has no output ${quoted(signature.output)}`);
  else if (output.type !== 'float32' && output.type !== 'float64') {
    wrong.push(
      `the output ${quoted(output.name)} is not a tensor of floats (skl2onnx: options={"zipmap": False})`,
    );
  }
  if (wrong.length === 0) return;
  throw new UserError({
    code: 'model_signature',
    message: `The model and the features do not fit together: ${listed(wrong, '; ')}.`,
    where: 'model.onnx',
    fix: 'Export one input [None, 1] for each feature that the model uses (mg.onnx_types gives them), and mg.save.',
  });
}

function fits(feature: 'string' | 'number', type: TensorType): boolean {
  return (feature === 'string') === (type === 'string');
}

function isColumn({ shape }: OnnxValue): boolean {
  return (
    shape === undefined || (shape.length === 2 && (shape[1] === 1 || shape[1] === null) && shape[0] === null)
  );
}

const quoted = (name: string) => JSON.stringify(name.slice(0, 80));

function listed(items: readonly string[], separator = ', '): string {
  const shown = items.slice(0, 8).map((item) => item.slice(0, 200));
  return [...shown, ...(items.length > 8 ? [`… ${items.length - 8} more`] : [])].join(separator);
}

/** `allowable`: operators that modelgate.yaml could allow, where they are all that is forbidden. */
function refused(reasons: readonly string[], cause?: unknown, allowable: readonly string[] = []): UserError {
  const fix =
    'Export the model, its preprocessing included, as one ONNX file of standard operators; see docs/training.md.';
  return new UserError({
    code: 'model_refused',
    message: `The model file is refused: ${listed(reasons, '; ')}.`,
    where: 'model.onnx',
    fix:
      allowable.length === 0
        ? fix
        : `${fix} If it must have ${allowable.join(', ')}, allow them in train.admission.allow: a model that never ends is then stopped by its deadline alone.`,
    cause,
  });
}
