"""The forward pass beside ONNX Runtime (io-binding) and OpenBLAS doing the matrix products only.

Usage: forward.py PROGRAM: one thread each, in turn in one run, the shortest of many calls.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

WIDTHS = (30, 128, 64, 32, 1)
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


def session(weights: list[np.ndarray], biases: list[np.ndarray]) -> ort.InferenceSession:
    """The same network as an ONNX model: Gemm and Relu, a sigmoid at the end."""
    nodes, initializers, source = [], [], "x"
    for index, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        initializers.append(numpy_helper.from_array(weight, f"w{index}"))
        initializers.append(numpy_helper.from_array(bias, f"b{index}"))
        nodes.append(helper.make_node("Gemm", [source, f"w{index}", f"b{index}"], [f"z{index}"]))
        last = index == len(weights) - 1
        source = "y" if last else f"a{index}"
        nodes.append(helper.make_node("Sigmoid" if last else "Relu", [f"z{index}"], [source]))
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", WIDTHS[0]])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 1])],
        initializers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def competitors(batch: int) -> dict[str, float]:
    """Seconds per batch of each competitor."""
    random = np.random.default_rng(1)
    pairs = list(zip(WIDTHS, WIDTHS[1:], strict=False))
    weights = [random.uniform(-0.5, 0.5, pair).astype(np.float32) for pair in pairs]
    biases = [random.uniform(-0.5, 0.5, pair[1]).astype(np.float32) for pair in pairs]
    rows = random.uniform(-0.5, 0.5, (batch, WIDTHS[0])).astype(np.float32)

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


def ours(program: str, batch: int) -> list[dict]:
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
        best: dict[str, dict] = {}
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
