# SPDX-License-Identifier: MIT
"""Trains the network with Keras on TensorFlow: python -m trainers.keras --help."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

from trainers.common.program import main
from trainers.keras.network import KerasNetwork

if __name__ == "__main__":
    main("keras", KerasNetwork)
