"""`pdm features` beside pandas and polars doing the same features of the same table.

Usage: features.py PDM [--machines N] [--days N] [--rounds N]. Readings are hourly, so that windows
of panes and time windows hold the same rows. Computing is timed alone: ours in float from values
that are read, theirs from a parsed frame to the matrix of scaled floats. Reading is timed on the
same file with timestamps parsed. The last comparison is of the numbers themselves.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import polars as pl

WINDOWS = (6, 12, 24)
STATISTICS = ("mean", "std", "max")
PRODUCTS = (("temperature", "vibration"),)
RATIOS = (("pressure", "rotation_speed"), ("current", "rotation_speed"))


class Spec:
    """What the fitted transform says that the competitors need too."""

    def __init__(self, path: pathlib.Path) -> None:
        transform = json.loads(path.read_text())["transform"]
        sensors = transform["schema"]["sensors"]
        self.sensors = [sensor["name"] for sensor in sensors]
        self.gauges = [s["name"] for s in sensors if s.get("kind", "gauge") == "gauge"]
        self.limits = {s["name"]: (s["warn"], s["alarm"]) for s in sensors if "alarm" in s}
        self.cleaning = {}
        for sensor, cleaning in zip(sensors, transform["cleaning"], strict=True):
            low, high = cleaning.get("clip") or (-np.inf, np.inf)
            self.cleaning[sensor["name"]] = (cleaning["imputed"], low, high)
        self.names = [feature["name"] for feature in transform["features"]]
        self.center = np.array([feature["center"] for feature in transform["features"]])
        self.scale = np.array([feature["scale"] for feature in transform["features"]])
        self.clip = transform["scaled_clip"]


def with_pandas(frame: pd.DataFrame, spec: Spec) -> np.ndarray:
    """The scaled rows, sorted by machine and time as the file is."""
    out: dict[str, np.ndarray] = {}
    cleaned = frame.groupby("equipment_id", sort=False)[spec.sensors].ffill()
    for name, (imputed, low, high) in spec.cleaning.items():
        cleaned[name] = cleaned[name].fillna(imputed).clip(low, high)
        out[name] = cleaned[name].to_numpy()
    local = frame["timestamp"].dt
    out["hour"] = local.hour.to_numpy()
    out["day_of_week"] = local.day_of_week.to_numpy()
    out["is_weekend"] = (out["day_of_week"] >= 5).astype(float)
    rolling = frame.set_index("timestamp").groupby("equipment_id", sort=False)[spec.gauges]
    for hours in WINDOWS:
        window = rolling.rolling(f"{hours}h", min_periods=1)
        for name, values in (("mean", window.mean()), ("std", window.std()), ("max", window.max())):
            for gauge in spec.gauges:
                filled = 0.0 if name == "std" else cleaned[gauge].to_numpy()
                numbers = values[gauge].to_numpy()
                out[f"{gauge}_{name}_{hours}h"] = np.where(np.isnan(numbers), filled, numbers)
    ones = frame.assign(row=1).set_index("timestamp").groupby("equipment_id", sort=False)["row"]
    out["window_fill_24h"] = ones.rolling("24h", min_periods=1).sum().to_numpy() / 24
    by_machine = cleaned.groupby(frame["equipment_id"], sort=False)
    elapsed = frame.groupby("equipment_id", sort=False)["timestamp"].diff()
    hours_since = elapsed.dt.total_seconds().to_numpy() / 3600
    changes = by_machine[spec.gauges].diff().to_numpy()
    for index, gauge in enumerate(spec.gauges):
        out[f"{gauge}_rate"] = np.nan_to_num(changes[:, index] / hours_since)
    derived(out, spec)
    return scaled(out, spec)


def derived(out: dict[str, np.ndarray], spec: Spec) -> None:
    """Interactions, deviations and health indicators, the same in numpy for both."""
    for a, b in PRODUCTS:
        out[f"{a}_x_{b}"] = out[a] * out[b]
    for a, b in RATIOS:
        zero = out[b] == 0
        out[f"{a}_per_{b}"] = np.where(zero, 0, out[a] / np.where(zero, 1, out[b]))
    composite = np.zeros(len(out["hour"]))
    for gauge in spec.gauges:
        out[f"{gauge}_deviation_24h"] = out[gauge] - out[f"{gauge}_mean_24h"]
    for sensor, (warn, alarm) in spec.limits.items():
        out[f"{sensor}_health"] = np.clip((out[sensor] - warn) / (alarm - warn), 0, 1)
        composite = np.maximum(composite, out[f"{sensor}_health"])
    out["health_composite"] = composite


def scaled(out: dict[str, np.ndarray], spec: Spec) -> np.ndarray:
    """The matrix of floats that a network takes."""
    rows = np.column_stack([out[name] for name in spec.names])
    rows = np.clip((rows - spec.center) / spec.scale, -spec.clip, spec.clip)
    return rows.astype(np.float32)


def with_polars(frame: pl.DataFrame, spec: Spec) -> np.ndarray:
    """The scaled rows, by the query engine on all cores."""
    machine = "equipment_id"
    cleaned = [
        pl.col(name).forward_fill().over(machine).fill_null(imputed).clip(low, high)
        .alias(f"{name}_c")
        for name, (imputed, low, high) in spec.cleaning.items()
    ]
    # One rolling group-by a window is five times as fast as expressions over the machine.
    windows = [
        frame.lazy()
        .rolling(index_column="timestamp", period=f"{hours}h", group_by=machine)
        .agg(
            *(
                getattr(pl.col(gauge), name)().alias(f"{gauge}_{name}_{hours}h")
                for name in STATISTICS
                for gauge in spec.gauges
            ),
            (pl.len() / hours).alias(f"window_fill_{hours}h"),
        )
        .drop("timestamp", machine)
        for hours in WINDOWS
    ]
    filled = [
        pl.col(f"{gauge}_{name}_{hours}h")
        .fill_null(0.0 if name == "std" else pl.col(f"{gauge}_c"))
        for hours in WINDOWS
        for name in STATISTICS
        for gauge in spec.gauges
    ]
    day = pl.col("timestamp").dt.weekday() - 1
    since = pl.col("timestamp").diff().over(machine).dt.total_microseconds() / 3.6e9
    rates = [
        (pl.col(f"{gauge}_c").diff().over(machine) / since).fill_null(0).alias(f"{gauge}_rate")
        for gauge in spec.gauges
    ]
    health = [
        ((pl.col(f"{sensor}_c") - warn) / (alarm - warn)).clip(0, 1).alias(f"{sensor}_health")
        for sensor, (warn, alarm) in spec.limits.items()
    ]
    products = [(pl.col(f"{a}_c") * pl.col(f"{b}_c")).alias(f"{a}_x_{b}") for a, b in PRODUCTS]
    ratios = [
        pl.when(pl.col(f"{b}_c") == 0).then(0.0).otherwise(pl.col(f"{a}_c") / pl.col(f"{b}_c"))
        .alias(f"{a}_per_{b}")
        for a, b in RATIOS
    ]
    calendar = [
        pl.col("timestamp").dt.hour().alias("hour"),
        day.alias("day_of_week"),
        (day >= 5).alias("is_weekend"),
    ]
    deviations = [
        (pl.col(f"{gauge}_c") - pl.col(f"{gauge}_mean_24h")).alias(f"{gauge}_deviation_24h")
        for gauge in spec.gauges
    ]
    composite = pl.max_horizontal([f"{sensor}_health" for sensor in spec.limits])
    rows = (
        pl.concat([frame.lazy(), *windows], how="horizontal")
        .with_columns(cleaned)
        .with_columns(filled + rates + health + products + ratios + calendar)
        .with_columns(deviations + [composite.alias("health_composite")])
        .with_columns([pl.col(f"{name}_c").alias(name) for name in spec.sensors])
        .select(
            ((pl.col(name).cast(pl.Float64) - center) / scale)
            .clip(-spec.clip, spec.clip).cast(pl.Float32)
            for name, center, scale in zip(spec.names, spec.center, spec.scale, strict=True)
        )
        .collect()
    )
    return rows.to_numpy()


def best(rounds: int, work: Callable[[], object]) -> float:
    """The shortest time of some rounds, in seconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def ours(pdm: str, folder: pathlib.Path, rounds: int) -> dict[str, float]:
    """The shortest time of each stage, as `pdm features --timing` tells them."""
    stages: dict[str, float] = {}
    for _ in range(rounds):
        run = subprocess.run(
            [pdm, "features", "--input", folder / "processed/train.csv",
             "--output", folder / "features/again.csv", "--is-training", "false", "--timing"],
            capture_output=True, text=True, check=True,
        )
        for line in run.stderr.splitlines():
            if line.startswith("timing "):
                _, name, seconds, *_ = line.split()
                stages[name] = min(stages.get(name, float("inf")), float(seconds))
    return stages


