"""What bench/gate/speed.ts is held against: the same figures by scikit-learn's and SciPy's usual ways.

    python bench/gate/reference.py FOLDER ROWS REPEATS F1_REPLICATES MEAN_REPLICATES

FOLDER holds y.f64, a.f64 and b.f64 (doubles in this machine's order). Prints one JSON object: for each task the
CPU seconds of each repeat, the replicates that were run, and values to compare. Imports nothing of ModelGate.
"""

import json
import pathlib
import platform
import sys
import time

import numpy as np
import scipy
import sklearn
from scipy import stats
from sklearn.metrics import (
    accuracy_score,
    balanced_accuracy_score,
    brier_score_loss,
    f1_score,
    log_loss,
    precision_score,
    recall_score,
    roc_auc_score,
)
from sklearn.utils import resample


def measured(repeats, task):
    seconds, value = [], None
    for _ in range(repeats):
        started = time.process_time()
        value = task()
        seconds.append(time.process_time() - started)
    return {"seconds": seconds, **value}


def delong(y, a, b):
    """Paired DeLong from mid-ranks (Sun & Xu 2014), with scipy.stats.rankdata."""
    pos, neg = y == 1, y == 0
    m, n = pos.sum(), neg.sum()
    v10, v01, auc = [], [], []
    for s in (a, b):
        both = stats.rankdata(s)
        v10.append((both[pos] - stats.rankdata(s[pos])) / n)
        v01.append(1 - (both[neg] - stats.rankdata(s[neg])) / m)
        auc.append(v10[-1].mean())
    cov = np.cov(np.array(v10)) / m + np.cov(np.array(v01)) / n
    return {"diff": auc[1] - auc[0], "se": float(np.sqrt(cov[0, 0] + cov[1, 1] - 2 * cov[0, 1]))}


def main(folder, rows, repeats, f1_replicates, mean_replicates):
    y, a, b = (np.fromfile(pathlib.Path(folder) / f"{c}.f64", np.float64, rows) for c in "yab")
    ha, hb = a >= 0.5, b >= 0.5
    loss = (b - y) ** 2 - (a - y) ** 2

    def f1():
        values = []
        for seed in range(f1_replicates):
            t, p, q = resample(y, ha, hb, random_state=seed)
            values.append(f1_score(t, q) - f1_score(t, p))
        return {"diff": f1_score(y, hb) - f1_score(y, ha), "se": float(np.std(values, ddof=1))}

    def mean():
        values = [resample(loss, random_state=seed).mean() for seed in range(mean_replicates)]
        return {"diff": float(loss.mean()), "se": float(np.std(values, ddof=1))}

    def auc():
        return {"diff": roc_auc_score(y, b) - roc_auc_score(y, a)}

    def slices():
        # the ten of speed.ts but the calibration error, which scikit-learn has not as a metric; macro F1 is f1_score's
        of_class = [accuracy_score, f1_score, precision_score, recall_score, balanced_accuracy_score]
        of_class.append(lambda t, p: f1_score(t, p, average="macro"))
        of_score = [roc_auc_score, log_loss, brier_score_loss]
        differences = []
        for one in range(50):
            rows_of = slice(one, None, 50)
            t = y[rows_of]
            for metric in of_class:
                metric(t, hb[rows_of]) - metric(t, ha[rows_of])
            found = [metric(t, b[rows_of]) - metric(t, a[rows_of]) for metric in of_score]
            differences.append(found[0])
        return {"diff": float(np.mean(differences))}

    print(json.dumps({
        "slices": measured(repeats, slices),
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__},
        "f1": {"replicates": f1_replicates, **measured(repeats, f1)},
        "mean": {"replicates": mean_replicates, **measured(repeats, mean)},
        "auc": measured(repeats, auc),
        "delong": measured(repeats, lambda: delong(y, a, b)),
    }))


if __name__ == "__main__":
    main(sys.argv[1], *(int(x) for x in sys.argv[2:]))
