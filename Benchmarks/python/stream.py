# SPDX-License-Identifier: MIT
"""A batch of lines of any length through one connection of inference-server.

Usage: stream.py SERVER MODELS [--megabytes N] [--slow-seconds S]. One thread sends readings of
20,000 machines in chunks without end in sight, another reads the answers and counts their lines;
resident memory is looked at all the while, and another connection asks for /livez. Before that a
client sends and does not read: it has to be stopped. Ends with status 1 where an answer is missing
or memory grows by more than 32 MB after the first 20 MB of the body.

Then a server with one event loop takes a stream, and the kernel tells by perf when the loop begins
and ends to wait: what lies between is a turn, in which others wait. The loop's thread has real-time
priority meanwhile, so that other programs do not lengthen it. A turn above 1 ms ends the command
with status 1 as well; without perf, chrt or the right to use them this part is skipped.
"""

import argparse
import json
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from predict import our_server

GROWTH_MAX = 32 << 20
WARM_BYTES = 20 << 20
TURN_MAX = 0.001
WAITS = "syscalls:sys_enter_epoll_wait,syscalls:sys_exit_epoll_wait"
MACHINES = 20_000
HEAD = (
    b"POST /batch_predict HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-ndjson\r\n"
    b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
)


def lines(first, count):
    """Readings of machines one after the other, as lines."""
    readings = []
    for number in range(first, first + count):
        reading = {
            "equipment_id": f"EQ{number % MACHINES:06}",
            "temperature": round(60 + 30 * random.random(), 2),
            "vibration": round(0.5 + 3 * random.random(), 3),
            "pressure": round(85 + 20 * random.random(), 2),
            "rotation_speed": round(1200 + 400 * random.random(), 1),
            "current": round(15 + 12 * random.random(), 2),
            "operating_hours": random.randint(100, 20_000),
        }
        readings.append(json.dumps(reading).encode() + b"\n")
    return readings


