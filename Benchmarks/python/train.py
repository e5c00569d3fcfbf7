"""An epoch of training beside Keras and PyTorch (fused Adam): the same data, network and batches.

Usage: train.py PROGRAM, from the root of the repository. Each trains in a process of its own, in
turn, with one thread and with a thread per core; the shortest epoch counts, validation included.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path.cwd()))
from trainers.common.training import average_precision, class_weights

TRAIN_ROWS = 20_000
VALIDATION_ROWS = 5_000
INPUTS = 96
BATCH = 128
EPOCHS = 15
SEED = 1
ROUNDS = 2
SHARE_GOAL = 0.5
# The best validation PR-AUC varies by about this with the seed.
WORSE_ALLOWED = 0.01
RIVALS = ("keras", "pytorch")

Floats = NDArray[np.float32]
Epochs = list[dict[str, Any]]


def data() -> Floats:
    """Rows of features and a label that depends on some of them and on their products."""
    source = np.random.default_rng(SEED)
    rows = source.normal(size=(TRAIN_ROWS + VALIDATION_ROWS, INPUTS)).astype(np.float32)
    score = rows[:, :8].sum(1) + 2 * rows[:, 8] * rows[:, 9] + 2 * np.abs(rows[:, 10])
    label = score + source.normal(size=len(rows)) > 6
    return np.column_stack([rows, label]).astype(np.float32)


def torch_epochs(rows: Floats, labels: Floats, threads: int) -> Epochs:
    """What PyTorch takes and reaches."""
    import torch  # noqa: PLC0415

    from trainers.pytorch.network import TorchNetwork  # noqa: PLC0415

    torch.set_num_threads(threads)
    weights = class_weights(labels[:TRAIN_ROWS])
    network = TorchNetwork(INPUTS, weights, BATCH, SEED)
    epochs: Epochs = []
    for _ in range(EPOCHS):
        start = time.perf_counter()
        loss = network.train_epoch(rows[:TRAIN_ROWS], labels[:TRAIN_ROWS], 1e-3)
        score = average_precision(network.logits(rows[TRAIN_ROWS:]), labels[TRAIN_ROWS:])
        epochs.append({"seconds": time.perf_counter() - start, "loss": loss, "pr_auc": score})
    return epochs


def keras_epochs(rows: Floats, labels: Floats, threads: int) -> Epochs:
    """What Keras takes and reaches, in one call of its own loop."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import keras  # noqa: PLC0415
    import tensorflow as tf  # noqa: PLC0415

    from trainers.keras.network import KerasNetwork  # noqa: PLC0415

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    network = KerasNetwork(INPUTS, class_weights(labels[:TRAIN_ROWS]), BATCH, SEED)
    held = rows[TRAIN_ROWS:], labels[TRAIN_ROWS:]
    epochs: Epochs = []
    start = time.perf_counter()

    def finish(_: int, logs: dict[str, float]) -> None:
        nonlocal start
        seconds = time.perf_counter() - start
        # Keras has no average precision of its own; computing it is not counted.
        score = average_precision(network.logits(held[0]), held[1])
        epochs.append({"seconds": seconds, "loss": logs["loss"], "pr_auc": score})
        start = time.perf_counter()

    network.model.fit(
        rows[:TRAIN_ROWS],
        labels[:TRAIN_ROWS],
        batch_size=BATCH,
        epochs=EPOCHS,
        class_weight=network.class_weight,
        validation_data=held,
        validation_batch_size=VALIDATION_ROWS,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=finish)],
        verbose=0,
    )
    return epochs


def measured(command: list[str]) -> Epochs:
    """The epochs that a program prints, one a line."""
    lines = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    return [json.loads(line) for line in lines.splitlines()]


def compare(program: str) -> int:
    """Prints the table; status 1 where a goal is missed."""
    cores = len(os.sched_getaffinity(0))
    results: dict[str, Epochs] = {}
    with tempfile.NamedTemporaryFile() as file:
        data().tofile(file.name)
        numbers = {
            "--inputs": INPUTS,
            "--validation-rows": VALIDATION_ROWS,
            "--epochs": EPOCHS,
            "--batch-size": BATCH,
        }
        options = [text for pair in numbers.items() for text in map(str, pair)]
        commands = {}
        for trainer in ("ours", *RIVALS):
            for threads in sorted({1, cores}):
                name = f"{trainer}, {threads} thread{'s' if threads > 1 else ''}"
                command = [program, "train", file.name, *options]
                if trainer != "ours":
                    command = [sys.executable, __file__, file.name, "--rival", trainer]
                commands[name] = [*command, "--threads", str(threads)]
        for _ in range(ROUNDS):
            for name, command in commands.items():
                results.setdefault(name, []).extend(measured(command))
    best = {name: min(epoch["seconds"] for epoch in epochs) for name, epochs in results.items()}
    score = {name: max(epoch["pr_auc"] for epoch in epochs) for name, epochs in results.items()}
    ours = min((name for name in best if name.startswith("ours")), key=best.__getitem__)
    others = [name for name in best if not name.startswith("ours")]
    print(f"{TRAIN_ROWS} x {INPUTS}, batch {BATCH}, shortest of {ROUNDS} x {EPOCHS} epochs")
    for name, seconds in best.items():
        share = best[ours] / seconds
        print(
            f"{name:20s} {seconds:7.4f} s   {ours} takes {share:5.2f} of it"
            f"   best validation PR-AUC {score[name]:.4f}"
        )
    share = best[ours] / min(best[name] for name in others)
    worse = max(score[name] for name in others) - score[ours]
    missed = []
    if share > SHARE_GOAL:
        missed.append(f"MISSED {share:.2f} of the fastest rival's epoch, the goal is {SHARE_GOAL}")
    if worse > WORSE_ALLOWED:
        missed.append(f"MISSED PR-AUC is {worse:.4f} below the best")
    print("\n".join(missed))
    return 1 if missed else 0


def main() -> int:
    """Compares, or trains one rival and prints its epochs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("path", help="the program, or the data of a rival")
    parser.add_argument("--rival", choices=RIVALS)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    if not options.rival:
        return compare(options.path)
    table = np.fromfile(options.path, np.float32).reshape(-1, INPUTS + 1)
    rows, labels = np.ascontiguousarray(table[:, :-1]), table[:, -1].copy()
    run = keras_epochs if options.rival == "keras" else torch_epochs
    for epoch in run(rows, labels, options.threads):
        print(json.dumps(epoch))
    return 0


if __name__ == "__main__":
    sys.exit(main())
