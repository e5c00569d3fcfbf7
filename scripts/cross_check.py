# SPDX-License-Identifier: MIT
"""Compares what pdm computes on fresh data with scikit-learn, SciPy and pandas.

    cross_check.py PDM FOLDER [--seed N]

PDM is the program, FOLDER takes the files. Everything is computed anew here from train.csv and
predictions.csv by the definitions of docs/feature-spec.md; nothing is read from pdm but what is
compared. The seed is printed, so that a difference can be looked at again.
"""

import argparse
import json
import pathlib
import subprocess
import warnings

import numpy as np
import pandas as pd
from scipy import stats
from sklearn import metrics
from sklearn.preprocessing import RobustScaler

warnings.simplefilter("ignore")

checks = []


def check(name, ours, theirs, tolerance):
    """Notes the largest difference, relative where values are above 1."""
    ours, theirs = (np.atleast_1d(np.asarray(values, float)) for values in (ours, theirs))
    assert ours.shape == theirs.shape, f"{name}: {ours.shape} against {theirs.shape}"
    difference = np.abs(ours - theirs) / np.maximum(1, np.abs(theirs))
    difference[np.isnan(ours) & np.isnan(theirs)] = 0
    worst = float(difference.max()) if difference.size else 0.0
    checks.append(worst <= tolerance)  # False for NaN too
    state = "equal" if checks[-1] else "DIFFERS"
    print(f"{state:8} {name:52} {ours.size:9} values, at most {worst:.1e} of {tolerance:.0e}")


# A reading is rounded to 2^32 steps of its range, 1.2e-6 for 5000 rpm; scaled rows are floats.
STEP, FLOAT = 2e-6, 2e-5


def unscaled_features(rows, spec):
    """The default features by pandas, machine by machine."""
    sensors = [s["name"] for s in spec["schema"]["sensors"]]
    gauges = [s for s in spec["schema"]["sensors"] if s["kind"] == "gauge"]
    cleaning = {c["sensor"]: c for c in spec["cleaning"]}
    imputed = pd.Series({name: cleaning[name]["imputed"] for name in sensors})
    parts = []
    for _, machine in rows.groupby("equipment_id", sort=False):
        measured = machine.set_index("timestamp")[sensors]
        cleaned = measured.ffill().fillna(imputed)
        for name in sensors:
            if cleaning[name].get("clip"):
                cleaned[name] = cleaned[name].clip(*cleaning[name]["clip"])
        out = cleaned.copy()
        time = measured.index
        out["hour"], out["day_of_week"] = time.hour, time.dayofweek
        out["is_weekend"] = (time.dayofweek >= 5).astype(int)
        for hours in (6, 12, 24):
            window = measured.rolling(f"{hours}h", min_periods=1)
            for statistic, table in (("mean", window.mean()), ("max", window.max())):
                for gauge in gauges:
                    name = gauge["name"]
                    out[f"{name}_{statistic}_{hours}h"] = table[name].fillna(cleaned[name])
            for gauge in gauges:
                name = gauge["name"]
                # pandas keeps running sums, which cancel: each window anew is exact enough.
                std = measured[name].rolling(f"{hours}h", min_periods=1).apply(
                    lambda x: np.std(x[~np.isnan(x)], ddof=1) if (~np.isnan(x)).sum() > 1 else 0,
                    raw=True)
                out[f"{name}_std_{hours}h"] = std.fillna(0)
        out["temperature_x_vibration"] = cleaned["temperature"] * cleaned["vibration"]
        for a in ("pressure", "current"):
            speed = cleaned["rotation_speed"]
            out[f"{a}_per_rotation_speed"] = (cleaned[a] / speed.where(speed != 0)).fillna(0)
        hours_passed = time.to_series().diff().dt.total_seconds() / 3600
        for gauge in gauges:
            name = gauge["name"]
            out[f"{name}_rate"] = (cleaned[name].diff() / hours_passed).fillna(0)
            out[f"{name}_deviation_24h"] = cleaned[name] - out[f"{name}_mean_24h"]
            share = (cleaned[name] - gauge["warn"]) / (gauge["alarm"] - gauge["warn"])
            out[f"{name}_health"] = share.clip(0, 1)
        out["window_fill_24h"] = pd.Series(1, index=time).rolling("24h").sum() / 24
        out["health_composite"] = out[[f"{g['name']}_health" for g in gauges]].max(axis=1)
        parts.append(out)
    return pd.concat(parts)


def check_features(data):
    spec = json.loads((data / "features.json").read_text())["transform"]
    fit = pd.DataFrame(spec["features"]).set_index("name")
    scaler = None
    for part in ("train", "test"):
        rows = pd.read_csv(data / f"{part}.csv", parse_dates=["timestamp"])
        ours = pd.read_csv(data / f"{part}_features.csv", float_precision="round_trip")
        # Machine after machine, as pdm writes them.
        theirs = unscaled_features(rows, spec)[list(fit.index)]
        order = rows.groupby("equipment_id", sort=False).indices
        position = np.concatenate([order[name] for name in rows["equipment_id"].unique()])
        theirs = theirs.iloc[np.argsort(position)]
        if scaler is None:
            scaler = RobustScaler().fit(theirs)
            check("RobustScaler's centers", fit["center"], scaler.center_, STEP)
            check("RobustScaler's scales", fit["scale"], scaler.scale_, STEP)
            iqr = stats.iqr(theirs, axis=0)
            check("SciPy's interquartile ranges", fit["scale"], np.where(iqr == 0, 1, iqr), STEP)
        scaled = scaler.transform(theirs).clip(-spec["scaled_clip"], spec["scaled_clip"])
        for group in ("mean", "std", "max", "rate", "deviation", "health"):
            columns = [i for i, name in enumerate(fit.index) if f"_{group}" in name]
            names = fit.index[columns]
            check(f"{part}: {group} features", ours[names], scaled[:, columns], FLOAT)
        rest = [i for i, name in enumerate(fit.index)
                if name in rows.columns or "_x_" in name or "_per_" in name or "_fill_" in name]
        check(f"{part}: values, calendar, interactions, fill", ours[fit.index[rest]],
              scaled[:, rest], FLOAT)