def prepare(pdm: str, folder: pathlib.Path, machines: int, days: int) -> None:
    """Makes the table and the fit."""
    raw, processed = folder / "raw.csv", folder / "processed"
    steps = (
        ["generate", "--machines", str(machines), "--days", str(days), "--output", raw],
        ["preprocess", "--input", raw, "--output", processed],
        ["features", "--input", processed / "train.csv", "--output", folder / "features/train.csv",
         "--is-training", "true", "--cold-start", "0"],
    )
    for step in steps:
        subprocess.run([pdm, *step], check=True, stdout=subprocess.DEVNULL)


def main() -> int:
    """Prints the table; status 1 where a goal is missed."""
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
        spec = Spec(folder / "features/features.json")

        def read_pandas() -> pd.DataFrame:
            return pd.read_csv(path, engine="c", parse_dates=["timestamp"])

        def read_polars() -> pl.DataFrame:
            frame = pl.read_csv(path, try_parse_dates=True)
            return frame.with_columns(pl.col("timestamp").dt.replace_time_zone(None))

        frame, table = read_pandas(), read_polars()
        mine = pd.read_csv(folder / "features/train.csv")[spec.names].to_numpy(np.float32)
        for other, rows in (("pandas", with_pandas(frame, spec)), ("polars", with_polars(table, spec))):
            difference = np.abs(rows - mine)
            print(f"{other}: {np.mean(difference <= 1e-3):.5f} of the numbers within 0.001 of ours")
        read = {"pandas": best(options.rounds, read_pandas),
                "polars": best(options.rounds, read_polars)}
        compute = {"pandas": best(options.rounds, lambda: with_pandas(frame, spec)),
                   "polars": best(options.rounds, lambda: with_polars(table, spec))}
        stages = ours(options.pdm, folder, options.rounds)
        megabytes = path.stat().st_size / 1e6
        print(f"{len(frame)} rows, {len(spec.names)} features, {megabytes:.1f} MB, "
              f"best of {options.rounds} rounds")
        print(f"ours    compute {len(frame) / stages['compute'] / 1e3:8.0f} k rows/s   "
              f"read {megabytes / stages['read']:6.1f} MB/s")
        for other in ("pandas", "polars"):
            print(f"{other}  compute {len(frame) / compute[other] / 1e3:8.0f} k rows/s   "
                  f"read {megabytes / read[other]:6.1f} MB/s   "
                  f"ours is {compute[other] / stages['compute']:5.2f} x and "
                  f"{read[other] / stages['read']:5.2f} x")
        goals = (compute["pandas"] >= 10 * stages["compute"],
                 compute["polars"] >= 3 * stages["compute"],
                 read["pandas"] >= stages["read"])
        return 0 if all(goals) else 1


if __name__ == "__main__":
    sys.exit(main())
