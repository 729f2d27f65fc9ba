"""A plain linear model of prices. It knows no lower limit: see candidates/linear.yaml."""

import modelgate as mg
import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_absolute_error, mean_absolute_percentage_error, root_mean_squared_error
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder
from skl2onnx import to_onnx
from skl2onnx.sklapi import CastTransformer

train, validation = mg.load("train"), mg.load("validation")

# float64 within the graph: where a sum of thousands comes out near zero, float32 would not agree
double = CastTransformer(dtype=np.float64)
encode = ColumnTransformer(
    [
        ("category", make_pipeline(OneHotEncoder(handle_unknown="ignore", sparse_output=False), double), mg.strings),
        ("number", double, mg.numbers),
    ]
)
model = Pipeline([("encode", encode), ("linear", LinearRegression())]).fit(train.X, train.y)

predicted = model.predict(validation.X)
metrics = {
    "rmse": root_mean_squared_error(validation.y, predicted),
    "mae": mean_absolute_error(validation.y, predicted),
    "mape": mean_absolute_percentage_error(validation.y, predicted),
}
print(f"validation rmse {metrics['rmse']:.0f}, lowest price {predicted.min():.0f}", flush=True)

graph = to_onnx(model, initial_types=mg.onnx_types(), target_opset={"": 17, "ai.onnx.ml": 3})
mg.save(graph, model.predict, metrics)
