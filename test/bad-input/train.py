"""The smallest honest training: five trees over two numbers and a text."""

import modelgate as mg
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder
from skl2onnx import to_onnx

train, validation = mg.load("train"), mg.load("validation")
encode = ColumnTransformer(
    [("category", OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), mg.strings)],
    remainder="passthrough",
)
trees = HistGradientBoostingClassifier(max_iter=5, early_stopping=False, random_state=mg.seed)
model = Pipeline([("encode", encode), ("trees", trees)]).fit(train.X, train.y)


def probability(X):
    return model.predict_proba(X)[:, 1]


graph = to_onnx(model, initial_types=mg.onnx_types(), options={"zipmap": False}, target_opset={"": 17, "ai.onnx.ml": 3})
mg.save(graph, probability, {"auc": roc_auc_score(validation.y, probability(validation.X))})
