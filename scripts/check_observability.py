#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks metrics, rules, dashboards and runbooks against the running server and Prometheus.

Called by scripts/check-observability with the server's program and a folder that holds one bundle.
"""

import contextlib
import hashlib
import json
import math
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

from otlp_collector import Collector

ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / "dashboards" / "prometheus_grafana_config"
READING = {
    "equipment_id": "EQ001", "temperature": 85.5, "vibration": 2.3, "pressure": 95.0,
    "rotation_speed": 1350.0, "current": 22.5, "operating_hours": 1500,
}
failures = []


def expect(is_right, what):
    if not is_right:
        failures.append(what)
        print(f"FAILED  {what}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, is_done, seconds=30):
    deadline = time.monotonic() + seconds
    while not (result := is_done()):
        if time.monotonic() > deadline:
            sys.exit(f"waited in vain for {what}")
        time.sleep(0.1)
    return result


class Connection:
    """A connection of HTTP/1.1 that counts the bytes of both ways."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.sent = self.received = 0

    def ask(self, method, target, body=None, fields=()):
        data = b"" if body is None else body.encode()
        head = [f"{method} {target} HTTP/1.1", "Host: a", *fields]
        if body is not None:
            head += ["Content-Type: application/json", f"Content-Length: {len(data)}"]
        request = "\r\n".join([*head, "", ""]).encode() + data
        self.socket.sendall(request)
        self.sent += len(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self.receive()
        head, rest = answer.split(b"\r\n\r\n", 1)
        length = int((re.search(rb"(?i)content-length: (\d+)", head) or [0, 0])[1])
        while len(rest) < length:
            rest += self.receive()
        return int(head.split()[1]), rest.decode()

    def receive(self):
        data = self.socket.recv(1 << 16)
        if not data:
            sys.exit("the server closed a connection")
        self.received += len(data)
        return data


def samples(page):
    """The samples of a page of metrics by series."""
    lines = (line for line in page.splitlines() if line and not line.startswith("#"))
    return {series: float(value) for series, _, value in (line.rpartition(" ") for line in lines)}


def total(values, name, *labels):
    """The sum of the series of that name whose labels hold these texts."""
    return sum(
        value for series, value in values.items()
        if series.split("{")[0] == name and all(label in series for label in labels)
    )


def second_version(models):
    """Copies the bundle under a version a second later."""
    bundle = max(path.parent for path in models.glob("**/manifest.json"))
    version = bundle.name[:-2] + f"{(int(bundle.name[-2:]) + 1) % 60:02}"
    if version < bundle.name:
        sys.exit("the bundle was made in the last second of a minute; make another")
    copy = models / "copy"
    shutil.copytree(bundle, copy)
    manifest = copy / "manifest.json"
    manifest.write_text(manifest.read_text().replace(bundle.name, version))
    sums = copy / "SHA256SUMS"
    lines = [line.split(maxsplit=1)[1] for line in sums.read_text().splitlines()]
    sums.write_text("".join(
        f"{hashlib.sha256((copy / name.strip()).read_bytes()).hexdigest()}  {name}\n"
        for name in lines
    ))
    return copy, bundle.parent / version


def reading(machine, number, **changes):
    varied = {"equipment_id": f"M{machine}", "temperature": 20 + number * 7 % 130,
              "vibration": 0.5 + number % 9}
    return READING | varied | changes


def http1_load(port):
    """Every kind of request, on one connection each; what it must have been counted as."""
    counted = dict.fromkeys(["predictions", "timed", "rows_refused", "missing", "range"], 0)
    statuses = {}
    connection = Connection(port)

    def ask(method, target, route, body=None):
        status, answer = connection.ask(method, target, body)
        key = (method if route != "other" else "other", route, status)
        statuses[key] = statuses.get(key, 0) + 1
        return status, answer

    for number in range(400):
        body = json.dumps(reading(number % 20, number))
        if ask("POST", "/predict", "/predict", body)[0] == 200:
            counted["predictions"] += 1
            counted["timed"] += 1
    start = int(time.time()) - 7200
    for number, offset in enumerate([0, 60, 60, 30, 1800, -900_000]):
        body = json.dumps(reading(90, 1, timestamp=start + offset))
        expect(ask("POST", "/predict", "/predict", body)[0] == 200, f"reading {number} in time")
        counted["predictions"] += 1
        counted["timed"] += 1
    body = json.dumps(reading(91, 1, vibration=None, pressure=-999.0))
    for _ in range(30):
        ask("POST", "/predict", "/predict", body)
        counted["predictions"] += 1
        counted["timed"] += 1
        counted["missing"] += 1
        counted["range"] += 1
    rows = [reading(row % 50, row) for row in range(200)]
    rows[7] = {"equipment_id": "M7"}
    batch = json.dumps({"instances": rows})
    expect(ask("POST", "/batch_predict?on_error=skip", "/batch_predict", batch)[0] == 200, "batch")
    counted["predictions"] += 199
    counted["timed"] += 1
    counted["rows_refused"] += 1
    expect(ask("POST", "/batch_predict", "/batch_predict", batch)[0] == 422, "batch with a bad row")
    expect(ask("POST", "/predict", "/predict", "{")[0] == 400, "a body that is not JSON")
    expect(ask("POST", "/predict", "/predict", '{"equipment_id":"a"}')[0] == 422, "no sensors")
    for target in ["/health", "/livez", "/readyz", "/model/info"]:
        expect(ask("GET", target, target)[0] == 200, target)
    expect(ask("GET", "/equipment/M1", "/equipment/{id}")[0] == 200, "a machine")
    expect(ask("GET", "/equipment/none", "/equipment/{id}")[0] == 404, "no machine")
    expect(ask("GET", "/nowhere", "other")[0] == 404, "no path")
    expect(ask("GET", "/predict", "other")[0] == 405, "no method")
    return connection, counted, statuses


def check_exact(port):
    """Compares two pages with what was sent between them over HTTP/1.1."""
    scraper = Connection(port)
    before = samples(scraper.ask("GET", "/metrics")[1])
    page_bytes, asked_bytes = scraper.received, scraper.sent
    connection, counted, statuses = http1_load(port)
    after = samples(scraper.ask("GET", "/metrics")[1])

    def grown(name, *labels):
        return total(after, name, *labels) - total(before, name, *labels)

    for (method, route, status), count in statuses.items():
        labels = f'method="{method}"', f'route="{route}"', f'status="{status}"'
        found = grown("http_requests_total", *labels)
        expect(found == count, f"{method} {route} {status}: {found} counted, {count} sent")
    expected = {
        ("http_requests_total",): sum(statuses.values()) + 1,
        ("predictions_total",): counted["predictions"],
        ("prediction_confidence_count",): counted["predictions"],
        ("window_fill_ratio_count",): counted["predictions"],
        ("prediction_latency_seconds_count",): counted["timed"],
        ("batch_rows_refused_total",): counted["rows_refused"],
        ("sensor_flags_total", 'sensor="vibration"', 'flag="missing"'): counted["missing"],
        ("sensor_flags_total", 'sensor="pressure"', 'flag="out_of_range"'): counted["range"],
        ("readings_out_of_order_total", "late"): 1,
        ("readings_out_of_order_total", "duplicate"): 1,
        ("readings_out_of_order_total", "stale"): 1,
        ("http_connections_total",): 1,
        ("http_received_bytes_total",): connection.sent + asked_bytes,
        ("http_sent_bytes_total",): connection.received + page_bytes,
    }
    for series, count in expected.items():
        found = grown(*series)
        expect(found == count, f"{' '.join(series)}: {found:.0f} counted, {count} sent")
    print(f"HTTP/1.1: {sum(statuses.values())} requests counted exactly")


def check_http2(port, folder, count):
    """Sends predictions over HTTP/2 and compares."""
    def page():
        return samples(Connection(port).ask("GET", "/metrics")[1])

    body = folder / "body.json"
    body.write_text(json.dumps(READING))
    before = page()
    output = subprocess.run(
        ["h2load", "-n", str(count), "-c", "4", "-m", "8", "-d", body,
         "-H", "content-type: application/json", f"http://127.0.0.1:{port}/predict"],
        capture_output=True, text=True, check=True,
    ).stdout
    expect(f"{count} succeeded" in output, f"h2load: {output[-600:]}")
    after = page()
    for name, labels in {
        "predictions_total": (), "prediction_latency_seconds_count": (),
        "http_requests_total": ('route="/predict"', 'status="200"'),
    }.items():
        found = total(after, name, *labels) - total(before, name, *labels)
        expect(found == count, f"HTTP/2: {name} has {found:.0f}, {count} were sent")
    return after


class Prometheus:
    def __init__(self, folder, target):
        self.port = free_port()
        config = (CONFIG / "prometheus.yml").read_text()
        config = config.replace("127.0.0.1:5000", target).replace(": 5s", ": 1s")
        config = config.replace("- rules/", f"- {CONFIG}/rules/")
        (folder / "prometheus.yml").write_text(config)
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={folder}/prometheus.yml",
             f"--storage.tsdb.path={folder}/tsdb", "--log.level=warn",
             f"--web.listen-address=127.0.0.1:{self.port}"],
        )

    def get(self, path, **query):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            return {"result": [], "error": error.read().decode()}
        except OSError:
            return None

    def values(self, query):
        """The numbers that a query returns now, without NaN."""
        data = self.get("query", query=query) or {"result": []}
        if "error" in data:
            print(data["error"])
        numbers = (float(sample["value"][1]) for sample in data["result"])
        return [number for number in numbers if not math.isnan(number)]


