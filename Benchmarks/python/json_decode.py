"""Our JSON reader beside orjson and simdjson on a batch of readings.

Usage: json_decode.py PROGRAM. Ours and simdjson (parse only, no Python objects) walk the text and
read every number; orjson also builds Python objects, as a Python service must.
"""

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import orjson
import simdjson

ROWS = 10_000
ROUNDS = 5
SECONDS = 0.5


def batch() -> bytes:
    """A body of /batch_predict with the default schema's fields."""
    source = random.Random(1)
    rows = [
        {
            "equipment_id": f"EQ{index:05d}",
            "timestamp": f"2026-01-{1 + index % 28:02d}T{index % 24:02d}:00:00Z",
            "temperature": round(source.uniform(40, 110), 2),
            "vibration": round(source.uniform(0, 9), 3),
            "pressure": round(source.uniform(60, 140), 2),
            "rotation_speed": round(source.uniform(900, 2100), 1),
            "current": round(source.uniform(8, 40), 2),
            "operating_hours": source.randrange(20_000),
        }
        for index in range(ROWS)
    ]
    return json.dumps({"instances": rows}).encode()


def gigabytes_per_second(text: bytes, work: Callable[[], object]) -> float:
    """The best of many runs."""
    best = float("inf")
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return len(text) / best / 1e9


def main() -> int:
    """Prints the table."""
    text = batch()
    parser = simdjson.Parser()
    results: dict[str, float] = {}

    def keep(name: str, value: float) -> None:
        results[name] = max(results.get(name, 0.0), value)

    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(text)
        file.flush()
        for _ in range(ROUNDS):
            line = subprocess.run(
                [sys.argv[1], "json", file.name, "--seconds", str(SECONDS)],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            keep("ours", json.loads(line)["gigabytes_per_second"])
            keep("orjson", gigabytes_per_second(text, lambda: orjson.loads(text)))
            keep("simdjson", gigabytes_per_second(text, lambda: parser.parse(text)))
    print(f"{ROWS} readings, {len(text)} bytes, best of {ROUNDS} rounds")
    for name, value in results.items():
        print(f"{name:10s} {value:6.3f} GB/s   ours is {results['ours'] / value:5.2f} x")
    return 0


if __name__ == "__main__":
    sys.exit(main())
