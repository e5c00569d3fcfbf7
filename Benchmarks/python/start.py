# SPDX-License-Identifier: MIT
"""Times the start of inference-server beside nginx, in turn, in one run.

A start lasts from the launch to the first 200 of /health. Printed are medians over the runs of the
CPU time until then and of the memory resident then, both summed over the server's processes. nginx
answers `return 200` and has as many workers as ours has event loops.
"""

import argparse
import http.client
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from http_server import children, free_port

# What the goal allows ours.
GOALS = {"cpu": 30.0, "memory": 20.0}
NAMES = {"cpu": "CPU ms", "memory": "resident MB", "time": "ms until ready"}
PATIENCE_SECONDS = 20


def is_ready(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def cpu_milliseconds(pid):
    """The CPU time of a process, to the nanosecond: the ticks in /proc are too coarse here."""
    # Linux' id of another process' CPU clock, clock_getcpuclockid(3).
    return time.clock_gettime((~pid << 3) | 2) * 1e3


def resident_megabytes(pids):
    """Resident memory: of forks every shared page in parts, of one process all it maps."""
    key = "Rss:" if len(pids) == 1 else "Pss:"
    total = 0
    for pid in pids:
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith(key):
                total += int(line.split()[1])
    return total * 1024 / 1e6


def start(command, port):
    """Starts a server, measures it at its first 200 and ends it."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not is_ready(port):
            if process.poll() is not None:
                sys.exit(f"{command[0]} ended with status {process.returncode}")
            if time.monotonic() - began > PATIENCE_SECONDS:
                sys.exit(f"{command[0]} does not get ready")
            time.sleep(0.001)
        elapsed = (time.monotonic() - began) * 1e3
        pids = [process.pid, *children(process.pid)]
        return {
            "cpu": sum(map(cpu_milliseconds, pids)),
            "memory": resident_megabytes(pids),
            "time": elapsed,
        }
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=10)


def ours(program, models):
    port = free_port()
    return [program, "--port", str(port), "--model-dir", str(models)], port


def nginx(folder):
    port = free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"""daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
worker_processes {len(os.sched_getaffinity(0))};
events {{ worker_connections 4096; }}
http {{
    access_log off;
    server {{ listen 127.0.0.1:{port} reuseport; location / {{ return 200 'ready'; }} }}
}}"""
    )
    return ["nginx", "-p", str(folder), "-c", str(configuration)], port


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="the built inference-server")
    parser.add_argument("models", help="a folder with a bundle")
    parser.add_argument("--runs", type=int, default=10)
    options = parser.parse_args()
    rows = {"ours": [], "nginx": []}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        # nginx' workers are another user.
        folder.chmod(0o755)
        for _ in range(options.runs):
            rows["ours"].append(start(*ours(options.program, options.models)))
            rows["nginx"].append(start(*nginx(folder)))
    missed = False
    for key, label in NAMES.items():
        mine, theirs = (statistics.median(row[key] for row in rows[name]) for name in rows)
        goal = GOALS.get(key)
        print(
            f"{label:15} ours {mine:7.2f}  nginx {theirs:7.2f}  ratio {mine / theirs:6.2f}"
            + (f"  goal {goal:g}" if goal else "")
        )
        missed = missed or (goal is not None and mine > goal)
    sys.exit(missed)


if __name__ == "__main__":
    main()
