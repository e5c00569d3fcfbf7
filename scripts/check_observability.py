#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks metrics, rules, dashboards and telemetry against the running server and Prometheus.

Called by scripts/check-observability with the server's program, a folder that holds one bundle, and
the program pdm.
"""

import contextlib
import json
import math
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

from grafana_types import check_types
from observed_server import (
    Connection, expect, failures, free_port, http1_load, READING, samples, second_version, total,
    wait_for,
)
from otlp_collector import Collector, check_commands, check_loads, check_retrain, check_telemetry

ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / "dashboards" / "prometheus_grafana_config"


def check_exact(port):
    """Compares two pages with what was sent between them over HTTP/1.1."""
    scraper = Connection(port)
    before = samples(scraper.ask("GET", "/metrics")[1])
    connection, counted, statuses = http1_load(port)
    sent_bytes = scraper.received + connection.received
    # Of the same loop as the load: one that sent an answer may count it a moment after it came.
    after = samples(connection.ask("GET", "/metrics")[1])

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
        ("http_received_bytes_total",): connection.sent,
        ("http_sent_bytes_total",): sent_bytes,
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
    counters = {
        "predictions_total": (), "prediction_latency_seconds_count": (),
        "http_requests_total": ('route="/predict"', 'status="200"'),
    }
    # A loop counts what it has sent, so that the last of it may come a moment after the answer.
    for _ in range(50):
        after = page()
        found = {name: total(after, name, *labels) - total(before, name, *labels)
                 for name, labels in counters.items()}
        if set(found.values()) == {count}:
            break
        time.sleep(0.1)
    expect(set(found.values()) == {count}, f"HTTP/2: {count} were sent, counted are {found}")
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
             "--enable-feature=exemplar-storage",
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


def check_exemplars(prometheus, collector):
    """Prometheus takes the exemplars, and each leads to a trace that the collector has."""
    now = time.time()
    series = prometheus.get("query_exemplars", query="prediction_latency_seconds_bucket",
                            start=now - 3600, end=now)
    found = [exemplar for one in series for exemplar in one["exemplars"]]
    expect(found, "no exemplars of prediction_latency_seconds")
    known = {span.trace_id.hex() for span in collector.spans}
    for exemplar in found:
        trace = exemplar["labels"]["trace_id"]
        expect(set(exemplar["labels"]) == {"trace_id"} and trace in known, f"no trace: {trace}")
        expect(0 < float(exemplar["value"]) < 10, f"an exemplar's value: {exemplar['value']}")
        expect(now - 600 < exemplar["timestamp"] <= now + 1, f"its time: {exemplar['timestamp']}")
    print(f"{len(found)} exemplars lead to traces")


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


def check_page(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        page = answer.read()
    lint = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True)
    said = (lint.stdout + lint.stderr).decode()
    expect(lint.returncode == 0 and not said, f"promtool check metrics: {said}")


def run(program, models, pdm, folder):
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
        check_commands(pdm, models, collector)
        check_retrain(pdm, folder, collector, port)
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
        broken = place.with_name("20991231_235959")
        shutil.copytree(place, broken)
        (broken / "golden.json").unlink()
        wait_for("a refusal", lambda: any(
            item.value.string_value == "BundleError"
            for event in collector.events for item in event.attributes))
        check_loads(collector, refused=1)
        shutil.rmtree(broken)
        for _ in range(10):
            http1_load(port)
            time.sleep(1)
        sent = total(samples(Connection(port).ask("GET", "/metrics")[1]), "predictions_total")
        wait_for("Prometheus to have it all", lambda: prometheus.values(
            "sum(predictions_total)") == [sent])
        target = prometheus.get("targets")["activeTargets"][0]
        expect(target["health"] == "up" and not target["lastError"], f"target: {target}")
        check_page(port)
        check_exemplars(prometheus, collector)
        check_rules(prometheus)
        check_panels(prometheus)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as path:
        check_types(sorted((CONFIG / "grafana" / "dashboards").glob("*.json")), expect)
        run(sys.argv[1], Path(sys.argv[2]), sys.argv[3], Path(path))
    if failures:
        sys.exit(f"{len(failures)} checks failed")
    print("what is seen from outside is right")
