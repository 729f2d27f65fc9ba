"""Trains the model of late flights: categories by number, gradient boosting, all in one ONNX graph."""

import modelgate as mg
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.inspection import permutation_importance
from sklearn.metrics import log_loss, roc_auc_score
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
boost = HistGradientBoostingClassifier(early_stopping=False, random_state=mg.seed, **mg.parameters)
model = Pipeline([("encode", encode), ("boost", boost)]).fit(train.X, train.y)
print(f"trained {boost.n_iter_} trees on {len(train)} rows", flush=True)


def probability(X):
    return model.predict_proba(X)[:, 1]


predicted = probability(validation.X)
metrics = {"auc": roc_auc_score(validation.y, predicted), "log_loss": log_loss(validation.y, predicted)}
print(f"validation auc {metrics['auc']:.4f}, log loss {metrics['log_loss']:.4f}", flush=True)

step = max(1, len(validation) // 5000)
permuted = permutation_importance(
    model, validation.X[::step], validation.y[::step], scoring="roc_auc", n_repeats=3, random_state=mg.seed
)

graph = to_onnx(model, initial_types=mg.onnx_types(), options={"zipmap": False}, target_opset={"": 17, "ai.onnx.ml": 3})
mg.save(graph, probability, metrics, importance=dict(zip(mg.features, permuted.importances_mean)))
