# SPDX-License-Identifier: MIT
"""Writes classification_metrics.json: what scikit-learn makes of some labels and probabilities.

    python3 classification_metrics.py > classification_metrics.json
"""

import json
import warnings

import numpy as np
from sklearn import metrics

warnings.simplefilter("ignore")


def make_case(name, labels, probabilities, threshold=0.5):
    y, p = np.asarray(labels), np.asarray(probabilities, float)
    called = (p >= threshold).astype(int)
    both = len(set(y.tolist())) == 2
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        y, called, labels=[0, 1], zero_division=0)
    # How often a draw of machines took each row; some not at all.
    weights = np.random.default_rng(len(y)).integers(0, 4, len(y))
    weighed = len(set(y[weights > 0].tolist())) == 2
    averages = {}
    for kind in ("macro", "weighted"):
        values = metrics.precision_recall_fscore_support(
            y, called, average=kind, zero_division=0)
        averages[kind] = [float(v) for v in values[:3]]
    return {
        "name": name, "labels": y.tolist(), "probabilities": p.tolist(), "threshold": threshold,
        "confusion": metrics.confusion_matrix(y, called, labels=[0, 1]).ravel().tolist(),
        "accuracy": float(metrics.accuracy_score(y, called)),
        "precision": precision.tolist(), "recall": recall.tolist(), "f1": f1.tolist(),
        "support": support.tolist(), **averages,
        "rocAUC": float(metrics.roc_auc_score(y, p)) if both else None,
        "prAUC": float(metrics.average_precision_score(y, p)) if y.any() else None,
        "weights": weights.tolist(),
        "weightedRocAUC": float(metrics.roc_auc_score(y, p, sample_weight=weights))
        if weighed else None,
        "weightedPrAUC": float(metrics.average_precision_score(y, p, sample_weight=weights))
        if weighed else None,
        "logLoss": float(metrics.log_loss(y, p, labels=[0, 1])),
        "brier": float(np.mean((p - y) ** 2) if not both else metrics.brier_score_loss(y, p)),
    }


rng = np.random.default_rng(7)
y = (rng.random(300) < 0.15).astype(int)
p = np.clip(rng.normal(0.3 + 0.3 * y, 0.2), 0.001, 0.999)
CASES = [
    make_case("random", y, p),
    make_case("other threshold", y, p, 0.7),
    make_case("many ties", y, np.round(p, 1)),
    make_case("all tied", [0, 1, 0, 0, 1], [0.25] * 5),
    make_case("only class 0", [0, 0, 0], [0.1, 0.6, 0.3]),
    make_case("only class 1", [1, 1], [0.4, 0.9]),
    make_case("one row", [1], [0.5]),
    make_case("two rows, wrong way", [1, 0], [0.2, 0.8]),
    make_case("perfect", [0, 0, 1, 1], [0.0, 0.1, 0.9, 1.0]),
    make_case("certain and wrong", [0, 1, 1], [1.0, 0.0, 1.0]),
    make_case("nothing called", [0, 1, 0], [0.1, 0.2, 0.3]),
    make_case("tiny probabilities", [0, 1, 0, 1], [1e-300, 1e-12, 1e-13, 1e-17]),
    make_case("subnormal probabilities", [0, 1, 1, 0], [5e-324, 1e-323, 0.0, -0.0]),
    make_case("one step apart", y[:200], 0.5 + rng.integers(0, 30, 200) * 2.0**-53),
    make_case("near certainty", y[:200], 1 - rng.integers(0, 9, 200) * 2.0**-53),
]
print(json.dumps({"cases": CASES}))
