# SPDX-License-Identifier: MIT
"""The trainer of PyTorch."""
