#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Once round the loop: drift, retraining, gate, change of versions, quality. See prove-circle.

Usage: prove_circle.py SERVER PDM FOLDER
"""

import csv
import http.client
import json
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

SERVER, PDM, FOLDER = sys.argv[1], sys.argv[2], Path(sys.argv[3])
ROOT = Path(__file__).resolve().parent.parent
MODELS = FOLDER / "models"
MODEL = MODELS / "predictive-maintenance"
LOG = FOLDER / "decisions"
MACHINES, DAYS, EPOCHS = 80, 40, 12
# The plant is another one from here on: hotter, rougher, at a lower pressure.
CHANGE_DAY = 10
CHANGES = {"temperature": 24.0, "vibration": 1.6, "pressure": -16.0, "current": 8.0}
failures = []


def check(holds, what):
    print(("ok    " if holds else "FAILED"), what, flush=True)
    if not holds:
        failures.append(what)


def pdm(*words, codes=(0,)):
    done = subprocess.run([PDM, *words], cwd=FOLDER, capture_output=True, text=True)
    if done.returncode not in codes:
        sys.exit(f"pdm {' '.join(words)} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done


def pipeline(readings, *words):
    """The arguments of a run of the pipeline that the repository ships."""
    values = {"readings": readings, "epochs": EPOCHS, "calibration_error_max": 1, "data": "data"}
    settings = [text for name, value in values.items() for text in ("--set", f"{name}={value}")]
    return [*settings, *words]


def champion():
    return json.loads((MODEL / "registry.json").read_text())["champion"]


def plant(seed, days=DAYS):
    """The rows of another plant by moment, and its failures."""
    pdm("generate", "--machines", str(MACHINES), "--days", str(days), "--seed", str(seed),
        "--output", "plant.csv", "--events", "events.csv")
    moments = {}
    with (FOLDER / "plant.csv").open() as file:
        for row in csv.DictReader(file):
            moments.setdefault(row["timestamp"], []).append(row)
    with (FOLDER / "events.csv").open() as file:
        events = list(csv.DictReader(file))
    return sorted(moments.items()), events


def reading(row, is_changed):
    values = {"equipment_id": row["equipment_id"], "timestamp": row["timestamp"]}
    for name in ("temperature", "vibration", "pressure", "rotation_speed", "current",
                 "operating_hours"):
        value = float(row[name]) if row[name] else None
        if value is not None and is_changed:
            value = round(value + CHANGES.get(name, 0), 4)
        values[name] = value
    return values


class Client:
    """One connection, which retries nothing; what is not 200 is lost."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.count, self.lost = 0, 0

    def ask(self, method, path, body=None):
        text = json.dumps(body) if body is not None else None
        fields = {"Content-Type": "application/json"} if text else {}
        self.count += 1
        try:
            self.connection.request(method, path, text, fields)
            answer = self.connection.getresponse()
            content = answer.read()
        except OSError as error:
            self.lost += 1
            print(error)
            self.connection.close()
            return 0, {}
        if answer.status != 200:
            self.lost += 1
        return answer.status, json.loads(content) if content else {}


class Load:
    """Asks for one reading after the other, of machines of its own, until told to stop."""

    def __init__(self, port):
        self.client, self.is_over = Client(port), False
        self.versions = set()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        number = 0
        while not self.is_over:
            number += 1
            _, answer = self.client.ask("POST", "/predict", {
                "equipment_id": f"load-{number % 50}", "temperature": 70 + number % 13 / 10,
                "vibration": 2 + number % 7 / 10, "pressure": 100 + number % 5,
                "rotation_speed": 1480 + number % 11, "current": 20 + number % 3,
                "operating_hours": 1000 + number // 50,
            })
            self.versions.add(answer.get("model_version"))
            time.sleep(0.002)

    def stop(self):
        self.is_over = True
        self.thread.join()


def start(*words):
    log = (FOLDER / "server.log").open("w")
    process = subprocess.Popen(
        [SERVER, "--port", "0", "--admin-port", "0", "--model-dir", str(MODELS),
         "--decision-log", str(LOG), "--event-loops", "2", *words],
        stderr=log,
    )
    ports = {}
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and len(ports) < 2:
        for line in (FOLDER / "server.log").read_text().splitlines():
            event = json.loads(line) if line.endswith("}") else {}
            if event.get("event") == "listening":
                ports[event["listener"]] = event["port"]
        time.sleep(0.05)
    return process, ports["main"], ports["admin"]


def live(client, admin, moments, events, is_changed):
    """Sends the readings of these moments and tells the failures that happened meanwhile."""
    for moment, rows in moments:
        client.ask("POST", "/batch_predict", [reading(row, is_changed) for row in rows])
    names, begin, end = {row["equipment_id"] for _, rows in moments for row in rows}, \
        moments[0][0], moments[-1][0]
    told = [
        {"equipment_id": event["equipment_id"], "kind": "failure",
         "timestamp": event["timestamp"], "note": event["mode"]}
        for event in events
        if event["equipment_id"] in names and begin <= event["timestamp"] <= end
    ]
    status = admin.ask("POST", "/feedback", told)[0] if told else 200
    if status != 200:
        print(f"feedback was answered {status}")


def outcomes(until):
    pdm("outcomes", "--log", str(LOG), "--output", "outcomes", "--until", until)
    report = json.loads((FOLDER / "outcomes/outcomes.json").read_text())
    return {scores["version"]: scores for scores in report["versions"]}


