# SPDX-License-Identifier: MIT
"""Offers a server more than it can do and looks at what becomes of the requests it accepts.

Usage: prove_overload.py SERVER BUNDLE ROUNDS [beside]

Every request is a batch that costs the loop, or a worker beside it, the better part of a
millisecond. The capacity is what eight connections get that ask one thing after the other. Then
requests come at random times (Poisson) whatever the server does, at 0.8 and at 3 times that rate,
in turn; a time is counted from the moment that a request was due, also where it had to wait for a
connection. The first second at a rate is not counted: the server takes 0.1 s of it to find that
this is no burst. The p99 of those answered 200 at 3 times must be within twice that at 0.8 times,
and their number at least 0.9 of the capacity: medians of the rounds. The server has one loop on a
core of its own, the clients have another.
"""

import collections
import json
import os
import random
import select
import signal
import socket
import statistics
import subprocess
import sys
import time

import wire_clients as wire

ROWS = 400
CLOSED_CONNECTIONS = 8
# More than requests can be under way that are answered in 20 ms.
OPEN_CONNECTIONS = 256
SECONDS = 5
WARMING_SECONDS = 1
LATENCY_RATIO_MAX = 2
GOODPUT_RATIO_MIN = 0.9
SHED = 503


def batch():
    rows = [
        {"equipment_id": f"press {index}", "temperature": 80 + index % 7, "mode": "press"}
        for index in range(ROWS)
    ]
    return wire.http1_request("/batch_predict", json.dumps(rows, separators=(",", ":")).encode())


class Load:
    """Connections of one thread; a request goes out whole or in parts, an answer comes back."""

    def __init__(self, port, count, request):
        self.request = request
        self.poller = select.epoll()
        self.free = []
        self.peers = {}
        # What has come of an answer, when the request was due, and how much of it is to be sent.
        self.answers, self.due, self.rest = {}, {}, {}
        for _ in range(count):
            peer = wire.connect(port)
            peer.setblocking(False)
            self.peers[peer.fileno()] = peer
            self.free.append(peer.fileno())
            self.poller.register(peer, select.EPOLLIN)

    def send(self, due):
        number = self.free.pop()
        self.due[number], self.answers[number] = due, b""
        self.rest[number] = memoryview(self.request)
        self.push(number)

    def push(self, number):
        try:
            sent = self.peers[number].send(self.rest[number])
        except BlockingIOError:
            sent = 0
        self.rest[number] = self.rest[number][sent:]
        wanted = select.EPOLLIN | (select.EPOLLOUT if self.rest[number] else 0)
        self.poller.modify(number, wanted)

    def wait(self, seconds):
        """Yields the status of every answer that is complete, and when its request was due."""
        for number, event in self.poller.poll(seconds):
            if event & select.EPOLLOUT:
                self.push(number)
            if not event & ~select.EPOLLOUT:
                continue
            block = self.peers[number].recv(1 << 20)
            if not block:
                sys.exit("a connection was closed")
            answer = self.answers[number] = self.answers[number] + block
            end = answer.find(b"\r\n\r\n")
            if end < 0:
                continue
            start = answer.find(b"content-length: ") + 16
            length = int(answer[start : answer.find(b"\r", start)])
            if len(answer) < end + 4 + length:
                continue
            self.free.append(number)
            yield int(answer[9:12]), self.due[number]

    def close(self):
        for peer in self.peers.values():
            peer.close()


def capacity(port, request):
    """Answers a second where each connection sends its next request after the last answer."""
    load = Load(port, CLOSED_CONNECTIONS, request)
    count = 0
    begin = time.perf_counter()
    while (now := time.perf_counter()) < begin + SECONDS:
        while load.free:
            load.send(now)
        for status, _ in load.wait(0.1):
            count += status == 200
            if status not in (200, SHED):
                sys.exit(f"answered {status}")
    load.close()
    return count / SECONDS


def offer(port, request, rate):
    """Answers of 200 a second, their p99 in ms, and the share of what was shed, at that rate."""
    load = Load(port, OPEN_CONNECTIONS, request)
    random.seed(1)
    waiting = collections.deque()
    times, shed = [], 0
    begin = time.perf_counter()
    due = begin
    while (now := time.perf_counter()) < begin + WARMING_SECONDS + SECONDS:
        while due <= now:
            waiting.append(due)
            due += random.expovariate(rate)
        while waiting and load.free:
            load.send(waiting.popleft())
        pause = max(0, due - time.perf_counter()) if load.free else 0.001
        for status, start in load.wait(pause):
            if start < begin + WARMING_SECONDS:
                continue
            if status == 200:
                times.append(time.perf_counter() - start)
            elif status == SHED:
                shed += 1
            else:
                sys.exit(f"answered {status}")
    load.close()
    times.sort()
    p99 = times[len(times) * 99 // 100] * 1e3
    return {"good": len(times) / SECONDS, "p99": p99, "shed": shed / (shed + len(times)),
            "waiting": len(waiting)}  # fmt: skip


def start(program, bundle, cores, is_beside):
    port = wire.free_port()
    command = [
        program, "--port", str(port), "--model-dir", bundle, "--event-loops", "1",
        "--inline-batch-bytes-max", "0" if is_beside else "65536", "--log-level", "error",
    ]  # fmt: skip
    if len(cores) > 1:
        os.sched_setaffinity(0, cores[-1:])
    process = subprocess.Popen(command)
    if len(cores) > 1:
        os.sched_setaffinity(0, cores[:1])
    for _ in range(200):
        try:
            wire.connect(port).close()
            return process, port
        except OSError:
            time.sleep(0.05)
    sys.exit("the server did not start")


def main():
    program, bundle, rounds = sys.argv[1:4]
    is_beside = sys.argv[4:] == ["beside"]
    cores = sorted(os.sched_getaffinity(0))
    process, port = start(program, bundle, cores, is_beside)
    request = batch()
    print(f"{ROWS} rows, {len(request)} bytes; cores: {len(cores)}")
    rows = []
    try:
        for _ in range(int(rounds)):
            full = capacity(port, request)
            calm = offer(port, request, 0.8 * full)
            much = offer(port, request, 3 * full)
            rows.append((calm["p99"], much["p99"] / calm["p99"], much["good"] / full))
            print(
                f"capacity {full:.0f}/s; at 0.8 x {calm['good']:.0f}/s, p99 {calm['p99']:.1f} ms,"
                f" {calm['shed']:.1%} shed; at 3 x {much['good']:.0f}/s, p99 {much['p99']:.1f} ms,"
                f" {much['shed']:.1%} shed, {much['waiting']} had no connection",
                flush=True,
            )
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=40)
    _, latency, goodput = (statistics.median(column) for column in zip(*rows))
    print(f"p99 at 3 x / at 0.8 x   {latency:5.2f}  (at most {LATENCY_RATIO_MAX})")
    print(f"goodput at 3 x / capacity {goodput:5.2f}  (at least {GOODPUT_RATIO_MIN})")
    sys.exit(latency > LATENCY_RATIO_MAX or goodput < GOODPUT_RATIO_MIN)


if __name__ == "__main__":
    main()
