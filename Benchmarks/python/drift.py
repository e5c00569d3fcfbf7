# SPDX-License-Identifier: MIT
"""Whether 100 features drifted, beside SciPy and Evidently: 50,000 rows against 50,000.

Usage: drift.py PROGRAM [--evidently PYTHON]

The same columns for all. SciPy makes its two-sample Kolmogorov-Smirnov tests and nothing else;
Evidently its drift preset with that test; ours also the effect sizes, the adjustment, the
histograms and the verdict. The goals are for a reference that is stored sorted, as a bundle has
it, and for a table on all cores; a table on one core is shown for information. Without
--evidently, the interpreter of its environment, Evidently is skipped.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from scipy import stats

ROWS, FEATURES, ROUNDS = 50_000, 100, 3
SCIPY_GOAL, EVIDENTLY_GOAL = 0.2, 0.02

EVIDENTLY = """
import sys, time
import numpy as np, pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset
names = [f"c{i}" for i in range(int(sys.argv[3]))]
sides = [pd.DataFrame(np.fromfile(path).reshape(len(names), -1).T.copy(), columns=names)
         for path in sys.argv[1:3]]
definition = DataDefinition(numerical_columns=names)
before, now = (Dataset.from_pandas(side, data_definition=definition) for side in sides)
start = time.perf_counter()
Report([DataDriftPreset(method="ks")]).run(now, before)
print(time.perf_counter() - start)
"""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--evidently")
    options = parser.parse_args()
    source = np.random.default_rng(1)
    before = source.normal(size=(FEATURES, ROWS))
    now = source.normal(size=(FEATURES, ROWS))
    now[: FEATURES // 4] += np.linspace(0.01, 0.5, FEATURES // 4)[:, None]
    with tempfile.TemporaryDirectory() as folder:
        files = [str(Path(folder) / name) for name in ("before", "now")]
        for side, file in zip((before, now), files):
            side.tofile(file)
        command = [options.program, "drift", *files, "--columns", str(FEATURES)]
        scipy_seconds, ours = [], []
        for _ in range(ROUNDS):  # in turn, so that neighbours disturb all alike
            start = time.perf_counter()
            theirs = [stats.ks_2samp(a, b).pvalue for a, b in zip(before, now)]
            scipy_seconds.append(time.perf_counter() - start)
            out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            lines = [json.loads(line) for line in out.splitlines()]
            p_values = np.array(lines[0]["p_values"])
            ours.append({line["name"]: line["seconds"] for line in lines[1:]})
            judged = {line["name"] for line in lines[1:] if line["goal"]}
        evidently = None
        if options.evidently:
            out = subprocess.run([options.evidently, "-c", EVIDENTLY, *files, str(FEATURES)],
                                 check=True, capture_output=True, text=True).stdout
            evidently = float(out.split()[-1])
    worst = np.max(np.abs(p_values - theirs) / (np.array(theirs) + 1e-290))
    scipy = min(scipy_seconds)
    print(f"{FEATURES} features, {ROWS} rows against {ROWS};"
          f" p-values differ by {worst:.0e} at most")
    print(f"{'SciPy, one core':40} {scipy:8.3f} s")
    told = f"{evidently:8.3f} s" if evidently else " SKIPPED: not installed"
    print(f"{'Evidently':40} {told}")
    failed = worst > 1e-8
    for name in ours[0]:
        seconds = min(entry[name] for entry in ours)
        line = f"{'pdm drift, ' + name:40} {seconds:8.3f} s, {seconds / scipy:.3f} x SciPy"
        missed = seconds > SCIPY_GOAL * scipy
        if evidently:
            line += f", {seconds / evidently:.4f} x Evidently"
            missed |= seconds > EVIDENTLY_GOAL * evidently
        if name in judged:
            failed |= missed
            line += ": MISSED" if missed else ": met"
        print(line)
    failed |= not judged
    print(f"goals: at most {SCIPY_GOAL} x SciPy, {EVIDENTLY_GOAL} x Evidently:"
          f" {'MISSED' if failed else 'met'}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