def check_cleaning(data):
    parameters = json.loads((data / "preprocessing.json").read_text())
    rows = pd.read_csv(data / "train.csv")
    for entry in parameters["sensors"]:
        values = rows[entry["sensor"]].dropna()
        check(f"{entry['sensor']}: mean", entry["mean"], values.mean(), 1e-9)
        check(f"{entry['sensor']}: deviation, ddof 0", entry["standard_deviation"],
              values.std(ddof=0), 1e-9)


def check_metrics(name, folder):
    ours = json.loads((folder / "evaluation.json").read_text())
    table = pd.read_csv(folder / "predictions.csv", float_precision="round_trip")
    y, p = table["failure"].to_numpy(), table["probability"].to_numpy()
    called = (p >= ours["threshold"]).astype(int)
    precision, recall, f1, support = metrics.precision_recall_fscore_support(
        y, called, labels=[0, 1], zero_division=0)
    for index, kind in enumerate(("normal", "failure")):
        found = [ours["classes"][kind][key] for key in ("precision", "recall", "f1", "support")]
        check(f"{name}: {kind} precision, recall, F1, support", found,
              [precision[index], recall[index], f1[index], support[index]], 1e-12)
    matrix = [ours["confusion_matrix"][key] for key in (
        "true_negatives", "false_positives", "false_negatives", "true_positives")]
    check(f"{name}: confusion matrix", matrix,
          metrics.confusion_matrix(y, called, labels=[0, 1]).ravel(), 0)
    check(f"{name}: accuracy", ours["accuracy"], metrics.accuracy_score(y, called), 1e-12)
    check(f"{name}: Brier", ours["brier"], np.mean((p - y) ** 2), 1e-12)
    check(f"{name}: log loss", ours["log_loss"], metrics.log_loss(y, p, labels=[0, 1]), 1e-9)
    parts = [np.sort(np.rec.fromarrays([p, y]))[i * len(y) // 15:(i + 1) * len(y) // 15]
             for i in range(15)]
    check(f"{name}: calibration error, 15 parts", ours["expected_calibration_error"],
          sum(abs(part.f0.mean() - part.f1.mean()) * len(part) for part in parts if len(part))
          / len(y), 1e-12)
    nothing = float("nan")
    value = lambda key: nothing if ours[key] is None else ours[key]
    both = 0 < y.sum() < len(y)
    check(f"{name}: ROC-AUC", value("roc_auc"),
          metrics.roc_auc_score(y, p) if both else nothing, 1e-12)
    check(f"{name}: PR-AUC", value("pr_auc"),
          metrics.average_precision_score(y, p) if y.any() else nothing, 1e-12)
    if both:
        check(f"{name}: Brier skill", ours["brier_skill"], metrics.d2_brier_score(y, p), 1e-12)
        rank = stats.mannwhitneyu(p[y == 1], p[y == 0]).statistic
        check(f"{name}: ROC-AUC by SciPy's U", ours["roc_auc"],
              rank / (y.sum() * (len(y) - y.sum())), 1e-12)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("pdm")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else np.random.SeedSequence().entropy % 2**32
    print(f"seed {seed}")
    data = options.folder

    def pdm(*arguments):
        subprocess.run([options.pdm, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)

    pdm("generate", "--machines", 40, "--days", 30, "--seed", seed, "--output", data / "raw.csv")
    pdm("preprocess", "--input", data / "raw.csv", "--output", data, "--new-layout")
    for part in ("train", "test"):
        pdm("features", "--input", data / f"{part}.csv", "--output", data / f"{part}_features.csv",
            "--is-training", "true" if part == "train" else "false", "--cold-start", "0")
    check_cleaning(data)
    check_features(data)

    pdm("train", "--train-data", data / "train_features.csv", "--test-data",
        data / "test_features.csv", "--epochs", 2, "--output-dir", data / "models")
    bundle = next((data / "models").glob("*/*/manifest.json")).parent
    rows = (data / "test_features.csv").read_text().splitlines()
    head, body = rows[0], rows[1:]
    flipped = [row[:-1] + ("0" if row.endswith("1") else "1") for row in body[::3]]
    tables = {
        "test rows": body,
        "with ties": body + flipped,
        "failures only": [row for row in body if row.endswith(",1")],
        "no failure": [row for row in body if row.endswith(",0")],
    }
    for name, table in tables.items():
        folder = data / name.replace(" ", "-")
        folder.mkdir()
        (folder / "features.csv").write_text("\n".join([head, *table]) + "\n")
        pdm("evaluate", "--model-path", bundle, "--test-data", folder / "features.csv",
            "--output-dir", folder)
        check_metrics(name, folder)
    print(f"{sum(checks)} of {len(checks)} comparisons hold (seed {seed})")
    raise SystemExit(0 if all(checks) else 1)


main()