def panels():
    for path in sorted((CONFIG / "grafana" / "dashboards").glob("*.json")):
        dashboard = json.loads(path.read_text())
        for panel in dashboard["panels"]:
            yield dashboard["title"], panel
        for annotation in dashboard["annotations"]["list"]:
            yield dashboard["title"], {"title": annotation["name"], "targets": [annotation]}


def check_panels(prometheus):
    count = 0
    for dashboard, panel in panels():
        for target in panel.get("targets", []):
            query = target["expr"].replace("$__rate_interval", "1m").replace("$instance", ".*")
            # An event has no data while it does not happen.
            query = re.sub(r" > 0$", "", query) if "iconColor" in target else query
            count += 1
            expect(prometheus.values(query), f"{dashboard}, {panel['title']}: no data: {query}")
    print(f"{count} queries of panels return data")


def selectors(expression):
    """The series that an alert's expression looks at."""
    expression = re.sub(r"\b(by|ignoring|on|group_left) \([^)]*\)", "", expression)
    words = {"and", "or", "unless", "sum", "count", "rate", "increase", "time", "by"}
    for name, labels in re.findall(r"\b([a-z_][a-z0-9_:]*)\b(\{[^}]*\})?(?!\()", re.sub(
        r"\[[0-9a-z]+\]", "", expression
    )):
        if name not in words:
            yield name + labels


