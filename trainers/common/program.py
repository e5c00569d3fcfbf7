# SPDX-License-Identifier: MIT
"""The command line of a trainer: from feature files to a bundle."""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from safetensors.numpy import save_file

from trainers.common.features import golden_rows, read_features, validation_flags
from trainers.common.network import NORMALIZATION_EPSILON, Framework, Layer
from trainers.common.training import Training, class_weights, train

# Makes a network: inputs, weights of both classes, batch size, seed.
Maker = Callable[[int, tuple[float, float], int, int], Framework]


def write_network(folder: Path, framework: str, training: Training) -> None:
    """Writes what `pdm bundle` reads."""
    tensors, described = {}, []
    for index, layer in enumerate(training.best):
        for name, value in vars(layer).items():
            if value is not None:
                tensors[f"layers.{index}.{name}"] = value
        described.append(describe(layer))
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / "weights.safetensors")
    content = {
        "format": 1,
        "framework": framework,
        "layers": described,
        "epochs": [asdict(epoch) for epoch in training.epochs],
        "golden_probabilities": training.golden,
    }
    (folder / "network.json").write_text(json.dumps(content, indent=1))


def describe(layer: Layer) -> dict[str, object]:
    """A layer as a bundle's manifest describes it."""
    inputs, outputs = layer.weight.shape
    if layer.gamma is None:
        return {"inputs": inputs, "outputs": outputs, "activation": "sigmoid"}
    return {
        "inputs": inputs,
        "outputs": outputs,
        "activation": "relu",
        "normalization": {"epsilon": NORMALIZATION_EPSILON, "position": "before_activation"},
    }


def parser(framework: str) -> argparse.ArgumentParser:
    """The options; those that `pdm train` has too mean the same."""
    options = argparse.ArgumentParser(
        prog=f"python -m trainers.{framework}",
        description="Trains the network on a feature file and writes a model bundle.",
    )
    options.add_argument("--train-data", type=Path, required=True)
    options.add_argument("--test-data", type=Path, required=True)
    options.add_argument("--epochs", type=int, default=50)
    options.add_argument("--batch-size", type=int, default=128)
    options.add_argument("--seed", type=int, default=42)
    options.add_argument("--validation-size", type=float, default=0.2)
    options.add_argument("--output-dir", type=Path, default=Path("models"))
    options.add_argument("--model", default="predictive-maintenance")
    options.add_argument("--version", help="the bundle's version (default: now, UTC)")
    options.add_argument("--network-dir", type=Path, help="keep what `pdm bundle` is given")
    options.add_argument("--pdm", default="pdm", help="the program that seals the bundle")
    return options


def main(framework: str, make: Maker) -> None:
    """Trains, then lets `pdm` check and seal the bundle."""
    options = parser(framework).parse_args()
    table = read_features(options.train_data)
    is_validation = validation_flags(table, options.validation_size, options.seed)
    network = make(
        table.rows.shape[1],
        class_weights(table.labels[~is_validation]),
        options.batch_size,
        options.seed,
    )
    training = train(
        network,
        table,
        is_validation,
        golden_rows(options.train_data),
        options.epochs,
    )
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.network_dir or Path(scratch)
        write_network(folder, network.name, training)
        command = [options.pdm, "bundle", "--network", folder]
        for name in ("train_data", "test_data", "output_dir", "model", "version"):
            value = getattr(options, name)
            if value is not None:
                command += [f"--{name.replace('_', '-')}", value]
        sys.exit(subprocess.run(command, check=False).returncode)
