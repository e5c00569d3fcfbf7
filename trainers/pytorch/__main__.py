# SPDX-License-Identifier: MIT
"""Trains the network with PyTorch: python -m trainers.pytorch --help."""

from trainers.common.program import main
from trainers.pytorch.network import TorchNetwork

if __name__ == "__main__":
    main("pytorch", TorchNetwork)
