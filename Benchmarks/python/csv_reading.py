# SPDX-License-Identifier: MIT
"""Reading a CSV of readings with timestamps parsed: `pdm features` beside pandas and polars.

Usage: csv_reading.py PDM [--machines N] [--days N] [--rounds N]. Rounds go in turn, and each reader
has the same file in the page cache; the shortest time of each counts. That all read the same is
compared first. Ends with status 1 where pandas' C engine, which has one thread, is faster.
"""

import argparse
import pathlib
import sys
import tempfile
import time

import numpy as np
import pandas as pd
import polars as pl
from features import ours, prepare


def with_pandas(path: pathlib.Path) -> pd.DataFrame:
    """The C engine, timestamps parsed."""
    return pd.read_csv(path, engine="c", parse_dates=["timestamp"])


def with_polars(path: pathlib.Path) -> pl.DataFrame:
    """All cores, timestamps parsed."""
    return pl.read_csv(path, try_parse_dates=True)


def check_equal(path: pathlib.Path) -> int:
    """Fails unless pandas and polars read the same; the number of rows."""
    frame, table = with_pandas(path), with_polars(path)
    if not str(frame["timestamp"].dtype).startswith("datetime64"):
        sys.exit("pandas has left the timestamps as text")
    if frame.shape != table.shape:
        sys.exit(f"pandas reads {frame.shape}, polars {table.shape}")
    for name in frame.select_dtypes("number").columns:
        if not np.allclose(frame[name].sum(), table[name].fill_null(0).sum(), rtol=1e-9):
            sys.exit(f"pandas and polars differ in {name}")
    return len(frame)


def main() -> int:
    """Prints MB/s of each and our share; status 1 where the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pdm")
    parser.add_argument("--machines", type=int, default=300)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        prepare(options.pdm, folder, options.machines, options.days)
        path = folder / "processed/train.csv"
        row_count = check_equal(path)
        seconds = {"ours": [], "pandas": [], "polars": []}
        for _ in range(options.rounds):
            seconds["ours"].append(ours(options.pdm, folder, 1)["read"])
            for other, read in (("pandas", with_pandas), ("polars", with_polars)):
                start = time.perf_counter()
                read(path)
                seconds[other].append(time.perf_counter() - start)
        megabytes = path.stat().st_size / 1e6
        best = {name: min(times) for name, times in seconds.items()}
        print(f"{row_count} rows, {megabytes:.1f} MB, best of {options.rounds} rounds in turn")
        for name, time_taken in best.items():
            ratio = "" if name == "ours" else f"   ours is {time_taken / best['ours']:5.2f} x"
            print(f"{name:8}{megabytes / time_taken:8.1f} MB/s{ratio}")
        return 0 if best["pandas"] >= best["ours"] else 1


if __name__ == "__main__":
    sys.exit(main())
