# SPDX-License-Identifier: MIT
"""Kills a server under load, again and again, and compares its state with what it answered.

Usage: kill_state.py BIN_FOLDER MODEL_DIR STATE_DIR ROUNDS [SEED]

Every machine belongs to one connection and its readings follow a fixed series, so that the number
of readings that the server holds tells what each of its windows must say.
"""

import json
import random
import signal
import socket
import subprocess
import sys
import threading
import time

CONNECTIONS = 4
MACHINES_PER_ROUND = 3
HOUR = 3600
START = 1_700_000_000 // HOUR * HOUR


def reading(machine, index):
    """The reading of a machine with this index: its moment and temperature; every fifth is late."""
    late = 1801 if index % 5 == 4 else 0
    return START + index * 600 - late, 20 + (index * 7 + machine) % 50


def request(machine, index):
    timestamp, temperature = reading(machine, index)
    body = json.dumps(
        {
            "equipment_id": name(machine), "timestamp": timestamp, "temperature": temperature,
            "vibration": 1, "pressure": 100, "rotation_speed": 1400, "current": 20,
            "operating_hours": 100 + index,
        }
    ).encode()
    head = "POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    return (head + f"Content-Length: {len(body)}\r\n\r\n").encode() + body


def name(machine):
    return f"machine {machine}/é"


class Connection:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""

    def ask(self, data):
        """The answer's status and body; None where the connection ended before them."""
        try:
            self.socket.sendall(data)
            while b"\r\n\r\n" not in self.rest:
                self.receive()
            head, self.rest = self.rest.split(b"\r\n\r\n", 1)
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            while len(self.rest) < length:
                self.receive()
            body, self.rest = self.rest[:length], self.rest[length:]
            return int(head.split(b" ")[1]), body
        except (ConnectionError, EOFError, socket.timeout):
            return None

    def receive(self):
        block = self.socket.recv(65536)
        if not block:
            raise EOFError
        self.rest += block


class Harness:
    def __init__(self, binaries, models, state, seed):
        self.binaries, self.models, self.state = binaries, models, state
        self.random = random.Random(seed)
        self.sent = {}
        self.answered = {}
        self.refused = None
        self.server = None
        self.port = 0

    def start(self):
        command = [
            f"{self.binaries}/inference-server", "--port", "0", "--model-dir", self.models,
            "--state-dir", self.state, "--event-loops", "2", "--state-sync", "20ms",
        ]
        self.server = subprocess.Popen(command, stderr=subprocess.PIPE)
        for line in self.server.stderr:
            event = json.loads(line)
            if event["event"] == "listening":
                self.port = event["port"]
                return
        sys.exit(f"the server did not start: status {self.server.wait()}")

    def load(self, machines, connection):
        """Sends readings of the machines in turn until the connection ends."""
        while True:
            for machine in machines:
                index = self.sent.get(machine, 0)
                self.sent[machine] = index + 1
                answer = connection.ask(request(machine, index))
                if answer is None:
                    return
                quality = json.loads(answer[1]).get("quality", {}) if answer[0] == 200 else {}
                late = ["late"] if index % 5 == 4 else None
                if answer[0] != 200 or quality.get("timestamp") != late:
                    self.refused = f"{name(machine)}: {answer}"
                    return
                self.answered[machine] = index + 1

    def kill(self):
        self.server.send_signal(signal.SIGKILL)
        self.server.wait()
        self.server.stderr.close()

    def verify(self):
        command = [f"{self.binaries}/pdm", "state", "verify", "--state-dir", self.state]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            sys.exit(f"torn: {result.stdout}{result.stderr}")

    def check(self, machines):
        connection = Connection(self.port)
        for machine in machines:
            path = "/equipment/" + "".join(f"%{byte:02x}" for byte in name(machine).encode())
            answer = connection.ask(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            if answer is None:
                sys.exit("the server ended by itself")
            sent, answered = self.sent.get(machine, 0), self.answered.get(machine, 0)
            if answer[0] == 404 and answered == 0:
                self.sent[machine] = 0
                continue
            if answer[0] != 200:
                sys.exit(f"{name(machine)}: {answer}, {answered} answered")
            found = json.loads(answer[1])
            count = found["readings"]
            if not answered <= count <= sent:
                sys.exit(f"{name(machine)}: {answered} answered, {count} held, {sent} sent")
            self.check_windows(machine, count, found)
            # What was held after all need not be sent again.
            self.answered[machine] = self.sent[machine] = count

    def check_windows(self, machine, count, found):
        rows = [reading(machine, index) for index in range(count)]
        last = max(timestamp for timestamp, _ in rows)
        for window in (6, 12, 24):
            inside = [value for moment, value in rows if moment // HOUR > last // HOUR - window]
            seen = found["windows"][f"{window}h"]["sensors"]["temperature"]
            wanted = {"count": len(inside), "mean": sum(inside) / len(inside), "max": max(inside)}
            for key, value in wanted.items():
                if abs(seen[key] - value) > 1e-5:
                    sys.exit(f"{name(machine)}: {window}h {key} is {seen[key]}, not {value}")

    def round(self, number):
        groups = []
        for index in range(CONNECTIONS):
            first = (number * CONNECTIONS + index) * MACHINES_PER_ROUND
            new = list(range(first, first + MACHINES_PER_ROUND))
            known = [machine for machine in self.sent if machine % CONNECTIONS == index]
            old = self.random.sample(known, min(len(known), MACHINES_PER_ROUND))
            # A machine's connection is told by its number, whatever the round.
            groups.append(old + [machine for machine in new if machine not in self.sent])
        groups = [
            [machine for group in groups for machine in group if machine % CONNECTIONS == index]
            for index in range(CONNECTIONS)
        ]
        threads = [
            threading.Thread(target=self.load, args=(group, Connection(self.port)))
            for group in groups
            if group
        ]
        for thread in threads:
            thread.start()
        time.sleep(self.random.uniform(0.001, 0.05))
        self.kill()
        for thread in threads:
            thread.join()
        if self.refused:
            sys.exit(self.refused)
        self.verify()
        self.start()
        self.check([machine for group in groups for machine in group])


def main():
    binaries, models, state, rounds = sys.argv[1:5]
    seed = int(sys.argv[5]) if len(sys.argv) > 5 else random.randrange(1 << 32)
    print(f"seed {seed}")
    harness = Harness(binaries, models, state, seed)
    begin = time.monotonic()
    harness.start()
    try:
        for number in range(int(rounds)):
            harness.round(number)
        harness.check(sorted(harness.sent))
    finally:
        harness.kill()
    harness.verify()
    readings = sum(harness.answered.values())
    print(
        f"{rounds} kills in {time.monotonic() - begin:.0f} s: {len(harness.sent)} machines,"
        f" {readings} readings, none lost, nothing torn"
    )


main()
