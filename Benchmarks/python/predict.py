#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Measures /predict and /batch_predict beside others, in turn, in one run.

nginx answers `return 200` of equal size and is sent the same bytes; the services in rivals/ do the
same network's work in Python, without windows. All run on loopback with as many workers as this
process may use cores; wrk shares those with them. Processor time is that of the servers' processes.

Ends with status 1 where a goal is missed, a request fails, or /metrics counts more than 1 % of the
readings as late, stale or duplicate.
"""

import argparse
import contextlib
import http.client
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
CORES = len(os.sched_getaffinity(0))
MACHINES = 20_000
BATCH_ROWS = 1000
BATCH_CONNECTIONS = 4
# Machines of the runs that count instructions.
COUNTED_MACHINES = 100
JSON_FIELDS = {"Content-Type": "application/json"}
# The most of nginx's CPU time and the least of its requests, at 64 connections.
CPU_GOAL, REQUESTS_GOAL = 1.15, 0.9
# Services in Python that /predict is held against, with no goal: they are far behind.
PREDICT_RIVALS = ("fastapi_tuned", "fastapi_pydantic")
FLASK_RIVALS = ("flask_tensorflow:tuned", "flask_tensorflow:usual")
# The least of each rival's rows/s.
ROWS_GOALS = {"fastapi_pydantic": 8.0, "fastapi_tuned": 1.3}
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


def wait_for(condition, process, what, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError, StopIteration):
            return condition()
        time.sleep(0.02)
    sys.exit(f"{what} did not start")


@contextlib.contextmanager
def our_server(program, models, folder, name="ours", options=()):
    log = Path(folder, f"{name}.log")
    command = [program, "--port", "0", "--model-dir", models, *options]
    with log.open("w") as stderr, running(command, stderr=stderr) as process:
        def port():
            lines = map(json.loads, log.read_text().splitlines())
            return next(line["port"] for line in lines if line.get("event") == "listening")

        target = Target(name, process, wait_for(port, process, program))
        wait_for(lambda: target.get("/readyz"), process, program)
        yield target


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def nginx(body, folder):
    port = free_port()
    config = Path(folder, "nginx.conf")
    config.write_text(NGINX.format(cores=CORES, folder=folder, port=port, body=body))
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    with running([program, "-p", folder, "-c", config], stderr=subprocess.DEVNULL) as process:
        target = Target("nginx", process, port)
        wait_for(lambda: target.get("/"), process, "nginx")
        yield target


@contextlib.contextmanager
def rival(name, flask_python=None):
    """A service of rivals/: FastAPI in uvicorn, or Flask in gunicorn."""
    port = free_port()
    options = {}
    if name.startswith("flask"):
        # TensorFlow tells much on standard error that is none.
        options["stderr"] = subprocess.DEVNULL
        command = [
            flask_python, "-m", "gunicorn", name, "--chdir", HERE / "rivals",
            "--bind", f"127.0.0.1:{port}", "--workers", str(CORES), "--log-level", "error",
            "--worker-class", "gthread", "--threads", "16", "--keep-alive", "75",
        ]  # fmt: skip
    else:
        command = [
            sys.executable, "-m", "uvicorn", f"{name}:app", "--app-dir", HERE / "rivals",
            "--port", str(port), "--workers", str(CORES), "--log-level", "warning",
            "--no-access-log",
        ]  # fmt: skip
    with running(command, **options) as process:
        target = Target(name, process, port)
        body = json.dumps(EXAMPLE).encode()
        wait_for(lambda: target.get("/predict", body), process, name, seconds=120)
        yield target


def load(target, path, seconds, connections, rows=1):
    """One run of wrk: requests/s, CPU microseconds per request (user's part too), p99 in us."""
    command = [
        "wrk", f"-t{min(CORES, connections)}", f"-c{connections}", f"-d{seconds}", "--timeout=60s",
        "-s", HERE / "predict.lua", f"http://127.0.0.1:{target.port}",
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


def compare(targets, path, options, connections, rows=1):
    """Loads the targets in turn and prints the medians and our shares of the others'."""
    runs = {target.name: [] for target in targets}
    for target in targets:
        load(target, path, 1, connections, rows)
    for turn in range(options.rounds):
        for target in targets if turn % 2 == 0 else reversed(targets):
            runs[target.name].append(load(target, path, options.seconds, connections, rows))
    print(f"\n{path}, {connections} connections, {rows} rows a request")
    print(f"{'':18}{'rows/s':>12}{'CPU us/row':>12}{'user us/row':>12}{'p99 us':>10}")
    medians = {}
    for name, measured in runs.items():
        rate, cpu, user, p99 = (statistics.median(column) for column in zip(*measured))
        medians[name] = [rate * rows, cpu / rows, user / rows, p99]
        print("{:18}{:12.0f}{:12.2f}{:12.2f}{:10.0f}".format(name, *medians[name]))
    shares = {}
    for name in list(medians)[1:]:
        shares[name] = [ours / other for ours, other in zip(medians["ours"], medians[name])]
        print("{:18}{:12.2f}{:12.2f}{:12.2f}{:10.2f}".format(f"x {name}", *shares[name]))
    return shares


def measure_predict(ours, options, folder):
    """Our share of nginx's CPU time and of its requests, each with its goal."""
    answer = ours.get("/predict", json.dumps(EXAMPLE).encode()).decode()
    with nginx(answer.replace("'", ""), folder) as other:
        rate, cpu, _, _ = compare([ours, other], "/predict", options, options.connections)["nginx"]
    missed = []
    if cpu > CPU_GOAL:
        missed.append(f"/predict takes {cpu:.2f} x nginx's CPU time, goal {CPU_GOAL}")
    if rate < REQUESTS_GOAL:
        missed.append(f"/predict reaches {rate:.2f} x nginx's requests/s, goal {REQUESTS_GOAL}")
    return missed


def measure_rivals(ours, options):
    """Our requests/s and CPU time beside those of services in Python, one after the other."""
    names = list(PREDICT_RIVALS)
    if options.flask_python:
        names += FLASK_RIVALS
    else:
        print("\nSKIPPED: Flask with TensorFlow is not installed", file=sys.stderr)
    for name in names:
        with rival(name, options.flask_python) as other:
            compare([ours, other], "/predict", options, options.connections)


def instructions(options, folder, flags, requests):
    """What the server executes from start to end with so many requests, by callgrind."""
    log, counts = Path(folder, "counted.log"), Path(folder, "callgrind.out")
    # Valgrind gives up on debugging information that it does not understand.
    program = Path(folder, "stripped-server")
    subprocess.run(["strip", "-o", program, options.server], check=True)
    command = [
        "valgrind", "--tool=callgrind", f"--callgrind-out-file={counts}", program,
        "--port", "0", "--event-loops", "1", "--model-dir", options.models, *flags,
    ]  # fmt: skip
    with log.open("w") as stderr, running(command, stderr=stderr) as process:
        def port():
            lines = [line for line in log.read_text().splitlines() if line.startswith("{")]
            events = map(json.loads, lines)
            return next(line["port"] for line in events if line.get("event") == "listening")

        client = http.client.HTTPConnection("127.0.0.1", wait_for(port, process, "valgrind", 60))
        for number in range(requests):
            # Values that change: a sensor that never does would be flagged as stuck.
            reading = EXAMPLE | {
                "equipment_id": f"EQ{number % COUNTED_MACHINES:06}",
                "temperature": 60 + number % 97 / 8,
            }
            client.request("POST", "/predict", json.dumps(reading), JSON_FIELDS)
            if client.getresponse().read() == b"":
                sys.exit("a prediction failed under valgrind")
        client.close()
    return int(re.search(r"^summary: (\d+)", counts.read_text(), re.MULTILINE)[1])


def count_state(options, folder):
    """Instructions of a /predict for a known machine, with and without a state directory."""
    if not all(map(shutil.which, ["valgrind", "strip"])):
        return print("SKIPPED: instructions need the programs valgrind and strip", file=sys.stderr)
    per_request = {}
    for name in ("memory", "a file"):
        totals = []
        for requests in (5 * COUNTED_MACHINES, 20 * COUNTED_MACHINES):
            with tempfile.TemporaryDirectory() as state:
                flags = ["--state-dir", state, "--state-sync", "1h"] if name == "a file" else []
                totals.append(instructions(options, folder, flags, requests))
        per_request[name] = (totals[1] - totals[0]) / (15 * COUNTED_MACHINES)
    memory, file = per_request["memory"], per_request["a file"]
    print(
        f"\ninstructions of a /predict: {memory:.0f} with state in memory,"
        f" {file:.0f} in a file ({file / memory:.3f} x)"
    )


def measure_state(ours, options, folder):
    """What a state directory costs: the same server with and without one."""
    count_state(options, folder)
    with tempfile.TemporaryDirectory() as state:
        flags = ["--state-dir", state]
        with our_server(options.server, options.models, folder, "with a file", flags) as other:
            compare([ours, other], "/predict", options, options.connections)
            check_metrics(other)


def measure_batch(ours, options):
    """Our rows/s beside those of the services in Python, which run one after the other."""
    missed = []
    for name, goal in ROWS_GOALS.items():
        with rival(name) as other:
            shares = compare(
                [ours, other], "/batch_predict", options, BATCH_CONNECTIONS, BATCH_ROWS
            )
        rate = shares[name][0]
        if rate < goal:
            missed.append(f"/batch_predict reaches {rate:.2f} x {name}'s rows/s, goal {goal}")
    return missed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("server", help="the built inference-server")
    parser.add_argument("models", help="where a bundle is")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--only", choices=["predict", "rivals", "state", "batch"])
    parser.add_argument("--flask-python", help="an interpreter that has Flask and TensorFlow")
    options = parser.parse_args()
    missed = []
    with tempfile.TemporaryDirectory() as folder:
        with our_server(options.server, options.models, folder) as ours:
            def wants(part):
                return options.only in (None, part)

            if wants("predict"):
                missed += measure_predict(ours, options, folder)
            if wants("rivals"):
                measure_rivals(ours, options)
            if wants("state"):
                measure_state(ours, options, folder)
            if wants("batch"):
                missed += measure_batch(ours, options)
            check_metrics(ours)
    sys.exit("\n".join(missed) if missed else 0)


if __name__ == "__main__":
    main()
