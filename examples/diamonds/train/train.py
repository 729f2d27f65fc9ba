"""Trains the model of prices: gradient boosting of the price's logarithm, all in one ONNX graph."""

import modelgate as mg
import numpy as np
from onnx import helper
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.inspection import permutation_importance
from sklearn.metrics import mean_absolute_error, mean_absolute_percentage_error, root_mean_squared_error
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder
from skl2onnx import to_onnx

train, validation = mg.load("train"), mg.load("validation")

# Trees need no scaler, and `categorical_features=` does not survive the conversion: numbers pass through,
# categories become numbers, an unseen one -1.
encode = ColumnTransformer(
    [("category", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), mg.strings)],
    remainder="passthrough",
)
boost = HistGradientBoostingRegressor(early_stopping=False, random_state=mg.seed, **mg.parameters)
model = Pipeline([("encode", encode), ("boost", boost)]).fit(train.X, np.log(train.y))
print(f"trained {boost.n_iter_} trees on {len(train)} rows", flush=True)


def price(X):
    return np.exp(model.predict(X))


predicted = price(validation.X)
metrics = {
    "rmse": root_mean_squared_error(validation.y, predicted),
    "mae": mean_absolute_error(validation.y, predicted),
    "mape": mean_absolute_percentage_error(validation.y, predicted),
}
print(f"validation rmse {metrics['rmse']:.0f}, mape {metrics['mape']:.4f}", flush=True)

step = max(1, len(validation) // 2000)
permuted = permutation_importance(
    model, validation.X[::step], np.log(validation.y[::step]), n_repeats=3, random_state=mg.seed
)

exported = to_onnx(model, initial_types=mg.onnx_types(), target_opset={"": 17, "ai.onnx.ml": 3})
logarithm = exported.graph.output[0]
exported.graph.node.append(helper.make_node("Exp", [logarithm.name], ["price"]))
logarithm.name = "price"
mg.save(exported, price, metrics, importance=dict(zip(mg.features, permuted.importances_mean)))
