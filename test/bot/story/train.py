"""Logistic regression by Newton's method, exported with its preprocessing. Needs no more than NumPy and onnx."""

import modelgate as mg
import numpy as np
from onnx import TensorProto, helper, numpy_helper

train, validation = mg.load("train"), mg.load("validation")
means, spreads = np.nanmean(train.X, axis=0), np.nanstd(train.X, axis=0)


def design(X):
    filled = np.where(np.isnan(X), means, X)
    return np.hstack([(filled - means) / spreads, np.ones((len(X), 1))]).astype(np.float64)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


X, y = design(train.X), train.y
weights = np.zeros(X.shape[1])
for _ in range(mg.parameters["steps"]):
    p = sigmoid(X @ weights)
    curvature = (X * (p * (1 - p))[:, None]).T @ X + mg.parameters["ridge"] * np.eye(len(weights))
    weights += np.linalg.solve(curvature, X.T @ (y - p) - mg.parameters["ridge"] * weights)


def predict(X):
    return sigmoid(design(X) @ weights)


def auc(score, truth):
    """The share of pairs of a late and a punctual row that are ordered rightly; ties are half of one."""
    late, punctual = score[truth == 1][:, None], score[truth == 0][None, :]
    return float(np.mean(late > punctual) + np.mean(late == punctual) / 2)


def graph():
    constants = {
        "means": means[None, :],
        "spreads": spreads[None, :],
        "weights": weights[:-1, None],
        "bias": weights[-1:],
    }
    nodes = [
        helper.make_node("Concat", mg.features, ["x"], axis=1),
        helper.make_node("IsNaN", ["x"], ["missing"]),
        helper.make_node("Where", ["missing", "means", "x"], ["filled"]),
        helper.make_node("Sub", ["filled", "means"], ["centred"]),
        helper.make_node("Div", ["centred", "spreads"], ["scaled"]),
        helper.make_node("MatMul", ["scaled", "weights"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["z"]),
        helper.make_node("Sigmoid", ["z"], ["probability"]),
    ]
    made = helper.make_graph(
        nodes,
        "logistic",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 1]) for name in mg.features],
        [helper.make_tensor_value_info("probability", TensorProto.FLOAT, [None, 1])],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in constants.items()],
    )
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


mg.save(
    graph(),
    predict=predict,
    metrics={"auc": auc(predict(validation.X), validation.y)},
    importance=dict(zip(mg.features, np.abs(weights[:-1]))),
)
