#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Times a page of metrics beside prometheus_client's, and what scraping costs under load.

The page is that of a server in use, after a window of live drift, which gives series to each
feature and sensor. prometheus_client renders the very families and series of it, in this process;
ours is timed as the server's processor time for a page over HTTP, so request and answer are in it.

What a scrape a second adds to the load is told twice: in instructions, counted by valgrind, those
of a page as Prometheus asks for it (OpenMetrics, gzip) over those of all predictions that the
server answers in a second; and in processor time beside a real Prometheus: what a scrape of it
costs a server that rests, over what that spends in a second under full load. The time of a request
in rounds in which it scrapes and in which it is stopped fails where that is above for certain.

Ends with status 1 where a goal is missed.
"""

import argparse
import contextlib
import json
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

from paired import load, middle, nanoseconds
from predict import free_port
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

# The most of prometheus_client's time, and of the server's instructions under load.
PAGE_GOAL, SCRAPE_GOAL = 0.1, 0.01
# The least series of the page that is timed.
SERIES_MIN = 200
READING = {
    "equipment_id": "EQ001", "temperature": 85.5, "vibration": 2.3, "pressure": 95.0,
    "rotation_speed": 1350.0, "current": 22.5, "operating_hours": 1500,
}
SCRAPE = (
    "Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5\r\n"
    "Accept-Encoding: gzip\r\n"
)


class Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)

    def ask(self, method, target, body="", fields=""):
        head = f"{method} {target} HTTP/1.1\r\nHost: a\r\n{fields}"
        if body:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        self.socket.sendall(f"{head}\r\n{body}".encode())
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self.receive()
        head, body = answer.split(b"\r\n\r\n", 1)
        length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
        while len(body) < length:
            body += self.receive()
        return body

    def receive(self):
        data = self.socket.recv(1 << 20)
        if not data:
            sys.exit("the server closed a connection")
        return data


@contextlib.contextmanager
def serving(program, models, folder, prefix=(), options=("--event-loops", "1")):
    """A server that answers; ended in good order."""
    log = folder / "log"
    with open(log, "w") as output:
        server = subprocess.Popen(
            # Under valgrind, or beside others, the server is late; nothing is to be turned away.
            [*prefix, program, "--port", "0", "--model-dir", models, "--queue-delay-max", "1min",
             *options],
            stderr=output,
        )
    try:
        deadline = time.monotonic() + 120
        while not (found := re.search(r'"listening".*"port":(\d+)', log.read_text())):
            if server.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"the server does not start: {log.read_text()}")
            time.sleep(0.01)
        yield server, Connection(int(found[1])), int(found[1])
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=60)


def warm_up(connection):
    """Lets series appear that a server in use has."""
    for number in range(200):
        body = json.dumps(READING | {"equipment_id": f"M{number}", "temperature": number})
        connection.ask("POST", "/predict", body)
    connection.ask("POST", "/batch_predict", json.dumps([READING] * 20))
    for target in ["/health", "/livez", "/readyz", "/startupz", "/model/info", "/nowhere"]:
        connection.ask("GET", target)
    connection.ask("POST", "/predict", "{")
    connection.ask("POST", "/predict", "{}")


class Page:
    """A collector of the families of a page."""

    def __init__(self, page):
        self.families = list(text_string_to_metric_families(page))

    def collect(self):
        return self.families


def time_pages(program, models, folder, rounds):
    options = ["--event-loops", "1", "--drift-window", "1s", "--drift-readings-min", "200"]
    with serving(program, models, folder, options=options) as (server, connection, _):
        deadline = time.monotonic() + 30
        while "drift_feature_distance_ratio{" not in (
            page := connection.ask("GET", "/metrics").decode()
        ):
            if time.monotonic() > deadline:
                sys.exit("a window of live drift did not end")
            warm_up(connection)
        registry = CollectorRegistry()
        registry.register(Page(page))
        mine, theirs = [], []
        for _ in range(rounds):
            began = nanoseconds(server.pid)
            for _ in range(200):
                connection.ask("GET", "/metrics")
            mine.append((nanoseconds(server.pid) - began) * 1e-9 / 200)
            began = time.process_time()
            for _ in range(50):
                generate_latest(registry)
            theirs.append((time.process_time() - began) / 50)
    count = sum(1 for line in page.splitlines() if line and not line.startswith("#"))
    if count < SERIES_MIN:
        sys.exit(f"a page of {count} series, {SERIES_MIN} are wanted")
    mine, theirs = min(mine), min(theirs)
    print(f"a page of {count} series, {len(page)} bytes")
    print(f"  ours {mine * 1e6:8.1f} us   prometheus_client {theirs * 1e6:8.1f} us"
          f"   ratio {mine / theirs:.3f}   goal {PAGE_GOAL}")
    return mine / theirs <= PAGE_GOAL


def instructions(program, models, folder, predictions, scrapes):
    """All instructions of a server that answers so many of each."""
    prefix = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/callgrind"]
    # valgrind stumbles over the debugging information.
    stripped = folder / "stripped"
    subprocess.run(["strip", "-o", stripped, program], check=True)
    with serving(stripped, models, folder, prefix) as (_, connection, _):
        warm_up(connection)
        for number in range(predictions):
            body = json.dumps(READING | {"equipment_id": f"M{number % 100}"})
            connection.ask("POST", "/predict", body)
        for _ in range(scrapes):
            connection.ask("GET", "/metrics", fields=SCRAPE)
    return int(re.search(r"^(?:totals|summary): (\d+)", (folder / "callgrind").read_text(), re.M)[1])


def requests_per_second(program, models, folder):
    script = folder / "predict.lua"
    script.write_text(
        f"wrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/json'\n"
        f"wrk.body = '{json.dumps(READING)}'\n"
    )
    with serving(program, models, folder) as (_, _, port):
        output = subprocess.run(
            ["wrk", "-t", "1", "-c", "32", "-d", "3", "-s", script,
             f"http://127.0.0.1:{port}/predict"],
            capture_output=True, text=True, check=True,
        ).stdout
    return float(re.search(r"Requests/sec:\s+([\d.]+)", output)[1])


def count_scrapes(program, models, folder):
    base = instructions(program, models, folder, 0, 0)
    predicted = instructions(program, models, folder, 2000, 0)
    scraped = instructions(program, models, folder, 0, 200)
    prediction, page = (predicted - base) / 2000, (scraped - base) / 200
    rate = requests_per_second(program, models, folder)
    share = page / (prediction * rate)
    print(f"a prediction {prediction:,.0f} instructions, a page {page:,.0f}")
    print(f"  a scrape a second at {rate:,.0f} predictions/s on one loop: {share:.3%}"
          f"   goal {SCRAPE_GOAL:.0%}")
    return share <= SCRAPE_GOAL


PROMETHEUS = """
global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: under-load
    static_configs: [{targets: ["127.0.0.1:PORT"]}]
