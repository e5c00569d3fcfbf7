#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sends the raw rows of a data file to a running server one by one, as a plant would, and compares
every answered probability with the one that `pdm evaluate` wrote offline.

Prints the PR-AUC of the answers; exits with 1 where a single probability differs in any bit.
"""

import argparse
import csv
import gzip
import http.client
import io
import json
import sys

MISSING = {"", "NaN", "nan", "NA", "null"}


def read_rows(path, schema):
    """The raw rows as dictionaries of text, in the file's order."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    text = io.StringIO(data.decode("utf-8-sig"), newline="")
    form = schema.get("file", {})
    separator = form.get("separator", ",")
    rows = (line.split() for line in text) if separator == " " else csv.reader(text, delimiter=separator)
    rows = [row for row in rows if row]
    names = form.get("columns") or rows.pop(0)
    return [dict(zip(names, row)) for row in rows]


def timestamp(text, unit):
    """The timestamp as a request carries it."""
    if unit == "rfc3339":
        return text
    return float(text) * (1 if unit == "seconds" else 3600)


def reading(row, schema):
    """The request body of a row."""
    body = {}
    if "entity" in schema:
        body["equipment_id"] = row[schema["entity"]]
    if "timestamp" in schema:
        time = schema["timestamp"]
        body["timestamp"] = timestamp(row[time["column"]], time["unit"])
    for sensor in schema["sensors"]:
        text = row[sensor.get("column", sensor["name"])]
        if text in MISSING:
            body[sensor["name"]] = None
        elif sensor.get("kind") == "category":
            body[sensor["name"]] = text
        else:
            body[sensor["name"]] = float(text)
    return json.dumps(body)


def average_precision(scores, labels):
    """Area under the precision-recall curve as the sum of precision times step in recall."""
    order = sorted(range(len(scores)), key=lambda i: -scores[i])
    positives = sum(labels)
    true = seen = 0
    area = recall = 0.0
    for place, index in enumerate(order):
        true += labels[index]
        seen += 1
        is_last_of_tie = place + 1 == len(order) or scores[order[place + 1]] != scores[index]
        if is_last_of_tie:
            area += (true / positives - recall) * true / seen
            recall = true / positives
    return area


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--schema", required=True)
    parser.add_argument("--raw", required=True, help="the raw file, gzip or not")
    parser.add_argument("--predictions", required=True, help="predictions.csv of pdm evaluate")
    parser.add_argument("--fold", type=int, help="send only rows whose number mod --folds is this")
    parser.add_argument("--folds", type=int, default=5)
    arguments = parser.parse_args()

    with open(arguments.schema, encoding="utf-8") as file:
        schema = json.load(file)
    rows = read_rows(arguments.raw, schema)
    if arguments.fold is not None:
        rows = [row for i, row in enumerate(rows) if i % arguments.folds == arguments.fold]
    with open(arguments.predictions, encoding="utf-8", newline="") as file:
        offline = list(csv.DictReader(file))
    if len(rows) != len(offline):
        sys.exit(f"{len(rows)} raw rows but {len(offline)} offline predictions")

    connection = http.client.HTTPConnection("127.0.0.1", arguments.port, timeout=30)
    served = []
    different = 0
    for number, (row, expected) in enumerate(zip(rows, offline), start=1):
        connection.request(
            "POST", "/predict", reading(row, schema), {"Content-Type": "application/json"}
        )
        response = connection.getresponse()
        content = response.read()
        if response.status != 200:
            sys.exit(f"row {number}: status {response.status}: {content.decode()}")
        probability = json.loads(content)["probability"]
        served.append(probability)
        if probability != float(expected["probability"]):
            different += 1
            if different <= 5:
                print(f"row {number}: served {probability!r}, offline {expected['probability']}")
    labels = [int(row["failure"]) for row in offline]
    offline_area = average_precision([float(row["probability"]) for row in offline], labels)
    area = average_precision(served, labels)
    print(f"{len(served)} rows replayed, {different} probabilities differ")
    print(f"PR-AUC served {area!r}, offline {offline_area!r}")
    sys.exit(1 if different or area != offline_area else 0)


if __name__ == "__main__":
    main()
