# SPDX-License-Identifier: MIT
"""Whether `pdm drift` tells real data without drift from drift and from a broken sensor.

    prove_drift.py PDM SCHEMA TRAIN_FILE FOLDER [--windows N] [--injected N] [--units N]

TRAIN_FILE is a C-MAPSS training file, FOLDER takes the files. Of the units a random part is kept
out of the reference, again for each window; both sides are their first 50 cycles, for later ones are
worn and that is no drift. Then three things are done to the units kept out: the mean of 35 % of the
columns moves by half a standard deviation; one sensor of one unit sticks; half of the units run in
another operating mode. Every window has to be called what it is. The seed of a window is its number.
"""

import argparse
import gzip
import json
import math
import pathlib
import random
import statistics
import subprocess
import sys

CYCLES, FIRST_COLUMN = 50, 2
NO_DRIFT, DRIFT, BROKEN = 0, 3, 4


def read(path, cycles=CYCLES):
    opener = gzip.open if path.suffix == ".gz" else open
    units = {}
    with opener(path, "rt") as file:
        for line in file:
            row = [float(field) for field in line.split()]
            if row[1] <= cycles:
                units.setdefault(int(row[0]), []).append(row)
    return units


def write(path, rows):
    path.write_text("".join(" ".join(f"{x:.10g}" for x in row) + "\n" for row in rows))


class Prover:
    def __init__(self, options):
        self.options = options
        self.units = read(options.train)
        self.names = json.loads(options.schema.read_text())["file"]["columns"]
        rows = [row for unit in self.units.values() for row in unit]
        columns = range(FIRST_COLUMN, len(self.names))
        self.deviations = {c: statistics.pstdev(row[c] for row in rows) for c in columns}
        self.varying = [c for c in columns if self.deviations[c] > 0]
        self.options.folder.mkdir(parents=True, exist_ok=True)

    def window(self, seed, change=None):
        """The exit code, and the report, for one choice of units."""
        rng = random.Random(seed)
        kept = set(rng.sample(sorted(self.units), self.options.units))
        reference = [row for unit, rows in self.units.items() if unit not in kept for row in rows]
        current = {unit: [row[:] for row in self.units[unit]] for unit in sorted(kept)}
        told = change(rng, current) if change else None
        folder = self.options.folder
        write(folder / "reference.txt", reference)
        write(folder / "current.txt", [row for rows in current.values() for row in rows])
        outcome = subprocess.run(
            [self.options.pdm, "drift", "--schema", self.options.schema,
             "--reference-data", folder / "reference.txt", "--current-data", folder / "current.txt",
             "--output-dir", folder / "out"], capture_output=True, text=True)
        if outcome.returncode not in (NO_DRIFT, DRIFT, BROKEN):
            sys.exit(f"window {seed}: code {outcome.returncode}: {outcome.stderr}")
        return outcome.returncode, json.loads((folder / "out/drift.json").read_text()), told

    def shifted(self, rng, current):
        for c in rng.sample(self.varying, math.ceil(0.35 * len(self.varying))):
            for rows in current.values():
                for row in rows:
                    row[c] += 0.5 * self.deviations[c]

    def stuck(self, rng, current):
        c = rng.choice([c for c in self.varying if self.names[c].startswith("s")
                        and len({row[c] for rows in current.values() for row in rows}) > 20])
        unit = rng.choice(sorted(current))
        start = rng.randrange(5, 20)
        for row in current[unit][start:]:
            row[c] = current[unit][start][c]
        return self.names[c]

    def other_mode(self, rng, current):
        # As the other sets of the family have it: another altitude and Mach number move all sensors.
        factors = {c: rng.uniform(0.6, 0.97) for c in self.varying}
        for unit in rng.sample(sorted(current), len(current) // 2):
            for row in current[unit]:
                for c, factor in factors.items():
                    row[c] *= factor

    def run(self):
        failed = 0

        def say(what, right, count):
            nonlocal failed
            failed += right < count
            print(f"{'ok' if right == count else 'FAILED':6} {what}: {right} of {count}")

        windows = [self.window(seed) for seed in range(self.options.windows)]
        codes = [code for code, _, _ in windows]
        say("no drift and no fault in windows without", codes.count(NO_DRIFT), len(codes))
        plain = sum(report["plain_drift"] for _, report, _ in windows)
        print(f"       the plain rule calls {plain} of them drift")
        seeds = range(1000, 1000 + self.options.injected)
        for name, change in (("shift of 35 % of the columns", self.shifted),
                             ("new operating mode", self.other_mode)):
            codes = [self.window(seed, change)[0] for seed in seeds]
            say(f"{name} called drift", codes.count(DRIFT), len(codes))
        right = 0
        for seed in seeds:
            code, report, name = self.window(seed, self.stuck)
            named = {fault["column"] for fault in report["sensor_faults"]}
            right += code == BROKEN and named == {name}
        say("stuck sensor named, and no drift", right, len(seeds))
        return failed


def main():
    parser = argparse.ArgumentParser()
    for name in ("pdm", "schema", "train", "folder"):
        parser.add_argument(name, type=pathlib.Path)
    parser.add_argument("--windows", type=int, default=100)
    parser.add_argument("--injected", type=int, default=25)
    parser.add_argument("--units", type=int, default=20)
    sys.exit(1 if Prover(parser.parse_args()).run() else 0)


if __name__ == "__main__":
    main()
