/** A graph of a few operators, handed in with the framework's own predictions from numpy. */
const graph = (graphOf: { nodes: string; inputs: string[]; constant: number; predict: string }) => `
import modelgate as mg
import numpy as np
from onnx import TensorProto, helper as onnx

graph = onnx.make_graph(
    [${graphOf.nodes}],
    "orders",
    [onnx.make_tensor_value_info(name, TensorProto.FLOAT, [None, 1]) for name in ${JSON.stringify(graphOf.inputs)}],
    [onnx.make_tensor_value_info("late", TensorProto.FLOAT, [None, 1])],
    [onnx.make_tensor("constant", TensorProto.FLOAT, [1], [${graphOf.constant}])],
)
model = onnx.make_model(graph, opset_imports=[onnx.make_opsetid("", 17)], ir_version=8)


def predict(X):
    weight = X[:, mg.features.index("weight")].astype(float)
    if np.isnan(weight).any():
        raise ValueError("no nulls")
    with np.errstate(all="ignore"):
        return ${graphOf.predict}


mg.save(model, predict, {"auc": 0.9}, output="late")
`;

const node = (operator: string, ...inputs: string[]) => {
  const output = inputs.pop();
  return `onnx.make_node(${JSON.stringify(operator)}, ${JSON.stringify(inputs)}, [${JSON.stringify(output)}])`;
};

/** The logarithm of numbers below zero. */
export const nanScript = graph({
  nodes: [node('Sub', 'weight', 'constant', 'below'), node('Log', 'below', 'late')].join(', '),
  inputs: ['weight'],
  constant: 1000,
  predict: 'np.log(weight - 1000)',
});

/** A number divided by zero. */
export const infiniteScript = graph({
  nodes: [node('Sub', 'weight', 'weight', 'zero'), node('Div', 'constant', 'zero', 'late')].join(', '),
  inputs: ['weight'],
  constant: 1,
  predict: '1 / (weight - weight)',
});

/** Right on every row of the split, and NaN for the one heavy order of the evaluation set. */
export const lateNanScript = graph({
  nodes: [
    node('Sub', 'constant', 'weight', 'left'),
    node('Sqrt', 'left', 'root'),
    node('Reciprocal', 'root', 'late'),
  ].join(', '),
  inputs: ['weight'],
  constant: 100,
  predict: '1 / np.sqrt(100 - weight)',
});

/** An input that no feature has. */
export const otherInputScript = graph({
  nodes: [node('Sub', 'temperature', 'weight', 'less'), node('Sub', 'less', 'constant', 'late')].join(', '),
  inputs: ['temperature', 'weight'],
  constant: 1,
  predict: 'weight',
});

/** Trains, and forgets to hand in. */
export const silentScript = `
import modelgate as mg

train = mg.load("train")
print(f"trained on {len(train)} rows")
`;

/** A model in a form that runs code when it is read. */
export const pickleScript = (name: string) => `
import os, pickle
from pathlib import Path
import modelgate as mg

train = mg.load("train")
Path(os.environ["MODELGATE_OUTPUT"], ${JSON.stringify(name)}).write_bytes(pickle.dumps({"weights": [1, 2, 3]}))
`;

/** As above, in the place and with the papers of an ONNX model. */
export const disguisedScript = `${nanScript}
import os, pickle
from pathlib import Path

Path(os.environ["MODELGATE_OUTPUT"], "model.onnx").write_bytes(pickle.dumps({"weights": [1, 2, 3]}))
`;
