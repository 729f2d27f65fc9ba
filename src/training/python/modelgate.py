"""What a training script needs to run under ModelGate: its rows, its parameters, and one call to hand in the model.

    import modelgate as mg

    train = mg.load("train")                # train.X [rows, features], train.y [rows]
    model = fit(train.X, train.y, **mg.parameters, random_state=mg.seed)
    mg.save(to_onnx(model), predict=model.predict, metrics={"rmse": ...})

Numbers are float32 in the model: `X` holds values that float32 can represent, so that training, the exported
graph and serving see the same ones. A missing number is NaN, a missing text is "".
"""

import json
import os
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

_input = Path(os.environ["MODELGATE_INPUT"])
_output = Path(os.environ["MODELGATE_OUTPUT"])
_described = json.loads((_input / "features.json").read_text(encoding="utf-8"))

#: The `train.params` of modelgate.yaml.
parameters = json.loads(Path(os.environ["MODELGATE_PARAMS"]).read_text(encoding="utf-8"))
#: The `train.seed` of modelgate.yaml: give it to everything that draws random numbers.
seed = int(os.environ["MODELGATE_SEED"])
#: "classification" or "regression".
task = _described["task"]
#: Names of the features, in the order of the columns of `X`.
features = [feature["name"] for feature in _described["features"]]
#: Positions of the text features in `X`, and of the numeric ones.
strings = [i for i, feature in enumerate(_described["features"]) if feature["type"] == "string"]
numbers = [i for i, feature in enumerate(_described["features"]) if feature["type"] != "string"]


class Rows:
    """Rows of one part of the split.

    X: array [rows, features], of float32 when all features are numeric, else of objects (str and float).
    y: array [rows], int64 (0 or 1) for classification, float64 for regression; None for parity rows.
    columns: the same features by name, each an array [rows].
    """

    def __init__(self, table, label):
        self.columns = {f["name"]: _column(table, f) for f in _described["features"]}
        self.X = np.empty((table.num_rows, len(features)), dtype=object if strings else np.float32)
        for i, name in enumerate(features):
            self.X[:, i] = self.columns[name]
        self.y = None
        if label is not None:
            kind = np.int64 if task == "classification" else np.float64
            self.y = table[label].to_numpy(zero_copy_only=False).astype(kind)

    def __len__(self):
        return len(self.X)


def _column(table, feature):
    values = table[feature["name"]]
    if feature["type"] == "string":
        return np.array([v or "" for v in values.to_pylist()], dtype=object)
    # float() of decimals and booleans; nulls become NaN
    return values.cast("float64").to_numpy(zero_copy_only=False).astype(np.float32)


def load(part):
    """The rows of `part`: "train" or "validation". Under `train.bootstrap`, "train" is drawn anew."""
    table = pq.read_table(_input / f"{part}.parquet")
    bootstrap = os.environ.get("MODELGATE_BOOTSTRAP")
    if part == "train" and bootstrap is not None:
        drawn = np.random.default_rng(int(bootstrap)).integers(0, table.num_rows, table.num_rows)
        table = table.take(np.sort(drawn))
    return Rows(table, _described["label"])


def onnx_types():
    """`initial_types` for skl2onnx: one input tensor [rows, 1] a feature, named as the feature."""
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType

    kinds = [StringTensorType if i in strings else FloatTensorType for i in range(len(features))]
    return [(name, kind([None, 1])) for name, kind in zip(features, kinds)]


def save(onnx_model, predict, metrics, importance=None, output=None):
    """Hands in the trained model. Call it once, at the end.

    onnx_model: an onnx.ModelProto, or its bytes: one input [rows, 1] a feature, preprocessing inside the graph.
    predict: the framework's own prediction for an `X`: the positive class's probability [rows], or the value.
        ModelGate compares it with the exported graph on rows that include nulls and unseen categories.
    metrics: name → number, measured on the validation part.
    importance: feature → number, if known.
    output: name of the output tensor. Left out: "probabilities" or the last one for classification, else the first.
    """
    import onnx

    model = onnx_model if hasattr(onnx_model, "graph") else onnx.load_from_string(onnx_model)
    if output is None:
        names = [o.name for o in model.graph.output]
        output = names[0] if task == "regression" else "probabilities" if "probabilities" in names else names[-1]
    kinds = {1: "float32", 7: "int64", 8: "string", 9: "bool", 11: "float64"}
    inputs = [
        {"name": i.name, "type": kinds.get(i.type.tensor_type.elem_type, "other")} for i in model.graph.input
    ]
    _write_parity(predict)
    _write_json("metrics.json", {name: float(value) for name, value in metrics.items()})
    if importance is not None:
        _write_json("importance.json", {name: float(value) for name, value in importance.items()})
    _write_json("signature.json", {"inputs": inputs, "task": task, "output": output})
    (_output / "model.onnx").write_bytes(model.SerializeToString())


def _write_parity(predict):
    """Predictions of the framework on the parity rows: float64, little-endian, NaN where it refuses nulls."""
    table = pq.read_table(_input / "parity.parquet")
    usual = table.num_rows - _described["parity"]["null"]
    rows = Rows(table, None)
    predictions = np.full(len(rows), np.nan)
    predictions[:usual] = _flat(predict(rows.X[:usual]), usual)
    refusal = None
    try:
        predictions[usual:] = _flat(predict(rows.X[usual:]), len(rows) - usual)
    except ValueError as error:  # many models take no missing values: that is their right, and on record
        refusal = str(error).splitlines()[0][:200] if str(error) else "ValueError"
    predictions.astype("<f8").tofile(_output / "parity.f64")
    _write_json("parity-notes.json", {"null_refused": refusal})


def _flat(predicted, rows):
    flat = np.asarray(predicted, dtype=np.float64).reshape(-1)
    if len(flat) != rows:
        raise TypeError(f"predict gave {len(flat)} values for {rows} rows: give one number a row")
    return flat


def _write_json(name, value):
    (_output / name).write_text(json.dumps(value, allow_nan=False), encoding="utf-8")