def swapped(client, version):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if client.ask("GET", "/model/info")[1].get("version") == version:
            return True
        time.sleep(0.1)
    return False


def drift_source(port, admin):
    """The server's own watch where it has one, else the report of `pdm drift`."""
    status, answer = Client(port).ask("GET", "/drift")
    if status == 200 and answer["state"] == "drift":
        return ["--server", f"http://127.0.0.1:{port}/drift"]
    pdm("drift", "--schema", "default", "--reference-data", "train.csv", "--current-data",
        "recent.csv", "--output-dir", "drift", codes=(3,))
    return ["--report", "drift/drift.json"]


def write_recent(moments):
    with (FOLDER / "recent.csv").open("w", newline="") as file:
        rows = [reading(row, True) | {"failure": row["failure"]}
                for _, rows in moments for row in rows]
        table = csv.DictWriter(file, rows[0].keys())
        table.writeheader()
        table.writerows(rows)


def shuffled():
    """The training data with their answers dealt out anew."""
    with (FOLDER / "outcomes/training.csv").open() as file:
        rows = list(csv.DictReader(file))
    answers = [row["failure"] for row in rows]
    random.Random(1).shuffle(answers)
    with (FOLDER / "shuffled.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0].keys())
        table.writeheader()
        for row, answer in zip(rows, answers):
            table.writerow(row | {"failure": answer})


def force(good):
    """Makes the refused model champion all the same; the server has to go back by itself."""
    process, port, _ = start("--quarantine-readings", "500")
    client = Client(port)
    try:
        check(swapped(client, good), "a server starts with the new model")
        bad = max(path.name for path in MODEL.iterdir() if path.name[0].isdigit() and path.is_dir())
        pdm("registry", "promote", bad, "--model-dir", str(MODELS), "--reason", "forced")
        check(swapped(client, bad), "a bad model is forced past the gate and serves")
        for _, rows in plant(9, days=12)[0]:
            # Machines of their own, for the windows of the others are further on in time.
            new = [row | {"equipment_id": f"new-{row['equipment_id']}"} for row in rows]
            client.ask("POST", "/batch_predict", [reading(row, True) for row in new])
        check(swapped(client, good), "the server goes back to the version before")
        quarantine = client.ask("GET", "/model/info")[1]["quarantine"]
        check([entry["version"] for entry in quarantine] == [bad], f"and says why: {quarantine}")
        check(champion() == bad, "the registry is left as it is")
        check(client.lost == 0, f"{client.count} requests, {client.lost} lost")
    finally:
        process.terminate()
        process.wait(60)


def main():
    shipped = str(ROOT / "ml_pipeline/pipeline.json")
    pdm("generate", "--machines", "120", "--days", "40", "--seed", "1", "--output", "train.csv")
    pdm("pipeline", shipped, *pipeline("train.csv"))
    first = champion()
    moments, events = plant(7)
    # The answers are meant to move with the plant, which looks like the jump of a bad model.
    process, port, admin_port = start("--quarantine-shift", "off")
    load = Load(port)
    clients = [Client(port), Client(admin_port)]
    client, admin = clients
    try:
        before = moments[: 24 * CHANGE_DAY]
        learning, proof = moments[24 * CHANGE_DAY: 24 * 28], moments[24 * 28:]
        live(client, admin, before, events, False)
        quality = {"before": outcomes(before[-1][0])[first]}
        live(client, admin, learning, events, True)
        write_recent(learning)
        quality["changed"] = outcomes(learning[-1][0])[first]
        source = drift_source(port, admin)
        check(True, f"the change is noticed: {' '.join(source)}")
        arguments = [*source, "--once", "--pipeline", shipped,
                     *pipeline("outcomes/training.csv", "--set", "schema=outcomes/schema.json")]
        pdm("retrain", *arguments)
        second = champion()
        check(second != first, f"a new model took the champion's place: {first} -> {second}")
        check("answered" in pdm("retrain", *arguments).stdout, "the same drift is answered once")
        check(swapped(client, second), "the server changed over")
        # The connections from before have been closed meanwhile, for nothing came over them.
        clients += [Client(port), Client(admin_port)]
        client, admin = clients[-2:]
        live(client, admin, proof, events, True)
        scores = outcomes(proof[-1][0])
        quality["after"] = scores[second]
        for name, score in quality.items():
            print("      ", name, {key: score[key] for key in
                                   ("rows", "precision", "recall", "pr_auc", "brier")})
        check(quality["after"]["pr_auc"] > quality["changed"]["pr_auc"], "live quality recovers")
        shuffled()
        bad = pdm("pipeline", shipped, *pipeline(
            "shuffled.csv", "--set", "schema=outcomes/schema.json"), codes=(0, 1, 3))
        check(bad.returncode == 3, "the gate stops a model of shuffled answers")
        check(champion() == second, "and the champion stays")
        replay = pdm("replay", "--log", str(LOG), "--bundle", str(MODEL / second))
        check(" 0 different" in replay.stdout, replay.stdout.splitlines()[0])
    finally:
        load.stop()
        process.terminate()
        process.wait(60)
    check({first, second} <= load.versions, "both versions answered the load")
    clients.append(load.client)
    lost, count = sum(one.lost for one in clients), sum(one.count for one in clients)
    check(lost == 0, f"{count} requests, {lost} lost")
    force(second)
    sys.exit(1 if failures else 0)


main()
