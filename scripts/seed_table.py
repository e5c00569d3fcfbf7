#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints the table of what `pdm train --report` wrote, or the score of pooled predictions."""

import argparse
import csv
import json
import os

from replay import average_precision


def print_table(paths):
    print(f"{'':32} {'PR-AUC per seed':40} {'mean':>7} {'sd':>7} {'min':>7}")
    for path in paths:
        with open(path, encoding="utf-8") as file:
            scores = json.load(file)["pr_auc"]
        name = "/".join(os.path.dirname(os.path.abspath(path)).split(os.sep)[-2:])
        each = " ".join(f"{value:.4f}" for value in scores["values"])
        print(
            f"{name:32} {each:40} {scores['mean']:7.4f} {scores['standard_deviation']:7.4f}"
            f" {scores['minimum']:7.4f}"
        )


def print_pooled(paths):
    scores, labels = [], []
    hits = errors = 0
    for path in paths:
        with open(path, encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                scores.append(float(row["probability"]))
                labels.append(int(row["failure"]))
        # Each fold's own threshold decided.
        with open(os.path.join(os.path.dirname(path), "evaluation.json"), encoding="utf-8") as file:
            counts = json.load(file)["confusion_matrix"]
        hits += counts["true_positives"]
        errors += counts["false_positives"] + counts["false_negatives"]
    area = average_precision(scores, labels)
    f1 = 2 * hits / (2 * hits + errors)
    print(f"pooled over {len(paths)} folds: {len(scores)} rows, PR-AUC {area:.4f}, F1 {f1:.4f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pooled", action="store_true", help="the files are predictions.csv")
    parser.add_argument("files", nargs="+")
    arguments = parser.parse_args()
    (print_pooled if arguments.pooled else print_table)(arguments.files)


if __name__ == "__main__":
    main()
