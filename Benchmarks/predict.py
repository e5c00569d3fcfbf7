#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures /predict against nginx's `return 200` of equal size that is sent the same bytes, and
/batch_predict by itself.

Server and nginx run on loopback with as many workers as this process may use cores, and take turns.
Processor time is that of their processes; wrk shares the cores with them. Fails where a request
fails, or where /metrics counts more than 1 % of the readings as late, stale or duplicate.

    Benchmarks/predict.py --models models [--server PROGRAM] [--rounds 5] [--seconds 4]
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORES = len(os.sched_getaffinity(0))
MACHINES = 20_000
EXAMPLE = {
    "equipment_id": "EQ000001", "temperature": 85.5, "vibration": 2.3, "pressure": 95.0,
    "rotation_speed": 1350.0, "current": 22.5, "operating_hours": 1500,
}
NGINX = """
worker_processes {cores};
daemon off;
pid {folder}/pid;
error_log stderr error;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} reuseport;
        default_type application/json;
        location / {{ return 200 '{body}'; }}
    }}
}}
"""


class Target:
    """A running server: its port and its processes."""

    def __init__(self, name, process, port):
        self.name, self.process, self.port = name, process, port

    def cpu_seconds(self):
        """User time and system time of the process and its children."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        user = system = 0
        for pid in [str(self.process.pid), *children.split()]:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            user += int(fields[11])
            system += int(fields[12])
        ticks = os.sysconf("SC_CLK_TCK")
        return user / ticks, system / ticks

    def get(self, path, body=None):
        """The body of an answer; an error status raises."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body)
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read()


@contextlib.contextmanager
def running(command, **options):
    process = subprocess.Popen(command, **options)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(condition, process, what):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError, StopIteration):
            return condition()
        time.sleep(0.02)
    sys.exit(f"{what} did not start")


@contextlib.contextmanager
def our_server(program, models, folder):
    log = Path(folder, "server.log")
    command = [program, "--port", "0", "--model-dir", models]
    with log.open("w") as stderr, running(command, stderr=stderr) as process:
        def port():
            lines = map(json.loads, log.read_text().splitlines())
            return next(line["port"] for line in lines if line.get("event") == "listening")

        target = Target("ours", process, wait_for(port, process, program))
        wait_for(lambda: target.get("/readyz"), process, program)
        yield target


@contextlib.contextmanager
def nginx(body, folder):
    # nginx takes no port 0; this range lies below that of the kernel's own choice.
    port = 20_000 + os.getpid() % 10_000
    config = Path(folder, "nginx.conf")
    config.write_text(NGINX.format(cores=CORES, folder=folder, port=port, body=body))
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    with running([program, "-p", folder, "-c", config], stderr=subprocess.DEVNULL) as process:
        target = Target("nginx", process, port)
        wait_for(lambda: target.get("/"), process, "nginx")
        yield target


def load(target, path, seconds, connections, rows=1):
    """One run of wrk: requests/s, CPU microseconds per request (user's part too), p99 in us."""
    command = [
        "wrk", f"-t{min(CORES, connections)}", f"-c{connections}", f"-d{seconds}",
        "-s", ROOT / "Benchmarks/http/predict.lua", f"http://127.0.0.1:{target.port}",
        "--", path, str(MACHINES), str(rows), str(min(CORES, connections)),
    ]
    before = target.cpu_seconds()
    output = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60).stdout
    user, system = (after - start for start, after in zip(before, target.cpu_seconds()))
    match = re.search(r"^result (\d+) (\d+) (\d+) ([\d.]+)$", output, re.MULTILINE)
    if match is None or int(match[3]) > 0 or int(match[1]) == 0:
        sys.exit(f"{target.name}: requests failed:\n{output}")
    requests = int(match[1])
    per_request = 1e6 / requests
    seconds = int(match[2]) / 1e6
    return requests / seconds, (user + system) * per_request, user * per_request, float(match[4])


def check_metrics(target):
    """Fails where readings were not taken in as new."""
    page = target.get("/metrics").decode()

    def total(name):
        pattern = rf"^{name}(?:\{{[^}}]*\}})? (\S+)$"
        return sum(float(value) for value in re.findall(pattern, page, re.MULTILINE))

    readings, odd = total("predictions_total"), total("readings_out_of_order_total")
    if readings == 0 or odd > readings / 100:
        sys.exit(f"{odd:.0f} of {readings:.0f} readings were late, stale or duplicate")
    machines = total("state_machines")
    print(f"{readings:.0f} readings of {machines:.0f} machines, {odd:.0f} of them out of order")


def report(runs):
    """Prints the medians of each target and, for two of them, their ratios."""
    print(f"{'':8}{'requests/s':>12}{'CPU us':>9}{'user us':>9}{'p99 us':>9}")
    medians = {}
    for name, rows in runs.items():
        medians[name] = [statistics.median(column) for column in zip(*rows)]
        print("{:8}{:12.0f}{:9.2f}{:9.2f}{:9.0f}".format(name, *medians[name]))
    if "nginx" in medians:
        ratios = [ours / other for ours, other in zip(medians["ours"], medians["nginx"])]
        print("{:8}{:12.2f}{:9.2f}{:9.2f}{:9.2f}".format("ratio", *ratios))


def measure_predict(ours, options, folder):
    answer = ours.get("/predict", json.dumps(EXAMPLE).encode()).decode()
    with nginx(answer.replace("'", ""), folder) as other:
        runs = {"ours": [], "nginx": []}
        for target in (ours, other):
            load(target, "/predict", 1, options.connections)
        for turn in range(options.rounds):
            for target in (ours, other) if turn % 2 == 0 else (other, ours):
                runs[target.name].append(
                    load(target, "/predict", options.seconds, options.connections))
    print(f"\n/predict, {options.connections} connections, answer of {len(answer)} bytes")
    report(runs)


def measure_batch(ours, options):
    rows = 1000
    runs = [
        load(ours, "/batch_predict", options.seconds, 4, rows) for _ in range(options.rounds)
    ]
    requests, cpu, _, p99 = (statistics.median(column) for column in zip(*runs))
    print(f"\n/batch_predict, {rows} rows, 4 connections")
    print(f"{requests * rows:.0f} rows/s, {cpu / rows:.3f} us CPU a row, p99 {p99 / 1000:.1f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--server", default=str(ROOT / ".build/release/inference-server"))
    parser.add_argument("--models", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--only", choices=["predict", "batch"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        with our_server(options.server, options.models, folder) as ours:
            if options.only != "batch":
                measure_predict(ours, options, folder)
            if options.only != "predict":
                measure_batch(ours, options)
            check_metrics(ours)


if __name__ == "__main__":
    main()
