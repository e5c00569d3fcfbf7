# SPDX-License-Identifier: MIT
"""Restarts a server under load, again and again, and counts the requests that were lost.

Usage: prove_restarts.py SERVER BUNDLE CERTIFICATES RESTARTS

Lost is a request whose bytes went out on an established connection and that got no complete answer.
A connection that is refused loses nothing, nor does a stream that GOAWAY says was not begun.
Clients ask one thing after the other, keep connections alive as long as they may, retry nothing.
"""

import json
import signal
import subprocess
import sys
import threading
import time

from wire_clients import READING, HTTP1Client, HTTP2Client, Lost, free_port, http1_request

CLIENTS = 8
# Time between two restarts.
LOAD_SECONDS = 0.15


class Load:
    """Clients that ask until told to stop."""

    def __init__(self, make_client, message):
        self.make_client, self.message = make_client, message
        self.is_over = False
        self.answered = [0] * CLIENTS
        self.refused = [0] * CLIENTS
        self.lost, self.wrong = [], []
        self.threads = [
            threading.Thread(target=self.run, args=(index,)) for index in range(CLIENTS)
        ]
        for thread in self.threads:
            thread.start()

    def run(self, index):
        while not self.is_over:
            try:
                client = self.make_client()
            except OSError:
                # Nobody listens, or the handshake of TLS did not end: nothing was asked.
                self.refused[index] += 1
                time.sleep(0.005)
                continue
            try:
                self.ask(client, index)
            except Lost as loss:
                self.lost.append(str(loss))
            finally:
                client.close()

    def ask(self, client, index):
        goes_on = True
        while goes_on and not self.is_over:
            status, goes_on = client.ask(self.message)
            if status == 200:
                self.answered[index] += 1
            elif status != 0:
                self.wrong.append(status)

    def end(self):
        self.is_over = True
        for thread in self.threads:
            thread.join()


class Servers:
    """The process that serves, on ports that stay the same."""

    def __init__(self, program, bundle, certificates):
        self.port, self.tls_port = free_port(), free_port()
        self.command = [
            program, "--port", str(self.port), "--model-dir", bundle,
            "--tls-port", str(self.tls_port), "--tls-certificate", f"{certificates}/server.pem",
            "--tls-key", f"{certificates}/server.key", "--event-loops", "2",
            "--drain-delay", "300ms", "--reuse-port", "on",
        ]  # fmt: skip
        self.current = self.start()

    def start(self):
        process = subprocess.Popen(self.command, stderr=subprocess.PIPE)
        listening = 0
        for line in process.stderr:
            listening += json.loads(line)["event"] == "listening"
            if listening == 2:
                # What it says later is read away, so that it never waits for us.
                threading.Thread(target=process.stderr.read, daemon=True).start()
                return process
        sys.exit(f"the server did not start: status {process.wait()}")

    def restart(self, with_next):
        old = self.current
        if with_next:
            self.current = self.start()
        old.send_signal(signal.SIGTERM)
        status = old.wait(timeout=40)
        if status != 0:
            sys.exit(f"the server ended with status {status}")
        if not with_next:
            self.current = self.start()


def prove_stop_at_once(servers, count):
    """Whether a server that is told to stop as soon as it listens stops; a signal is never lost."""
    begin = time.monotonic()
    for number in range(count):
        process = servers.start()
        process.send_signal(signal.SIGTERM)
        try:
            status = process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            status = None
        if status != 0:
            print(f"  start {number}: did not stop as told (status {status})")
            return False
    print(f"stopped as soon as it listened, {count} times in {time.monotonic() - begin:.0f} s")
    return True


def prove(name, servers, make_client, message, with_next, count):
    begin = time.monotonic()
    load = Load(make_client, message)
    for _ in range(count):
        time.sleep(LOAD_SECONDS)
        servers.restart(with_next)
    time.sleep(LOAD_SECONDS)
    load.end()
    how = "beside the next" if with_next else "alone"
    print(
        f"{name:9} {how:15} {count:4} restarts in {time.monotonic() - begin:3.0f} s:"
        f" {sum(load.answered):7} answered, {sum(load.refused):6} connections refused,"
        f" {len(load.lost)} lost",
        flush=True,
    )
    for loss in load.lost[:5]:
        print(f"  lost: {loss}")
    if load.wrong:
        print(f"  {len(load.wrong)} answers of status {sorted(set(load.wrong))}")
    return not load.lost and not load.wrong and sum(load.answered) > count


def main():
    program, bundle, certificates, text = sys.argv[1:]
    count, few = int(text), max(1, int(text) // 5)
    servers = Servers(program, bundle, certificates)
    authority = f"{certificates}/ca.pem"
    http1 = http1_request()
    is_well = prove_stop_at_once(servers, count)
    try:
        for with_next in (False, True):
            for name, number, make_client, message in (
                ("HTTP/1.1", count, lambda: HTTP1Client(servers.port), http1),
                ("h2c", few, lambda: HTTP2Client(servers.port), READING),
                ("TLS", few, lambda: HTTP1Client(servers.tls_port, authority), http1),
                ("h2", few, lambda: HTTP2Client(servers.tls_port, authority), READING),
            ):
                is_well &= prove(name, servers, make_client, message, with_next, number)
    finally:
        servers.current.kill()
        servers.current.wait()
    sys.exit(not is_well)


main()
