# SPDX-License-Identifier: MIT
"""Trains a framework's network with early stopping, as `pdm train` does."""

import time
from dataclasses import dataclass, field

import numpy as np

from trainers.common.features import FeatureTable, Flags, Floats
from trainers.common.network import LEARNING_RATE, Framework, Layer

STOP_PATIENCE = 10
PLATEAU_PATIENCE = 5
PLATEAU_FACTOR = 0.5
LEARNING_RATE_MIN = 1e-6


@dataclass(frozen=True)
class Epoch:
    """What one epoch came to; `pr_auc` is that of the validation rows."""

    seconds: float
    loss: float
    pr_auc: float | None


@dataclass
class Training:
    """The best network so far and how it came about."""

    epochs: list[Epoch] = field(default_factory=list)
    best: list[Layer] = field(default_factory=list)
    best_score: float = -1.0
    golden: list[float] = field(default_factory=list)


def class_weights(labels: Floats) -> tuple[float, float]:
    """Weights of class 0 and 1: total / (2 count_c)."""
    positives = float(labels.sum())
    negatives = len(labels) - positives
    if positives == 0 or negatives == 0:
        raise SystemExit("error: the training rows are all of one class")
    return len(labels) / (2 * negatives), len(labels) / (2 * positives)


def average_precision(scores: Floats, labels: Floats) -> float | None:
    """As scikit-learn's average_precision_score; None without positives."""
    order = np.argsort(-scores, kind="stable")
    sorted_scores, hits = scores[order], labels[order].astype(np.float64)
    last = np.append(np.flatnonzero(np.diff(sorted_scores)), len(scores) - 1)
    positives = np.cumsum(hits)[last]
    if positives.size == 0 or positives[-1] == 0:
        return None
    steps = np.diff(positives, prepend=0.0)
    return float(np.sum(steps * positives / (last + 1)) / positives[-1])


def probabilities(logits: Floats) -> list[float]:
    """The sigmoid in double precision."""
    return [float(p) for p in 1 / (1 + np.exp(-logits.astype(np.float64)))]


def train(
    framework: Framework,
    table: FeatureTable,
    is_validation: Flags,
    golden: Floats,
    epochs: int,
) -> Training:
    """Trains on some rows, judges each epoch on the others and keeps the best weights.

    Without failures among the validation rows all epochs run and the last weights are kept.
    """
    train_rows, train_labels = table.rows[~is_validation], table.labels[~is_validation]
    held_rows, held_labels = table.rows[is_validation], table.labels[is_validation]
    training = Training()
    rate = LEARNING_RATE
    since_best = since_plateau = 0
    for number in range(1, epochs + 1):
        start = time.perf_counter()
        loss = framework.train_epoch(train_rows, train_labels, rate)
        score = average_precision(framework.logits(held_rows), held_labels)
        seconds = time.perf_counter() - start
        training.epochs.append(Epoch(seconds, loss, score))
        is_best = score is None or score > training.best_score
        if is_best:
            training.best, training.best_score = framework.layers(), score or 0.0
            training.golden = probabilities(framework.logits(golden))
            since_best = since_plateau = 0
        else:
            since_best += 1
            since_plateau += 1
        print(
            f"epoch {number}/{epochs}  loss {loss:.4f}  pr-auc {score or 0:.4f}"
            f"  lr {rate:g}  {seconds:.2f} s{'  *' if is_best else ''}",
            flush=True,
        )
        if since_best >= STOP_PATIENCE:
            break
        if since_plateau >= PLATEAU_PATIENCE:
            rate, since_plateau = max(rate * PLATEAU_FACTOR, LEARNING_RATE_MIN), 0
    return training