def check_rules(prometheus):
    rules = [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]
    for rule in rules:
        expect(rule["health"] == "ok", f"{rule['name']}: {rule.get('lastError')}")
        if rule["type"] == "recording":
            labels = ",".join(f'{key}="{value}"' for key, value in rule.get("labels", {}).items())
            expect(prometheus.values(f"{rule['name']}{{{labels}}}"), f"{rule['name']}: no data")
        else:
            for selector in selectors(rule["query"]):
                expect(prometheus.values(selector), f"{rule['name']}: no data for {selector}")
    print(f"{len(rules)} rules have data")
    return [rule for rule in rules if rule["type"] == "alerting"]


def check_runbooks(alerts):
    """Each alert has an entry, whose panels and log lines exist."""
    text = (ROOT / "docs" / "runbooks.md").read_text()
    entries = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", text, re.M | re.S))
    titles = {(dashboard, panel["title"]) for dashboard, panel in panels()}
    sources = (ROOT / "Sources" / "InferenceServer").glob("**/*.swift")
    code = "\n".join(path.read_text() for path in sources)
    names = [alert["name"] for alert in alerts]
    expect(sorted(entries) == sorted(names), f"entries and alerts: {set(entries) ^ set(names)}")
    for alert in alerts:
        entry = entries.get(alert["name"], "")
        anchor = f"docs/runbooks.md#{alert['name'].lower()}"
        expect(alert["annotations"].get("runbook") == anchor, f"{alert['name']}: its runbook")
        line = re.search(r"^- Panel: ([\w ]+), (.*)$", entry, re.M)
        for title in re.findall(r"\*([^*]+)\*", line[2] if line else ""):
            expect((line[1], title) in titles, f"{alert['name']}: no panel {line[1]}, {title}")
        expect(line, f"{alert['name']}: no panel")
        log = re.search(r"^- Log: (.*?)(?=^- )", entry, re.M | re.S)
        expect(log, f"{alert['name']}: no line about the log")
        for event in re.findall(r"`([a-z_]+)`", log[1] if log else ""):
            expect(f'"{event}"' in code, f"{alert['name']}: nothing logs {event}")


