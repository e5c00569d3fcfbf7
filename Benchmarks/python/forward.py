"""The forward pass beside ONNX Runtime (io-binding) and OpenBLAS doing the matrix products only.

Usage: forward.py PROGRAM: one thread each, in turn in one run, the shortest of many calls.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np
from rivals.network import WIDTHS, random_network, session

BATCHES = (1, 8, 100, 1000, 10000)
GOALS = {1: 5.0, 8: 2.0, 100: 1.15, 1000: 1.15, 10000: 1.15}
SHARE_GOAL = 0.85
SECONDS = 0.7
ROUNDS = 3


def shortest(work: Callable[[], object]) -> float:
    """Seconds of the shortest call; short calls are repeated within a measurement."""
    work()
    start = time.perf_counter()
    work()
    repeats = max(1, int(50e-6 / max(time.perf_counter() - start, 1e-7)))
    best = float("inf")
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        start = time.perf_counter()
        for _ in range(repeats):
            work()
        best = min(best, (time.perf_counter() - start) / repeats)
    return best


def competitors(batch: int) -> dict[str, float]:
    """Seconds per batch of each competitor."""
    weights, biases = random_network()
    rows = np.random.default_rng(2).uniform(-0.5, 0.5, (batch, WIDTHS[0])).astype(np.float32)

    runtime = session(weights, biases)
    binding = runtime.io_binding()
    output = np.empty((batch, 1), np.float32)
    binding.bind_cpu_input("x", rows)
    binding.bind_output("y", "cpu", 0, np.float32, output.shape, output.ctypes.data)

    layers = [np.empty((batch, width), np.float32) for width in WIDTHS[1:]]

    def products() -> None:
        source = rows
        for weight, target in zip(weights, layers, strict=True):
            np.matmul(source, weight, out=target)
            source = target

    return {
        "ONNX Runtime": shortest(lambda: runtime.run_with_iobinding(binding)),
        "OpenBLAS": shortest(products),
    }


def ours(program: str, batch: int) -> list[dict[str, Any]]:
    """What our program measured, one entry per kernel variant."""
    arguments = [program, "forward", "--batches", str(batch), "--seconds", str(SECONDS)]
    lines = subprocess.run(arguments, capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in lines.splitlines()]


def main() -> int:
    """Prints the tables; status 1 where a goal is missed."""
    missed = []
    print(f"network {'-'.join(map(str, WIDTHS))}, one thread, shortest of {ROUNDS} rounds")
    header = "batch  variant    us/batch  share of peak   x ONNX Runtime   x OpenBLAS   goal"
    print(header)
    for batch in BATCHES:
        best: dict[str, dict[str, Any]] = {}
        others: dict[str, float] = {}
        for _ in range(ROUNDS):
            for name, seconds in competitors(batch).items():
                others[name] = min(others.get(name, float("inf")), seconds)
            for line in ours(program=sys.argv[1], batch=batch):
                kept = best.setdefault(line["variant"], line)
                if line.get("share", 0) > kept.get("share", 0):
                    best[line["variant"]] = line
        for variant, line in best.items():
            if "skipped" in line:
                print(f"{batch:6d} {variant:9s}  SKIPPED: {line['skipped']}")
                continue
            ratios = {name: seconds / line["seconds"] for name, seconds in others.items()}
            print(
                f"{batch:6d} {variant:9s} {line['seconds'] * 1e6:9.2f} {line['share']:13.1%}"
                f" {ratios['ONNX Runtime']:16.2f} {ratios['OpenBLAS']:12.2f}"
                f" {GOALS[batch]:6.2f}"
            )
            if variant == "baseline":
                continue
            if min(ratios.values()) < GOALS[batch]:
                missed.append(f"batch {batch}, {variant}: {min(ratios.values()):.2f} x")
            if batch >= 100 and line["share"] < SHARE_GOAL:
                missed.append(f"batch {batch}, {variant}: {line['share']:.1%} of the peak")
    for entry in missed:
        print(f"MISSED {entry}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
