#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Once round the loop: drift, retraining, gate, change of versions, quality. See prove-circle.

Usage: prove_circle.py SERVER PDM FOLDER
"""

import csv
import datetime
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
MACHINES, DAYS, EPOCHS = 80, 52, 12
# A simulated fleet begins with all its parts new. After so many days it is a mixture, as it stays.
RUN_IN_DAYS = 25
# A window of live drift holds so many days of the plant, which pass here in a second or two. The
# first of the days fills the machines' own windows.
WINDOW_DAYS = 5
# The plant is another one from here on: hotter, rougher, at a lower pressure.
CHANGE_DAY = 11
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


def plant(seed, days=DAYS, machines=MACHINES):
    """The rows of another plant by moment, and its failures."""
    pdm("generate", "--machines", str(machines), "--days", str(RUN_IN_DAYS + days), "--seed",
        str(seed), "--output", "plant.csv", "--events", "events.csv")
    moments = {}
    with (FOLDER / "plant.csv").open() as file:
        for row in csv.DictReader(file):
            moments.setdefault(row["timestamp"], []).append(row)
    moments = sorted(moments.items())[24 * RUN_IN_DAYS:]
    with (FOLDER / "events.csv").open() as file:
        events = [row for row in csv.DictReader(file) if row["timestamp"] >= moments[0][0]]
    return moments, events


def write_table(name, rows):
    with (FOLDER / name).open("w", newline="") as file:
        table = csv.DictWriter(file, rows[0].keys())
        table.writeheader()
        table.writerows(rows)


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
    """Asks for one reading after the other, of other machines of the plant, until told to stop.

    They keep its time: while that stands still, the same readings are sent again, and known as
    such. Those before a failure are left out, so that nothing is to be told of them.
    """

    # As many as are answered while an hour passes, so that each has all its readings.
    machines = 3

    def __init__(self, port):
        moments, events = plant(11, machines=2 * MACHINES)
        spans = {}
        for event in events:
            failed = datetime.datetime.fromisoformat(event["timestamp"])
            begin = (failed - datetime.timedelta(days=3)).isoformat()
            spans.setdefault(event["equipment_id"], []).append((begin, event["timestamp"]))
        self.moments = {
            moment: [row | {"equipment_id": f"load-{row['equipment_id']}"} for row in rows
                     if not any(begin <= moment <= end
                                for begin, end in spans.get(row["equipment_id"], []))]
            [: self.machines] for moment, rows in moments}
        if not all(self.moments.values()):
            sys.exit("no machine is left for the load")
        self.moment = moments[0][0]
        self.client, self.is_over, self.is_changed = Client(port), False, False
        self.versions = set()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.is_over:
            for row in self.moments[self.moment]:
                _, answer = self.client.ask("POST", "/predict", reading(row, self.is_changed))
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


def window_ended(client, count):
    """Waits until the server has compared more windows than so many; gives what it says."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        drift = client.ask("GET", "/drift")[1]
        if drift["windows"]["compared"] > count:
            return drift
        time.sleep(0.05)
    sys.exit("a window of live drift did not end")


def live(client, admin, load, moments, events, is_changed):
    """Sends the readings of these moments, a window of live drift after the other, and tells the
    failures that happened meanwhile; gives what the server said of each window."""
    said = []
    step = 24 * WINDOW_DAYS
    for first in range(0, len(moments), step):
        compared = client.ask("GET", "/drift")[1]["windows"]["compared"]
        for moment, rows in moments[first: first + step]:
            load.moment, load.is_changed = moment, is_changed
            client.ask("POST", "/batch_predict", [reading(row, is_changed) for row in rows])
        if first + step <= len(moments):
            said.append(window_ended(client, compared))
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
    return said


def outcomes(until):
    pdm("outcomes", "--log", str(LOG), "--output", "outcomes", "--until", until)
    report = json.loads((FOLDER / "outcomes/outcomes.json").read_text())
    return {scores["version"]: scores for scores in report["versions"]}


def swapped(client, version):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if client.ask("GET", "/model/info")[1].get("version") == version:
            # Live drift looks every second, and begins anew when it sees the other model.
            time.sleep(1.5)
            return True
        time.sleep(0.1)
    return False


def show(name, said):
    for drift in said:
        window = drift["window"]
        print(f"        {name}: {drift['state']}, {drift['drifted_share']:.0%} of the features,"
              f" {window['readings']} readings of {window['machines']} machines")


def shuffled():
    """The training data with their answers dealt out anew."""
    with (FOLDER / "outcomes/training.csv").open() as file:
        rows = list(csv.DictReader(file))
    answers = [row["failure"] for row in rows]
    random.Random(1).shuffle(answers)
    write_table("shuffled.csv",
                [row | {"failure": answer} for row, answer in zip(rows, answers)])


def force(good):
    """Makes the refused model champion all the same; the server has to go back by itself."""
    process, port, _ = start()
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
    write_table("train.csv", [row for _, rows in plant(1, machines=120)[0] for row in rows])
    pdm("pipeline", shipped, *pipeline("train.csv"))
    first = champion()
    moments, events = plant(7)
    # All settings are the defaults, but for the pace: five days of the plant pass in a second.
    process, port, admin_port = start(
        "--drift-window", "1s", "--drift-readings-min", str(14 * WINDOW_DAYS * MACHINES))
    load = Load(port)
    clients = [Client(port), Client(admin_port)]
    client, admin = clients
    try:
        live(client, admin, load, moments[:24], events, False)
        before, learning, proof = (
            moments[24 * first: 24 * end]
            for first, end in ((1, CHANGE_DAY), (CHANGE_DAY, 31), (31, DAYS)))
        said = live(client, admin, load, before, events, False)
        show("as ever", said)
        check({drift["state"] for drift in said} == {"stable"}, "no drift while nothing changes")
        quality = {"before": outcomes(before[-1][0])[first]}
        said = live(client, admin, load, learning, events, True)
        show("changed", said)
        quality["changed"] = outcomes(learning[-1][0])[first]
        check(said[-1]["state"] == "drift" and said[-1]["model_version"] == first,
              "the server notices the change")
        arguments = ["--server", f"http://127.0.0.1:{port}/drift", "--once", "--pipeline", shipped,
                     *pipeline("outcomes/training.csv", "--set", "schema=outcomes/schema.json")]
        pdm("retrain", *arguments)
        second = champion()
        check(second != first, f"a new model took the champion's place: {first} -> {second}")
        # Either the version has been answered, or another one serves, of which nothing is known.
        again = pdm("retrain", *arguments).stdout
        check(again.startswith("nothing to do") and champion() == second,
              f"the same drift is answered once: {again.strip()}")
        check(swapped(client, second), "the server changed over")
        # The connections from before have been closed meanwhile, for nothing came over them.
        clients += [Client(port), Client(admin_port)]
        client, admin = clients[-2:]
        show("new model", live(client, admin, load, proof, events, True))
        # Its reference has both worlds, so that its own windows may well drift from it.
        again = pdm("retrain", *arguments, "--cooldown-hours", "0").stdout
        check(again.startswith("nothing to do") and champion() == second,
              f"what is left of the drift starts nothing more: {again.strip()}")
        probation = client.ask("GET", "/model/info")[1]["probation"]
        check(probation["allows_shift"] and probation["readings"] >= probation["readings_needed"],
              f"and keeps it, though its risk levels are shifted by {probation['shift']:.2f}")
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