def resident_bytes(process):
    """The memory that a process has in RAM."""
    text = Path(f"/proc/{process.pid}/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0]) << 10


def stopped_after(port, seconds):
    """How many bytes a client can send that does not read."""
    body = b"".join(lines(0, 2000))
    chunk = b"%x\r\n%s\r\n" % (len(body), body)
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(seconds)
        client.sendall(HEAD)
        sent = 0
        try:
            while sent < 1 << 30:
                sent += client.send(chunk[sent % len(chunk) :])
        except TimeoutError:
            return sent
    sys.exit("a client that does not read could send without end")


class Delays(threading.Thread):
    """How long another connection waits for a short answer."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.ends, self.seconds = port, False, []

    def run(self):
        with socket.create_connection(("127.0.0.1", self.port)) as client:
            while not self.ends:
                start = time.perf_counter()
                client.sendall(b"GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
                client.recv(4096)
                self.seconds.append(time.perf_counter() - start)
                time.sleep(0.005)

    def percentile(self, share):
        """A percentile in milliseconds."""
        return sorted(self.seconds)[int(share * (len(self.seconds) - 1))] * 1e3


def stream(server, megabytes):
    """Sends and reads; lines sent and answered, seconds, the most memory after the warm-up."""
    blocks = [lines(first, 2000) for first in range(0, MACHINES, 2000)]
    chunks = [b"%x\r\n%s\r\n" % (len(b"".join(block)), b"".join(block)) for block in blocks]
    sent = {"bytes": 0, "lines": 0}
    client = socket.create_connection(("127.0.0.1", server.port))
    client.settimeout(60)

    def send():
        client.sendall(HEAD)
        while sent["bytes"] < megabytes << 20:
            for block, chunk in zip(blocks, chunks):
                client.sendall(chunk)
                sent["bytes"] += len(chunk)
                sent["lines"] += len(block)
        client.sendall(b"0\r\n\r\n")

    sender = threading.Thread(target=send, daemon=True)
    start = time.perf_counter()
    sender.start()
    answered, warm, most, tail = 0, None, 0, b""
    while data := client.recv(1 << 18):
        # A chunk's own line ends in CR LF, an answer's in a brace and LF.
        answered += (tail[-1:] + data).count(b"}\n")
        tail = (tail + data)[-8:]
        memory = resident_bytes(server.process)
        if warm is None and sent["bytes"] >= WARM_BYTES:
            warm = memory
        if warm is not None:
            most = max(most, memory)
    seconds = time.perf_counter() - start
    if not tail.endswith(b"0\r\n\r\n"):
        sys.exit("the answer is not whole")
    return sent, answered, seconds, warm or 0, most


def waits(server, work):
    """The thread that waits most for events while `work` runs, and the times of its waits."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder, "perf.data")
        command = ["perf", "record", "-e", WAITS, "-o", data, "-p", str(server.process.pid)]
        recorder = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        if recorder.poll() is not None:
            return None, []
        work()
        recorder.send_signal(signal.SIGINT)
        recorder.wait()
        fields = ["perf", "script", "-i", data, "-F", "tid,time,event"]
        text = subprocess.run(fields, capture_output=True, text=True).stdout
    pattern = r"^\s*(\d+)\s+(\d+\.\d+):\s+syscalls:sys_(enter|exit)_epoll_wait"
    by_thread = {}
    for thread, moment, kind in re.findall(pattern, text, re.MULTILINE):
        by_thread.setdefault(thread, []).append((float(moment), kind))
    return max(by_thread.items(), key=lambda item: len(item[1]), default=(None, []))


def measure_turns(options, folder):
    """Says how long the turns of a loop take beside a stream, and whether that is too long."""
    flags = ["--event-loops", "1"]
    with our_server(options.server, options.models, folder, "one loop", flags) as server:
        def ask():
            for _ in range(200):
                server.get("/livez")

        tools = all(map(shutil.which, ["perf", "chrt"]))
        thread, _ = waits(server, ask) if tools else (None, [])
        priority = ["chrt", "--fifo", "--pid", "20", str(thread)]
        if not thread or subprocess.run(priority, stderr=subprocess.DEVNULL).returncode != 0:
            print("SKIPPED: turns need perf, chrt and the right to use them", file=sys.stderr)
            return False
        _, moments = waits(server, lambda: stream(server, min(options.megabytes, 100)))
    pairs = zip(moments, moments[1:])
    turns = sorted(end - start for (start, a), (end, b) in pairs if (a, b) == ("exit", "enter"))
    late = sum(turn > TURN_MAX for turn in turns)
    middle, last = turns[len(turns) // 2], turns[int(0.99 * (len(turns) - 1))]
    print(
        f"{len(turns)} turns of a loop: p50 {middle * 1e6:.0f} us, p99 {last * 1e6:.0f} us,"
        f" at most {turns[-1] * 1e6:.0f} us, {late} above {TURN_MAX * 1e3:.0f} ms"
    )
    return late > 0


def main():
    """Prints what came of it; status 1 where something is missing or memory grows."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("server", help="the built inference-server")
    parser.add_argument("models", help="where a bundle is")
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--slow-seconds", type=float, default=1.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        with our_server(options.server, options.models, folder) as server:
            quiet = Delays(server.port)
            quiet.start()
            stopped = stopped_after(server.port, options.slow_seconds)
            print(f"a client that does not read was stopped after {stopped / 1e6:.1f} MB")
            quiet.seconds.clear()
            time.sleep(1)
            quiet.ends = True
            busy = Delays(server.port)
            busy.start()
            sent, answered, seconds, warm, most = stream(server, options.megabytes)
            busy.ends = True
    print(f"{sent['bytes'] / 1e6:.0f} MB in {seconds:.1f} s, {sent['lines'] / seconds:.0f} lines/s")
    print(f"memory {warm / 1e6:.1f} MB after {WARM_BYTES / 1e6:.0f} MB, {most / 1e6:.1f} MB at most")
    for name, delays in (("quiet", quiet), ("beside the stream", busy)):
        print(
            f"/livez {name}: p50 {delays.percentile(0.5):.2f} ms,"
            f" p99 {delays.percentile(0.99):.2f} ms"
        )
    if answered != sent["lines"]:
        sys.exit(f"{sent['lines']} lines were sent, {answered} answered")
    with tempfile.TemporaryDirectory() as folder:
        is_late = measure_turns(options, folder)
    return 1 if most - warm > GROWTH_MAX or is_late else 0


if __name__ == "__main__":
    sys.exit(main())
