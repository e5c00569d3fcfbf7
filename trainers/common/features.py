# SPDX-License-Identifier: MIT
"""Reads what `pdm features` writes."""

import csv
import json
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

LABEL = "failure"
ENTITY = "equipment_id"
TIME = "timestamp"


@dataclass(frozen=True)
class FeatureTable:
    """Scaled rows[n][features], their labels, and the machine of each row."""

    rows: Floats
    labels: Floats
    machines: list[str]


def read_features(path: Path) -> FeatureTable:
    """Reads a feature file; rows without machines count as one machine each."""
    with path.open(newline="") as file:
        reader = csv.reader(file)
        header = next(reader)
        own = [i for i, name in enumerate(header) if name not in (LABEL, ENTITY, TIME)]
        label = header.index(LABEL)
        entity = header.index(ENTITY) if ENTITY in header else None
        rows, labels, machines = [], [], []
        for number, fields in enumerate(reader):
            rows.append(np.array([fields[i] for i in own], dtype=np.float32))
            labels.append(float(fields[label]))
            machines.append(str(number) if entity is None else fields[entity])
    return FeatureTable(np.stack(rows), np.array(labels, np.float32), machines)


def validation_flags(table: FeatureTable, share: float, seed: int) -> Flags:
    """Which rows early stopping judges on: whole machines, at least one and never all of them."""
    machines = sorted(set(table.machines))
    random.Random(seed).shuffle(machines)
    count = min(max(round(share * len(machines)), 1), len(machines) - 1)
    chosen = set(machines[:count])
    return np.array([machine in chosen for machine in table.machines])


def golden_rows(feature_file: Path) -> Floats:
    """The scaled rows of the golden cases, from the features.json beside the feature file."""
    fitted = json.loads(feature_file.with_name("features.json").read_text())
    return np.array([case["features"] for case in fitted["golden"]["cases"]], np.float32)
