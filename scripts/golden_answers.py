# SPDX-License-Identifier: MIT
"""Sends the readings of the golden cases to a server and compares its probabilities.

Usage: golden_answers.py PORT FEATURES_JSON NETWORK_JSON: the latter holds what the framework that
trained the network answers. Each case has a machine of its own.
"""

import json
import sys
import urllib.request
from pathlib import Path
from typing import Any

TOLERANCE = 1e-6


def answer(port: str, machine: str, reading: dict[str, Any]) -> float:
    """The server's probability of a reading."""
    body = {"equipment_id": machine, "timestamp": reading["timestamp"], **reading["values"]}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/predict",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        return float(json.load(response)["probability"])


def main() -> int:
    """Prints the largest difference; status 1 where it is too large."""
    port, features, network = sys.argv[1:]
    cases = json.loads(Path(features).read_text())["golden"]["cases"]
    expected = json.loads(Path(network).read_text())["golden_probabilities"]
    worst = 0.0
    for index, (case, probability) in enumerate(zip(cases, expected, strict=True)):
        for reading in case["history"]:
            answer(port, f"golden-{index}", reading)
        last = {"timestamp": case["timestamp"], "values": case["reading"]}
        worst = max(worst, abs(answer(port, f"golden-{index}", last) - probability))
    print(f"{len(cases)} golden cases, largest difference {worst:.2g} of {TOLERANCE:.0e} allowed")
    return 0 if cases and worst <= TOLERANCE else 1


if __name__ == "__main__":
    sys.exit(main())
