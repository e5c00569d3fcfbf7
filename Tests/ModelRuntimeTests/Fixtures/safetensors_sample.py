# SPDX-License-Identifier: MIT
"""Writes safetensors_sample.safetensors with the reference implementation (safetensors 0.8.0).

    pip install safetensors==0.8.0 numpy && python safetensors_sample.py
"""

import pathlib

import numpy
from safetensors.numpy import save_file

save_file(
    {
        "layers.0.weight": numpy.arange(6, dtype=numpy.float32).reshape(2, 3) / 2,
        "layers.0.bias": numpy.array([-1, 1e-3, 65504], dtype=numpy.float32),
    },
    pathlib.Path(__file__).with_suffix(".safetensors"),
    metadata={"format": "np"},
)
