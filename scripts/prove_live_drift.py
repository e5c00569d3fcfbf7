# SPDX-License-Identifier: MIT
"""Whether the server tells real data without drift from drift and from a broken sensor.

    prove_live_drift.py PDM SERVER SCHEMA SPEC TRAIN_FILE FOLDER [--windows N] [--injected N]
                        [--units N] [--models N]

As prove_drift.py, but through `inference-server`: a model is trained on the whole lives of some of
the units, and windows of others, of which it has seen nothing, are posted with their first cycles.
Units of a window come under names that the server does not know. Each model is asked about as many
windows as the others. `GET /drift` has to call every window what it is, by the window alone: one is
enough to raise drift, and one to end it.
"""

import argparse
import json
import math
import pathlib
import random
import re
import subprocess
import sys
import time
import urllib.request

from prove_drift import CYCLES, Prover, read, write

KEPT_OUT = 40


class LiveProver(Prover):
    def __init__(self, options):
        super().__init__(options)
        self.lives = read(options.train, cycles=math.inf)
        sensors = json.loads(options.schema.read_text())["sensors"]
        self.sensors = [sensor["name"] for sensor in sensors]
        self.watched = [sensor["name"] for sensor in sensors if "stuck_after" in sensor]
        self.sent = 0

    def train(self, number):
        """A bundle of a model that knows only some of the units, and the other ones."""
        rng = random.Random(9000 + number)
        kept = sorted(rng.sample(sorted(self.lives), KEPT_OUT))
        folder = self.options.folder / f"model{number}"
        folder.mkdir(parents=True, exist_ok=True)
        write(folder / "train.txt",
              [row for unit, rows in self.lives.items() if unit not in kept for row in rows])
        for step in (
            ["preprocess", "--new-layout", "--schema", self.options.schema, "--input",
             folder / "train.txt", "--output", folder / "processed", "--test-size", "0.1"],
            ["features", "--spec", self.options.spec, "--input", folder / "processed/train.csv",
             "--output", folder / "features/train.csv", "--is-training", "true"],
            ["features", "--input", folder / "processed/test.csv", "--output",
             folder / "features/test.csv", "--is-training", "false"],
            ["train", "--train-data", folder / "features/train.csv", "--test-data",
             folder / "features/test.csv", "--output-dir", folder / "models", "--epochs", "3"],
        ):
            subprocess.run([self.options.pdm, *step], check=True, stdout=subprocess.DEVNULL)
        return folder / "models", kept

    def serve(self, models):
        log = open(self.options.folder / "server.log", "w+")
        self.server = subprocess.Popen(
            [self.options.server, "--port", "0", "--model-dir", models, "--future-limit", "none",
             "--drift-window", "1s", "--drift-windows-needed", "1", "--drift-windows", "1",
             "--drift-readings-min", str(CYCLES * self.options.units)], stderr=log)
        for _ in range(300):
            found = re.search(r'"listening".*"port":(\d+)', (self.options.folder
                              / "server.log").read_text())
            if found:
                self.url = f"http://127.0.0.1:{found[1]}"
                return
            time.sleep(0.1)
        sys.exit("the server did not start")

    def ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.url + path, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def live_window(self, kept, seed, change=None):
        """What `/drift` says of a choice of units, and what was done to them."""
        rng = random.Random(seed)
        units = rng.sample(kept, self.options.units)
        current = {unit: [row[:] for row in self.units[unit]] for unit in units}
        told = change(rng, current) if change else None
        compared = self.ask("/drift")["windows"]["compared"]
        self.sent += 1
        columns = {name: self.names.index(name) for name in self.sensors}
        rows = [
            {"equipment_id": f"{unit}-{self.sent}", "timestamp": 3600 * row[1]}
            | {name: row[column] for name, column in columns.items()}
            for cycle in range(CYCLES) for unit, row in
            ((unit, rows[cycle]) for unit, rows in current.items())
        ]
        self.ask("/batch_predict", rows)
        for _ in range(300):
            drift = self.ask("/drift")
            if drift["windows"]["compared"] > compared:
                return drift, told
            time.sleep(0.05)
        sys.exit(f"window {seed} did not end")

    def watched_stuck(self, rng, current):
        name = rng.choice(self.watched)
        column = self.names.index(name)
        unit = rng.choice(sorted(current))
        start = rng.randrange(5, 20)
        for row in current[unit][start:]:
            row[column] = current[unit][start][column]
        return name

    def run(self):
        right = dict.fromkeys(["none", "shift", "mode", "stuck"], 0)
        windows, injected = (
            math.ceil(count / self.options.models)
            for count in (self.options.windows, self.options.injected))
        shares = []
        for number in range(self.options.models):
            models, kept = self.train(number)
            self.serve(models)
            try:
                for seed in range(windows):
                    drift, _ = self.live_window(kept, 1000 * number + seed)
                    shares.append(drift["drifted_share"])
                    right["none"] += drift["state"] == "stable" and not drift["sensor_faults"]
                for seed in range(injected):
                    seed += 1000 * number + 500
                    drift, _ = self.live_window(kept, seed, self.shifted)
                    right["shift"] += drift["state"] == "drift" and not drift["sensor_faults"]
                    drift, _ = self.live_window(kept, seed, self.other_mode)
                    right["mode"] += drift["state"] == "drift" and not drift["sensor_faults"]
                    drift, name = self.live_window(kept, seed, self.watched_stuck)
                    right["stuck"] += drift["state"] == "stable" and drift["sensor_faults"] == [
                        {"sensor": name, "kind": "stuck"}]
            finally:
                self.server.terminate()
                self.server.wait()
        failed = 0
        for name, what, count in (
            ("none", "no drift and no fault in windows without", windows),
            ("shift", "shift of 35 % of the sensors called drift", injected),
            ("mode", "new operating mode called drift", injected),
            ("stuck", "stuck sensor named, and no drift", injected),
        ):
            count *= self.options.models
            failed += right[name] < count
            verdict = "ok" if right[name] == count else "FAILED"
            print(f"{verdict:6} {what}: {right[name]} of {count}")
        print(f"       at most {max(shares):.0%} of the features in a window without drift")
        return failed


def main():
    parser = argparse.ArgumentParser()
    for name in ("pdm", "server", "schema", "spec", "train", "folder"):
        parser.add_argument(name, type=pathlib.Path)
    parser.add_argument("--windows", type=int, default=100)
    parser.add_argument("--injected", type=int, default=24)
    parser.add_argument("--units", type=int, default=20)
    parser.add_argument("--models", type=int, default=4)
    sys.exit(1 if LiveProver(parser.parse_args()).run() else 0)


if __name__ == "__main__":
    main()
