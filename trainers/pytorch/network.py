# SPDX-License-Identifier: MIT
"""The network in PyTorch."""

import numpy as np
import torch
from torch import nn

from trainers.common import network as shape
from trainers.common.features import Floats
from trainers.common.network import Layer


def copied(tensor: torch.Tensor) -> Floats:
    """A copy that later steps do not change."""
    return np.array(tensor.detach().numpy(), np.float32, order="C")


class TorchNetwork:
    """A sequence of modules whose output is the logit, and its fused Adam."""

    def __init__(
        self, inputs: int, class_weights: tuple[float, float], batch_size: int, seed: int
    ) -> None:
        """Makes the network with weights of this seed."""
        torch.manual_seed(seed)
        self.name = f"pytorch {torch.__version__}"
        self.class_weights = class_weights
        self.batch_size = batch_size
        modules: list[nn.Module] = []
        width = inputs
        for size in shape.HIDDEN_SIZES:
            dense = nn.Linear(width, size)
            nn.init.kaiming_normal_(dense.weight, nonlinearity="relu")
            nn.init.zeros_(dense.bias)
            modules += [
                dense,
                # PyTorch's momentum is the share of the new moments.
                nn.BatchNorm1d(
                    size,
                    eps=shape.NORMALIZATION_EPSILON,
                    momentum=1 - shape.NORMALIZATION_MOMENTUM,
                ),
                nn.ReLU(),
                nn.Dropout(shape.DROPOUT),
            ]
            width = size
        last = nn.Linear(width, 1)
        nn.init.xavier_uniform_(last.weight)
        nn.init.zeros_(last.bias)
        self.model = nn.Sequential(*modules, last)
        self.optimizer = torch.optim.Adam(
            self.model.parameters(), lr=shape.LEARNING_RATE, eps=shape.ADAM_EPSILON, fused=True
        )

    def train_epoch(self, rows: Floats, labels: Floats, learning_rate: float) -> float:
        """One pass over the rows in random order."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        all_rows, all_labels = torch.from_numpy(rows), torch.from_numpy(labels)
        weights = torch.where(all_labels > 0, self.class_weights[1], self.class_weights[0])
        self.model.train()
        total, counted = 0.0, 0
        for batch in torch.randperm(len(rows)).split(self.batch_size):
            # One row has no variance.
            if len(batch) < 2:
                continue
            loss = nn.functional.binary_cross_entropy_with_logits(
                self.model(all_rows[batch]).squeeze(1), all_labels[batch], weights[batch]
            )
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            total += float(loss.detach()) * len(batch)
            counted += len(batch)
        return total / counted

    def logits(self, rows: Floats) -> Floats:
        """The log-odds of each row."""
        self.model.eval()
        with torch.inference_mode():
            return copied(self.model(torch.from_numpy(rows)).squeeze(1))

    def layers(self) -> list[Layer]:
        """Copies of all tensors; PyTorch keeps weights transposed."""
        found: list[Layer] = []
        for module in self.model:
            if isinstance(module, nn.Linear):
                found.append(Layer(copied(module.weight.T), copied(module.bias)))
            elif isinstance(module, nn.BatchNorm1d):
                tensors = (module.weight, module.bias, module.running_mean, module.running_var)
                dense = found[-1]
                found[-1] = Layer(dense.weight, dense.bias, *(copied(one) for one in tensors))
        return found
