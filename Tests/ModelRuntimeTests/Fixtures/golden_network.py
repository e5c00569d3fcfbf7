# SPDX-License-Identifier: MIT
"""Writes golden_network.json: small networks and their probabilities, computed in float64 by numpy.

    python3 golden_network.py > golden_network.json
"""

import json

import numpy as np

ACTIVATIONS = {
    "identity": lambda z: z,
    "relu": lambda z: np.maximum(z, 0),
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
}


def floats(array):
    """The values as float32, flat and row-major."""
    return [float(v) for v in np.asarray(array, np.float32).ravel()]


def make_case(name, sizes, activations, positions, rows, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1.5, (rows, sizes[0])).astype(np.float32).astype(np.float64)
    layers, a = [], x
    for inputs, outputs, activation, position in zip(sizes, sizes[1:], activations, positions):
        w = rng.normal(0, 1 / np.sqrt(inputs), (inputs, outputs)).astype(np.float32)
        b = rng.normal(0, 0.5, outputs).astype(np.float32)
        layer = {"inputs": inputs, "outputs": outputs, "activation": activation,
                 "weight": floats(w), "bias": floats(b)}
        gamma = rng.normal(1, 0.3, outputs).astype(np.float32)
        beta = rng.normal(0, 0.3, outputs).astype(np.float32)
        mean = rng.normal(0, 0.3, outputs).astype(np.float32)
        variance = rng.uniform(0.2, 2, outputs).astype(np.float32)
        epsilon = 1e-3

        def normalize(v):
            w64 = gamma.astype(np.float64) / np.sqrt(variance.astype(np.float64) + epsilon)
            return (v - mean) * w64 + beta

        z = a @ w.astype(np.float64) + b
        if position == "beforeActivation":
            z = normalize(z)
        if outputs == 1:
            logit = z
        a = ACTIVATIONS[activation](z)
        if position == "afterActivation":
            a = normalize(a)
        if position:
            layer.update(position=position, epsilon=epsilon, gamma=floats(gamma), beta=floats(beta),
                         mean=floats(mean), variance=floats(variance))
        layers.append(layer)
    return {"name": name, "layers": layers, "rows": floats(x),
            "logits": logit.ravel().tolist(), "probabilities": a.ravel().tolist()}


BEFORE, AFTER = "beforeActivation", "afterActivation"
CASES = [
    make_case("normalised before", [7, 33, 12, 5, 1], ["relu"] * 3 + ["sigmoid"],
              [BEFORE] * 3 + [None], 13, 1),
    make_case("normalised after", [5, 16, 9, 1], ["relu"] * 2 + ["sigmoid"],
              [AFTER] * 2 + [None], 7, 2),
    make_case("mixed", [6, 20, 17, 8, 1], ["tanh", "sigmoid", "identity", "sigmoid"],
              [AFTER, None, BEFORE, BEFORE], 9, 3),
    make_case("one layer", [11, 1], ["sigmoid"], [None], 5, 4),
]
print(json.dumps({"cases": CASES}))
