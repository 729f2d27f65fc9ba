import type { Signature } from '../../src/evaluation/predictor.ts';
import {
  graph,
  integerAttribute,
  model,
  node,
  tensor,
  types,
  value,
} from '../../test/evaluation/onnx-writer.ts';

export const signature: Signature = {
  inputs: [
    { name: 'distance', type: 'float32' },
    { name: 'weight', type: 'float32' },
    { name: 'colour', type: 'string' },
  ],
  task: 'classification',
  output: 'late',
};

/** Every order is as likely to be late: what can be proven without a Python library that reads Parquet. */
function constantModel(probability: number): string {
  const number = (name: string, content: number) => {
    const raw = Buffer.alloc(4);
    raw.writeFloatLE(content);
    return tensor({ name, type: types.float, dims: [], raw });
  };
  const far = { operator: 'Greater', inputs: ['distance', 'endless'], outputs: ['far'] };
  const zero = { operator: 'Cast', inputs: ['far'], outputs: ['zero'] };
  const onnx = graph({
    nodes: [
      node(far),
      node({ ...zero, attributes: [integerAttribute('to', types.float)] }),
      node({ operator: 'Add', inputs: ['zero', 'probability'], outputs: ['late'] }),
    ],
    inputs: [value('distance', types.float), value('weight', types.float), value('colour', types.string)],
    outputs: [value('late', types.float)],
    initializers: [number('endless', 1e30), number('probability', probability)],
  });
  return model(onnx).toString('base64');
}

/** Hands in a model without any library: what is measured is the stage around the script. */
export const constantScript = () => `import base64, json, os, struct
from pathlib import Path

models = ${JSON.stringify([0.25, 0.5].map((probability) => [probability, constantModel(probability)]))}
probability, onnx = models[int(os.environ["MODELGATE_SEED"]) % 2]
rows = sum(json.loads(Path(os.environ["MODELGATE_INPUT"], "features.json").read_text())["parity"].values())
output = Path(os.environ["MODELGATE_OUTPUT"])
(output / "model.onnx").write_bytes(base64.b64decode(onnx))
(output / "parity.f64").write_bytes(struct.pack("<d", probability) * rows)
for name, content in {
    "signature": json.loads(${JSON.stringify(JSON.stringify(signature))}),
    "metrics": {"auc": 0.5},
    "parity-notes": {"null_refused": None},
}.items():
    (output / f"{name}.json").write_text(json.dumps(content))
`;
