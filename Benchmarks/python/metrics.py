#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Times a page of metrics beside prometheus_client's, and what scraping costs under load.

prometheus_client renders the very families and series of our page, in this process; ours is timed
as the server's processor time for a page over HTTP, so request and answer are in it. What a scrape
a second adds to the load is told in instructions, counted by valgrind: those of a page as Prometheus
asks for it (OpenMetrics, gzip), over those of all predictions that the server answers in a second.

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

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

# The most of prometheus_client's time, and of the server's instructions under load.
PAGE_GOAL, SCRAPE_GOAL = 0.1, 0.01
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
def serving(program, models, folder, prefix=()):
    """A server that answers; ended in good order."""
    log = folder / "log"
    with open(log, "w") as output:
        server = subprocess.Popen(
            # Under valgrind, or beside others, the server is late; nothing is to be turned away.
            [*prefix, program, "--port", "0", "--model-dir", models, "--event-loops", "1",
             "--queue-delay-max", "1min"],
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


def cpu_seconds(pid):
    tasks = pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) * 1e-9


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
    with serving(program, models, folder) as (server, connection, _):
        warm_up(connection)
        page = connection.ask("GET", "/metrics").decode()
        registry = CollectorRegistry()
        registry.register(Page(page))
        mine, theirs = [], []
        for _ in range(rounds):
            began = cpu_seconds(server.pid)
            for _ in range(200):
                connection.ask("GET", "/metrics")
            mine.append((cpu_seconds(server.pid) - began) / 200)
            began = time.process_time()
            for _ in range(50):
                generate_latest(registry)
            theirs.append((time.process_time() - began) / 50)
    count = sum(1 for line in page.splitlines() if line and not line.startswith("#"))
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
        ]
    sys.exit(not all(reached))


if __name__ == "__main__":
    main()
