# SPDX-License-Identifier: MIT
"""What live drift costs of the processor time of /predict, user and kernel together.

Usage: live_drift.py PROGRAM MODELS [--pairs N] [--rounds N] [--seconds S]

wrk posts readings of 20,000 machines over 64 connections to a server with live drift and to one
with `--drift off`, in turn. Two numbers, both of all processor time that the servers use:

- the share of the samples of the cpu-clock (perf) that fall into code of live drift, on the loops
  and beside them, under that load. It must not be above the goal.
- the median of the time of a request with live drift by that without, over all rounds and pairs of
  servers, and how far that median may be off. It fails where it is above the goal for certain.
"""

import argparse
import contextlib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from paired import load, middle
from predict import our_server

GOAL = 0.02
# What only live drift calls: the taps, the sketches, the kernel of borders, the windows' end.
DRIFT = re.compile(r"Drift|FleetSketch|FleetReference|SketchShape|BorderCounts|countAboveBorders"
                   r"|Window(Verdict|Comparison)|OwnShift|SensorQuality")


def sampled(pid, port, folder, seconds):
    """Samples in the code of live drift by function, and how many samples there are in all."""
    data = folder / "perf.data"
    recorder = subprocess.Popen(
        ["perf", "record", "-q", "-e", "cpu-clock", "-F", "1999", "-p", str(pid), "-o", data],
        stderr=subprocess.DEVNULL,
    )
    load(pid, port, seconds)
    recorder.terminate()
    recorder.wait()
    report = subprocess.run(
        ["perf", "report", "-i", data, "--stdio", "--no-children", "-F", "sample,symbol",
         "--percent-limit", "0"],
        capture_output=True, text=True, check=True,
    ).stdout
    rows = [(int(count), symbol.strip()) for count, symbol in
            re.findall(r"^\s+(\d+)\s+\[[.k]\]\s+(.*)$", report, re.M)]
    # The module's own name is in the symbols of all that it holds.
    return {symbol: count for count, symbol in rows if DRIFT.search(symbol)}, \
        sum(count for count, _ in rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="the built inference-server")
    parser.add_argument("models", help="a folder with a bundle")
    parser.add_argument("--pairs", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seconds", type=int, default=2)
    options = parser.parse_args()
    ratios, functions, total = [], {}, 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for pair in range(options.pairs):
            with contextlib.ExitStack() as stack:
                # New ones each time: where code and data lie is worth a percent by itself.
                servers = {
                    mode: stack.enter_context(our_server(
                        options.program, options.models, folder, f"{mode}-{pair}",
                        ["--drift", mode, "--queue-delay-max", "1min"],
                    )) for mode in ("on", "off")
                }
                places = {mode: (one.process.pid, one.port) for mode, one in servers.items()}
                for place in places.values():
                    load(*place, 1)
                for number in range(options.rounds):
                    order = ("on", "off") if number % 2 else ("off", "on")
                    spent = {mode: load(*places[mode], options.seconds) for mode in order}
                    ratios.append(spent["on"] / spent["off"])
                if shutil.which("perf"):
                    found, count = sampled(*places["on"], folder, 3 * options.seconds)
                    total += count
                    for symbol, samples in found.items():
                        functions[symbol] = functions.get(symbol, 0) + samples
    median, error = middle(ratios)
    print(f"with live drift a request takes {median - 1:+.2%} of processor time, +- {error:.2%},"
          f" in {len(ratios)} rounds of {options.seconds} s")
    failed = median - error > 1 + GOAL
    if not shutil.which("perf"):
        print("SKIPPED: no perf, so that samples were not taken")
        sys.exit(failed)
    if total < 2000 or not functions:
        sys.exit(f"perf took {total} samples, in {len(functions)} functions of live drift")
    for symbol, samples in sorted(functions.items(), key=lambda pair: -pair[1]):
        print(f"    {samples / total:7.3%}  {symbol[:90]}")
    share = sum(functions.values()) / total
    print(f"{share:.2%} of {total} samples under load were in code of live drift; goal {GOAL:.0%}")
    sys.exit(failed or share > GOAL)


if __name__ == "__main__":
    main()
