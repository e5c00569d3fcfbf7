# SPDX-License-Identifier: MIT
"""The trainer of Keras on TensorFlow."""
