# SPDX-License-Identifier: MIT
"""The network that every framework trains, and what is asked of a framework."""

from dataclasses import dataclass
from typing import Protocol

from trainers.common.features import Floats

HIDDEN_SIZES = (128, 64, 32)
NORMALIZATION_EPSILON = 1e-3
NORMALIZATION_MOMENTUM = 0.99
DROPOUT = 0.3
LEARNING_RATE = 1e-3
ADAM_EPSILON = 1e-7


@dataclass(frozen=True)
class Layer:
    """One dense layer: weight[inputs][outputs], and its normalisation where it has one."""

    weight: Floats
    bias: Floats
    gamma: Floats | None = None
    beta: Floats | None = None
    mean: Floats | None = None
    variance: Floats | None = None


class Framework(Protocol):
    """A network in some framework: Dense -> BatchNorm -> ReLU -> Dropout, then one logit."""

    name: str

    def train_epoch(self, rows: Floats, labels: Floats, learning_rate: float) -> float:
        """Takes one pass of Adam steps over the rows in random order; gives the mean loss."""

    def logits(self, rows: Floats) -> Floats:
        """The log-odds of each row, as the network serves."""

    def layers(self) -> list[Layer]:
        """Copies of all tensors."""
