# SPDX-License-Identifier: MIT
"""Writes calibration.json: what scikit-learn makes of some logits and labels.

    python3 calibration.py > calibration.json
"""

import json

import numpy as np
from sklearn import metrics
from sklearn.calibration import _sigmoid_calibration
from sklearn.isotonic import IsotonicRegression

PARTS = 15


def calibration_error(y, p):
    """Mean difference of mean probability and rate in equal parts of the sorted rows."""
    order = np.lexsort((y, p))
    total = 0.0
    for index in range(PARTS):
        rows = order[index * len(y) // PARTS:(index + 1) * len(y) // PARTS]
        if len(rows):
            total += abs(p[rows].mean() - y[rows].mean()) * len(rows)
    return total / len(y)


def make_case(name, logits, labels):
    # As floats, which is what a network answers.
    x, y = np.asarray(logits, np.float32).astype(float), np.asarray(labels)
    p = 1 / (1 + np.exp(-x))
    a, b = _sigmoid_calibration(x, y)
    isotonic = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(x, y)
    grid = np.linspace(x.min() - 1, x.max() + 1, 41).astype(np.float32).astype(float)
    return {
        "name": name, "logits": x.tolist(), "labels": y.tolist(), "grid": grid.tolist(),
        "platt": (1 / (1 + np.exp(a * grid + b))).tolist(),
        "isotonic": isotonic.predict(grid).tolist(),
        "brierSkill": float(metrics.d2_brier_score(y, p)),
        "calibrationError": float(calibration_error(y, p)),
    }


rng = np.random.default_rng(11)
x = rng.normal(-2, 2, 400)
y = (rng.random(400) < 1 / (1 + np.exp(1.5 - 1.2 * x))).astype(int)
CASES = [
    make_case("random", x, y),
    make_case("many ties", np.round(x), y),
    make_case("sure of itself", 3 * x, y),
    make_case("few", [-1.5, 0.25, 0.5, 2, -0.25], [0, 1, 0, 1, 0]),
    make_case("far out", np.concatenate([x[:40], [-800, -90, 60, 700]]), [*y[:40], 0, 0, 1, 1]),
    make_case("close to zero", x[:60] * 1e-6, y[:60]),
    make_case("rare", x[:200] - 3, (np.arange(200) == np.argmax(x[:200])).astype(int)),
]
print(json.dumps({"cases": CASES}))
