# SPDX-License-Identifier: MIT
"""Writes robust_scaler.json: what scikit-learn's RobustScaler makes of some columns.

    python3 robust_scaler.py > robust_scaler.json
"""

import json

import numpy as np
from sklearn.preprocessing import RobustScaler


def make_case(name, values):
    x = np.asarray(values, float)
    scaler = RobustScaler().fit(x[:, None])
    return {
        "name": name, "values": x.tolist(),
        "percentiles": np.percentile(x, [0, 10, 25, 50, 75, 99, 100]).tolist(),
        "center": float(scaler.center_[0]), "scale": float(scaler.scale_[0]),
        "scaled": scaler.transform(x[:, None])[:, 0].tolist(),
    }


rng = np.random.default_rng(11)
CASES = [
    make_case("one", [3.5]),
    make_case("two", [1.0, 2.0]),
    make_case("three", [5.0, -1.0, 2.5]),
    make_case("four", [4.0, 1.0, 3.0, 2.0]),
    make_case("constant", [7.0] * 9),
    make_case("equal quartiles", [0.0] * 8 + [1.0, 5.0]),
    make_case("normal", rng.normal(50, 10, 101)),
    make_case("heavy tails", rng.standard_cauchy(64) * 1e6),
    make_case("small", rng.normal(0, 1e-9, 50)),
    make_case("ties", rng.integers(0, 4, 77)),
    make_case("huge", rng.normal(0, 1e300, 60)),
    make_case("tiny", rng.normal(0, 1e-300, 60)),
    make_case("of all sizes", 10.0 ** rng.uniform(-300, 300, 60) * rng.choice([-1, 1], 60)),
    make_case("far from zero", 1e15 + rng.integers(0, 50, 60)),
]
print(json.dumps({"cases": CASES}))
