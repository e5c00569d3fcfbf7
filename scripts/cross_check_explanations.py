# SPDX-License-Identifier: MIT
"""Compares explanations of a running server with the exact explainer of the package shap.

    cross_check_explanations.py SERVER BUNDLE TEST_CSV [--readings N]

SERVER is the program, BUNDLE a bundle of the default schema, TEST_CSV a prepared file of hourly
readings. Nothing of the product explains here: the worth of each coalition is asked of
/batch_predict, with histories whose columns come from the reading for sensors in the coalition and
from the background records for the others, and shap makes Shapley values of it.
"""

import argparse
import hashlib
import http.client
import json
import math
import pathlib
import shutil
import subprocess
import tempfile

import numpy as np
import pandas as pd
import shap

HOUR = pd.Timedelta(hours=1)


def usable_bundle(bundle, folder):
    """A copy whose background records all have the hour before: a gap cannot be mixed in hours."""
    copy = folder / "models" / "check" / bundle.name
    shutil.copytree(bundle, copy)
    background = json.loads((copy / "background.json").read_text())
    background["records"] = [
        record for record in background["records"]
        if len(record["timestamps"]) > 1 and pd.Timestamp(record["timestamps"][-1]) - HOUR
        == pd.Timestamp(record["timestamps"][-2])]
    (copy / "background.json").write_text(json.dumps(background))
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["model"] = "check"
    (copy / "manifest.json").write_text(json.dumps(manifest))
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n"
             for file in sorted(copy.iterdir()) if file.name != "SHA256SUMS"]
    (copy / "SHA256SUMS").write_text("".join(lines))
    return copy.parent.parent, background["records"]


def start(server, models):
    process = subprocess.Popen(
        [server, "--model-dir", models, "--port", "0", "--future-limit", "none"],
        stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        event = json.loads(line)
        if event.get("event") == "listening":
            return process, http.client.HTTPConnection("127.0.0.1", event["port"], timeout=120)
    raise SystemExit("the server did not start")


def ask(connection, path, body):
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    response = connection.getresponse()
    answer = json.loads(response.read())
    if response.status != 200:
        raise SystemExit(f"{path}: {response.status} {answer}")
    return answer


def by_offset(rows, sensors):
    """Values by hours before the last row: {0: {...}, 1: {...}}."""
    last = rows[-1][0]
    return {round((last - time) / HOUR): {s: values.get(s) for s in sensors}
            for time, values in rows}


def request(own, other, present, sensors, last, offsets):
    """A reading with a history, each sensor's column from one of two machines."""
    def values(offset):
        return {s: (own if s in present else other).get(offset, {}).get(s) for s in sensors}
    history = [{"timestamp": (last - offset * HOUR).isoformat(), **values(offset)}
               for offset in range(offsets, 0, -1)]
    return {"equipment_id": "check", "timestamp": last.isoformat(), **values(0),
            "history": history}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("server")
    parser.add_argument("bundle", type=pathlib.Path)
    parser.add_argument("test_csv")
    parser.add_argument("--readings", type=int, default=4)
    options = parser.parse_args()
    rows = pd.read_csv(options.test_csv, parse_dates=["timestamp"])
    with tempfile.TemporaryDirectory() as name:
        models, records = usable_bundle(options.bundle.resolve(), pathlib.Path(name))
        process, connection = start(options.server, models)
        try:
            worst = check(connection, records, rows, options.readings)
        finally:
            process.terminate()
            process.wait()
    print(f"the largest difference of a contribution is {worst:.1e}")
    if not worst <= 1e-6:
        raise SystemExit("DIFFERS: more than 1e-6")


def check(connection, records, rows, count):
    connection.request("GET", "/model/info")
    info = json.loads(connection.getresponse().read())
    sensors = [sensor["name"] for sensor in info["schema"]["sensors"]]
    hours = max(info["window_hours"])
    background = [
        by_offset([(pd.Timestamp(time), dict(zip(sensors, values, strict=True)))
                   for time, values in zip(record["timestamps"], record["values"], strict=True)],
                  sensors)
        for record in records]
    print(f"{len(records)} background records, windows of up to {hours} h")
    failing = rows[(rows["failure"] == 1) & (rows["context"] == 0)]
    worst, checked = 0.0, 0
    for index in failing.index[:: max(1, len(failing) // (4 * count))]:
        machine = rows[rows["equipment_id"] == rows.at[index, "equipment_id"]]
        last = rows.at[index, "timestamp"]
        past = machine[(machine["timestamp"] <= last) & (machine["timestamp"] > last - 48 * HOUR)]
        if len(past) != 48 or checked == count:
            continue
        checked += 1
        own = by_offset([(row["timestamp"], {s: None if pd.isna(row[s]) else row[s]
                                              for s in sensors}) for _, row in past.iterrows()],
                        sensors)

        def worth(masks):
            instances = [request(own, other, {s for s, m in zip(sensors, mask) if m},
                                 sensors, last, 47) for mask in masks for other in background]
            odds = []
            for first in range(0, len(instances), 1000):
                answer = ask(connection, "/batch_predict", instances[first:first + 1000])
                odds += [math.log(p["probability"]) - math.log1p(-p["probability"])
                         for p in answer["predictions"]]
            return np.array(odds).reshape(len(masks), len(background)).mean(axis=1)

        whole = request(own, {}, set(sensors), sensors, last, 47)
        ours = ask(connection, "/predict?explain=true", whole)
        explainer = shap.explainers.Exact(worth, np.zeros((1, len(sensors))))
        theirs = explainer(np.ones((1, len(sensors)))).values[0]
        difference = max(abs(ours["contributions"][s] - v) for s, v in zip(sensors, theirs))
        top = max(ours["contributions"], key=ours["contributions"].get)
        print(f"{rows.at[index, 'equipment_id']} {last}: probability {ours['probability']:.4f}, "
              f"most by {top}, {ours['explanation']['milliseconds']} ms, differs {difference:.1e}")
        worst = max(worst, difference)
    if not checked:
        raise SystemExit("no reading has 48 hours of history")
    return worst


if __name__ == "__main__":
    main()
