#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts the instructions that a release server spends on a request, and fails where they are more
than the table beside this script allows.

The server runs under callgrind twice, with a few and with many requests on one connection; what the
many cost more is theirs, and start and end drop out. Debug symbols, which callgrind reads slowly,
are cut off a copy first. The counts are those of the kernel that callgrind's CPU has: AVX2.

    scripts/check_instructions.py SERVER MODEL_DIR [--table FILE] [--profile FOLDER]
                                  [--with OPTIONS] [--more N]

With options of the server, say `--with "--drift off"`, it tells what these cost or save.
"""

import argparse
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TABLE = Path(__file__).with_name("instructions.json")
MACHINES = 200
# Few enough that the event loop works on the batch itself.
BATCH_ROWS = 16
# Requests of the shorter run, and how many more the longer one has.
FEW = 400
MORE = {"predict": 2000, "livez": 2000, "batch_row": 120}
# What is counted is what an event loop does: `EventLoop.run()`, mangled. Other threads follow the
# clock, and would make the counts differ by 2 % from run to run.
EVENT_LOOP = "$s10HTTPServer9EventLoopC3runyyF"
# What the measured path may be above the table's number: compilers and C libraries differ a little.
HEADROOM = 1.03


def start(server, models, folder, tool, options):
    """The server with one event loop, and its port."""
    log = Path(folder, "log")
    command = [*tool, server, "--port", "0", "--event-loops", "1", "--model-dir", models]
    # Under callgrind every request is late, and would be shed.
    command += ["--queue-delay-max", "60s"]
    command += [option.replace("FOLDER", folder) for option in options]
    process = subprocess.Popen(command, stderr=log.open("w"))
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        for line in log.read_text().splitlines():
            if line.startswith("{") and line.endswith("}"):
                event = json.loads(line)
                if event.get("event") == "listening":
                    return process, event["port"]
        time.sleep(0.05)
    process.kill()
    sys.exit(f"the server did not start: {log.read_text()}")


def receive(connection):
    data = connection.recv(1 << 20)
    if not data:
        sys.exit("the server closed the connection")
    return data


def exchange(connection, request):
    """Sends a request and reads its answer to the end; it has to be 200."""
    connection.sendall(request)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += receive(connection)
    head, _, body = answer.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split()[0])
    while len(body) < length:
        body += receive(connection)
    if not head.startswith(b"HTTP/1.1 200 "):
        sys.exit(f"answered {answer!r}")


def reading(number):
    """A reading; no value of a machine comes twice in a row, which would be flagged."""
    return {
        "equipment_id": f"EQ{number % MACHINES:06}", "temperature": 85.51 + number % 7 / 10,
        "vibration": 2.314 + number % 9 / 100, "pressure": 95.07 + number % 3,
        "rotation_speed": 1350.5 + number % 11, "current": 22.56 + number % 13 / 10,
        "operating_hours": 1500 + number,
    }  # fmt: skip


def post(path, content):
    body = json.dumps(content, separators=(",", ":"))
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:5000\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def request(kind, number):
    if kind == "livez":
        return b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1:5000\r\n\r\n"
    if kind == "predict":
        return post("/predict", reading(number))
    rows = range(number * BATCH_ROWS, (number + 1) * BATCH_ROWS)
    return post("/batch_predict", {"instances": [reading(row) for row in rows]})


def run(server, models, kind, count, output=None, options=()):
    """Instructions of a whole run with so many requests after the warming-up."""
    with tempfile.TemporaryDirectory() as folder:
        output = output or Path(folder, "callgrind.out")
        tool = [
            "valgrind", "--tool=callgrind", f"--callgrind-out-file={output}",
            f"--toggle-collect={EVENT_LOOP}",
        ]  # fmt: skip
        process, port = start(server, models, folder, tool, options)
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for number in range(FEW + count if kind != "batch_row" else 4 + count):
                    exchange(connection, request(kind, number))
        finally:
            process.terminate()
            process.wait(120)
        said = Path(folder, "log").read_text()
    match = re.search(r"Collected : (\d+)", said)
    if process.returncode != 0 or match is None:
        sys.exit(f"callgrind ended with {process.returncode}: {said}")
    return int(match[1])


def measure(server, models, kind, folder=None, options=(), more=None):
    """Instructions of one request, or of one row of a batch."""
    more = more or MORE[kind]
    profile = folder and Path(folder, f"{kind}.callgrind")
    first = run(server, models, kind, 0, options=options)
    if first == 0:
        sys.exit(f"nothing was counted: {EVENT_LOOP} has another name")
    extra = run(server, models, kind, more, profile, options) - first
    return extra / more / (BATCH_ROWS if kind == "batch_row" else 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("server", help="the built inference-server")
    parser.add_argument("models", help="where a bundle of the standard schema is")
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--profile", help="a folder for callgrind's own files")
    parser.add_argument("--only", choices=list(MORE))
    parser.add_argument(
        "--with", dest="options", default="",
        help="options of the server; FOLDER in them is a temporary one",
    )  # fmt: skip
    parser.add_argument("--more", type=int, help="requests of the longer run")
    options = parser.parse_args()
    allowed = json.loads(options.table.read_text())
    missed = []
    with tempfile.TemporaryDirectory() as folder:
        server = Path(folder, "inference-server")
        shutil.copy(options.server, server)
        subprocess.run(["strip", "-g", server], check=True)
        for kind in [options.only] if options.only else MORE:
            count = measure(
                server, options.models, kind, options.profile, options.options.split(),
                options.more,
            )  # fmt: skip
            print(f"{kind}: {count:.0f} instructions, {allowed[kind]} in the table")
            if count > allowed[kind] * HEADROOM:
                missed.append(f"{kind} takes {count:.0f} instructions, table {allowed[kind]}")
    sys.exit("\n".join(missed) if missed else 0)


if __name__ == "__main__":
    main()