def check_telemetry(collector, port):
    before = len(collector.events)
    connection = Connection(port)
    trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    for number in range(50):
        fields = [f"traceparent: 00-{trace}-{parent}-01"] if number < 5 else []
        connection.ask("POST", "/predict", json.dumps(reading(number, number)), fields)
    wait_for("events", lambda: len(collector.events) >= before + 50)
    ours = [span for span in collector.spans if span.trace_id.hex() == trace]
    expect(len(ours) == 5, f"{len(ours)} spans of a trace of 5")
    for span in ours:
        expect(span.parent_span_id.hex() == parent, "the parent of a span")
        expect(0 < span.end_time_unix_nano - span.start_time_unix_nano < 10**10, "its time")
    predictions = [
        {item.key: item.value for item in event.attributes} for event in collector.events
        if any(item.value.string_value == "ModelPrediction" for item in event.attributes)
    ]
    expect(len(predictions) >= 50, f"{len(predictions)} predictions")
    dimensions = {"equipment_id", "prediction", "probability", "risk_level", "timestamp",
                  "model_version", "microsoft.custom_event.name"}
    expect(all(set(found) == dimensions for found in predictions), "their dimensions")
    print(f"{len(collector.spans)} spans and {len(collector.events)} events decoded")


def check_page(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        page = answer.read()
    lint = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True)
    said = (lint.stdout + lint.stderr).decode()
    expect(lint.returncode == 0 and not said, f"promtool check metrics: {said}")


def run(program, models, folder):
    shutil.copytree(models, folder / "models")
    log = open(folder / "log", "w")
    collector = Collector()
    server = subprocess.Popen(
        [program, "--port", "0", "--model-dir", folder / "models", "--state-dir",
         folder / "state", "--otlp-collector", f"127.0.0.1:{collector.port}",
         "--drift-window", "2s", "--drift-readings-min", "200"], stderr=log,
    )
    with contextlib.ExitStack() as stack:
        stack.callback(lambda: (server.kill(), server.wait()))
        found = wait_for("the server", lambda: re.search(
            r'"listening".*"port":(\d+)', (folder / "log").read_text()
        ))
        port = int(found[1])
        check_exact(port)
        check_telemetry(collector, port)
        prometheus = Prometheus(folder, f"127.0.0.1:{port}")
        stack.callback(lambda: (prometheus.process.kill(), prometheus.process.wait()))
        check_http2(port, folder, 2000)
        copy, place = second_version(folder / "models")
        copy.rename(place)
        wait_for("the second version", lambda: place.name in
                 Connection(port).ask("GET", "/health")[1])
        after = check_http2(port, folder, 2000)
        expect(
            total(after, "predictions_total", f'model_version="{place.name}"') == 2000,
            "the version after a change has the predictions after it",
        )
        print("HTTP/2: 4000 requests counted exactly, half of them after a change of the model")
        for _ in range(10):
            http1_load(port)
            time.sleep(1)
        sent = total(samples(Connection(port).ask("GET", "/metrics")[1]), "predictions_total")
        wait_for("Prometheus to have it all", lambda: prometheus.values(
            "sum(predictions_total)") == [sent])
        target = prometheus.get("targets")["activeTargets"][0]
        expect(target["health"] == "up" and not target["lastError"], f"target: {target}")
        check_page(port)
        check_runbooks(check_rules(prometheus))
        check_panels(prometheus)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as path:
        run(sys.argv[1], Path(sys.argv[2]), Path(path))
    if failures:
        sys.exit(f"{len(failures)} checks failed")
    print("what is seen from outside is right")
