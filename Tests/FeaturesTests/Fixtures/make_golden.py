# SPDX-License-Identifier: MIT
"""Writes features-golden.csv: hourly readings of three machines and their features by pandas.

Run with pandas, numpy and scikit-learn installed:  python make_golden.py > features-golden.csv
Only columns that the definitions of pandas and scikit-learn fix are written. Readings are spaced
exactly one pane (1 h) apart, where `rolling(window)` and windows of panes are the same thing.
"""

import sys

import numpy as np
import pandas as pd
from sklearn.preprocessing import RobustScaler

SENSORS = ["temperature", "vibration", "pressure", "rotation_speed", "current"]
HEALTH = {
    "temperature": (85, 105),
    "vibration": (4.5, 7.1),
    "pressure": (88, 70),
    "rotation_speed": (1290, 1230),
    "current": (28, 35),
}
IMPUTED = {"temperature": 70, "vibration": 3, "pressure": 90, "rotation_speed": 1400, "current": 20}

rng = np.random.default_rng(20240115)
frames = []
for machine, start in (("A", "2024-01-12T22:00:00"), ("B", "1969-12-30T03:00:00"), ("C", "2023-12-31T00:00:00")):
    rows = 32
    frame = pd.DataFrame({"timestamp": pd.date_range(start, periods=rows, freq="h"), "machine": machine})
    frame["temperature"] = np.round(75 + np.cumsum(rng.normal(0, 3, rows)), 3)
    frame["vibration"] = np.round(np.abs(rng.normal(4, 2.5, rows)), 4)
    frame["pressure"] = np.round(rng.normal(80, 12, rows), 2)
    frame["rotation_speed"] = np.round(rng.normal(1200, 150, rows), 1)
    frame["current"] = np.round(rng.normal(28, 8, rows), 3)
    for sensor in SENSORS:
        frame.loc[rng.random(rows) < 0.1, sensor] = np.nan
    frame.loc[rng.integers(0, rows, 2), "rotation_speed"] = 0.0
    frames.append(frame)

def slopes(values):
    """The slope of numpy's least-squares line through all values up to each one, per hour."""
    known = values.notna().to_numpy()
    hours = np.arange(len(values))
    out = []
    for end in range(1, len(values) + 1):
        own = known[:end]
        fits = own.sum() > 1
        out.append(np.polyfit(hours[:end][own], values.to_numpy()[:end][own], 1)[0] if fits else 0)
    return out


outputs = []
for frame in frames:
    out = frame.copy()
    time = frame["timestamp"]
    out["hour"] = time.dt.hour
    out["day_of_week"] = time.dt.day_of_week
    out["is_weekend"] = (time.dt.day_of_week >= 5).astype(int)
    measured = frame.set_index("timestamp")[SENSORS]
    cleaned = measured.ffill().fillna(IMPUTED)
    for hours in (6, 12, 24):
        window = measured.rolling(f"{hours}h", min_periods=1)
        mean, std, top = window.mean(), window.std(ddof=1), window.max()
        for sensor in SENSORS:
            out[f"{sensor}_mean_{hours}h"] = mean[sensor].fillna(cleaned[sensor]).to_numpy()
            out[f"{sensor}_std_{hours}h"] = std[sensor].fillna(0).to_numpy()
            out[f"{sensor}_max_{hours}h"] = top[sensor].fillna(cleaned[sensor]).to_numpy()
    ratio = lambda a, b: (cleaned[a] / cleaned[b].where(cleaned[b] != 0)).fillna(0).to_numpy()
    out["temperature_x_vibration"] = (cleaned["temperature"] * cleaned["vibration"]).to_numpy()
    out["pressure_per_rotation_speed"] = ratio("pressure", "rotation_speed")
    out["current_per_rotation_speed"] = ratio("current", "rotation_speed")
    health = []
    for sensor in SENSORS:
        out[f"{sensor}_rate"] = cleaned[sensor].diff().fillna(0).to_numpy()
        out[f"{sensor}_deviation_24h"] = cleaned[sensor].to_numpy() - out[f"{sensor}_mean_24h"]
        warn, alarm = HEALTH[sensor]
        health.append(((cleaned[sensor] - warn) / (alarm - warn)).clip(0, 1).to_numpy())
        out[f"{sensor}_health"] = health[-1]
    out["health_composite"] = np.max(health, axis=0)
    out["window_fill_24h"] = np.minimum(np.arange(1, len(out) + 1), 24) / 24
    since_start = measured.expanding(min_periods=1).mean()
    for sensor in SENSORS:
        mean = since_start[sensor].fillna(cleaned[sensor])
        out[f"{sensor}_mean_since_start"] = mean.to_numpy()
    for sensor in SENSORS:
        out[f"{sensor}_slope_since_start"] = slopes(measured[sensor])
    out["temperature_minus_current"] = (cleaned["temperature"] - cleaned["current"]).to_numpy()
    out["vibration_pow_3"] = (cleaned["vibration"] ** 3).to_numpy()
    outputs.append(out)

table = pd.concat(outputs).sort_values(["timestamp", "machine"], kind="stable")
features = [name for name in table.columns if name not in ["timestamp", "machine", *SENSORS]]
scaler = RobustScaler().fit(table[features])
scaled = pd.DataFrame(scaler.transform(table[features]), columns=[f"scaled:{n}" for n in features])
table = pd.concat([table.reset_index(drop=True), scaled], axis=1)
table.insert(1, "seconds", table["timestamp"].astype("datetime64[s]").astype("int64"))
table = table.drop(columns="timestamp")
centers = ",".join(repr(float(c)) for c in scaler.center_)
scales = ",".join(repr(float(s)) for s in scaler.scale_)
sys.stdout.write("center," + centers + "\nscale," + scales + "\n")
table.to_csv(sys.stdout, index=False, float_format="%.13g", lineterminator="\n")
