"""Trains the model: gradient boosting, with its preprocessing in one ONNX graph.

modelgate.yaml names this script. It is yours: change the model, keep the call of mg.save. The module modelgate is on
its path when ModelGate runs it: mg.load gives rows, mg.parameters what modelgate.yaml says under train.params.
"""

import modelgate as mg
import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.inspection import permutation_importance
from sklearn.metrics import mean_absolute_error, root_mean_squared_error
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder
from skl2onnx import to_onnx

train, validation = mg.load("train"), mg.load("validation")

# Texts become numbers, an unseen one -1. Numbers pass through: trees need no scaler.
encode = ColumnTransformer(
    [("text", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), mg.strings)],
    remainder="passthrough",
)
boost = HistGradientBoostingRegressor(early_stopping=False, random_state=mg.seed, **mg.parameters)
model = Pipeline([("encode", encode), ("boost", boost)]).fit(train.X, train.y)

# The exported graph computes in float32. Thresholds that float32 can hold, and leaves that are multiples of one power
# of two, make both compute the same, so that no row takes another way in production than it took here.
trees = [tree for trees_of_step in boost._predictors for tree in trees_of_step]
largest = np.abs(boost._baseline_prediction).max() + sum(np.abs(tree.nodes["value"]).max() for tree in trees)
unit = 2.0 ** (np.ceil(np.log2(max(largest, 1e-30))) - 23)
for tree in trees:
    tree.nodes["num_threshold"] = tree.nodes["num_threshold"].astype(np.float32)
    tree.nodes["value"] = np.round(tree.nodes["value"] / unit) * unit
boost._baseline_prediction = np.round(boost._baseline_prediction / unit) * unit

predicted = model.predict(validation.X)
metrics = {
    "rmse": root_mean_squared_error(validation.y, predicted),
    "mae": mean_absolute_error(validation.y, predicted),
}
print(f"{len(trees)} trees on {len(train)} rows; validation rmse {metrics['rmse']:.4g}", flush=True)

# How much worse the model gets when a feature is shuffled: drift of what matters weighs more.
step = max(1, len(validation) // 2000)
shuffled = permutation_importance(
    model, validation.X[::step], validation.y[::step], n_repeats=3, random_state=mg.seed
)

graph = to_onnx(model, initial_types=mg.onnx_types(), target_opset={"": 17, "ai.onnx.ml": 3})
mg.save(graph, model.predict, metrics, importance=dict(zip(mg.features, shuffled.importances_mean)))