"""


def scrapes(connection):
    """The pages that the server has answered."""
    page = connection.ask("GET", "/metrics").decode()
    return sum(float(line.rpartition(" ")[2]) for line in page.splitlines()
               if line.startswith("http_requests_total{") and 'route="/metrics"' in line)


def beside_prometheus(program, models, folder, rounds):
    """What a real Prometheus that scrapes each second adds to a request under full load."""
    ratios, taken, seconds = [], 0, 3
    with serving(program, models, folder, options=()) as (server, connection, port):
        config = folder / "prometheus.yml"
        config.write_text(PROMETHEUS.replace("PORT", str(port)))
        prometheus = subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/tsdb",
             f"--web.listen-address=127.0.0.1:{free_port()}", "--log.level=error"])
        try:
            load(server.pid, port, 3)
            for number in range(rounds):
                spent = {}
                for scraped in (True, False) if number % 2 else (False, True):
                    prometheus.send_signal(signal.SIGCONT if scraped else signal.SIGSTOP)
                    before = scrapes(connection)
                    spent[scraped] = load(server.pid, port, seconds)
                    # One of the two pages of this process is among them.
                    answered = scrapes(connection) - before - 1
                    if (answered > 0) != scraped:
                        sys.exit(f"{answered:.0f} scrapes where {scraped} were wanted")
                    taken += answered
                ratios.append(spent[True] / spent[False])
            rest, resting = {}, 10
            busy = nanoseconds(server.pid)
            load(server.pid, port, seconds)
            busy = (nanoseconds(server.pid) - busy) / seconds
            for scraped in (False, True):
                prometheus.send_signal(signal.SIGCONT if scraped else signal.SIGSTOP)
                time.sleep(2)
                before = nanoseconds(server.pid)
                time.sleep(resting)
                rest[scraped] = (nanoseconds(server.pid) - before) / resting
        finally:
            prometheus.kill()
            prometheus.wait()
    share = (rest[True] - rest[False]) / busy
    print(f"a scrape a second of a real Prometheus takes {(rest[True] - rest[False]) / 1e3:.0f} us of"
          f" {busy / 1e6:.0f} ms a second under full load: {share:.3%}   goal {SCRAPE_GOAL:.0%}")
    median, error = middle(ratios)
    print(f"beside a Prometheus that scrapes each second ({taken:.0f} scrapes in {rounds} rounds of"
          f" {seconds} s): {median - 1:+.2%} of processor time a request, +- {error:.2%}")
    return share <= SCRAPE_GOAL and median - error <= 1 + SCRAPE_GOAL


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="the built inference-server")
    parser.add_argument("models", help="a folder with a bundle")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        reached = [
            time_pages(options.program, options.models, folder, options.rounds),
            count_scrapes(options.program, options.models, folder),
            beside_prometheus(options.program, options.models, folder, 3 * options.rounds),
        ]
    sys.exit(not all(reached))


if __name__ == "__main__":
    main()
