# SPDX-License-Identifier: MIT
"""A server that is looked at from outside: connections that count, loads of known size."""

import hashlib
import json
import re
import shutil
import socket
import sys
import time

READING = {
    "equipment_id": "EQ001", "temperature": 85.5, "vibration": 2.3, "pressure": 95.0,
    "rotation_speed": 1350.0, "current": 22.5, "operating_hours": 1500,
}
failures = []


def expect(is_right, what):
    if not is_right:
        failures.append(what)
        print(f"FAILED  {what}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, is_done, seconds=30):
    deadline = time.monotonic() + seconds
    while not (result := is_done()):
        if time.monotonic() > deadline:
            sys.exit(f"waited in vain for {what}")
        time.sleep(0.1)
    return result


class Connection:
    """A connection of HTTP/1.1 that counts the bytes of both ways."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.sent = self.received = 0

    def ask(self, method, target, body=None, fields=()):
        data = b"" if body is None else body.encode()
        head = [f"{method} {target} HTTP/1.1", "Host: a", *fields]
        if body is not None:
            head += ["Content-Type: application/json", f"Content-Length: {len(data)}"]
        request = "\r\n".join([*head, "", ""]).encode() + data
        self.socket.sendall(request)
        self.sent += len(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += self.receive()
        head, rest = answer.split(b"\r\n\r\n", 1)
        length = int((re.search(rb"(?i)content-length: (\d+)", head) or [0, 0])[1])
        while len(rest) < length:
            rest += self.receive()
        return int(head.split()[1]), rest.decode()

    def receive(self):
        data = self.socket.recv(1 << 16)
        if not data:
            sys.exit("the server closed a connection")
        self.received += len(data)
        return data


def samples(page):
    """The samples of a page of metrics by series."""
    lines = (line for line in page.splitlines() if line and not line.startswith("#"))
    return {series: float(value) for series, _, value in (line.rpartition(" ") for line in lines)}


def total(values, name, *labels):
    """The sum of the series of that name whose labels hold these texts."""
    return sum(
        value for series, value in values.items()
        if series.split("{")[0] == name and all(label in series for label in labels)
    )


def second_version(models):
    """Copies the bundle under a version a second later."""
    bundle = max(path.parent for path in models.glob("**/manifest.json"))
    version = bundle.name[:-2] + f"{(int(bundle.name[-2:]) + 1) % 60:02}"
    if version < bundle.name:
        sys.exit("the bundle was made in the last second of a minute; make another")
    copy = models / "copy"
    shutil.copytree(bundle, copy)
    manifest = copy / "manifest.json"
    manifest.write_text(manifest.read_text().replace(bundle.name, version))
    sums = copy / "SHA256SUMS"
    lines = [line.split(maxsplit=1)[1] for line in sums.read_text().splitlines()]
    sums.write_text("".join(
        f"{hashlib.sha256((copy / name.strip()).read_bytes()).hexdigest()}  {name}\n"
        for name in lines
    ))
    return copy, bundle.parent / version


def reading(machine, number, **changes):
    varied = {"equipment_id": f"M{machine}", "temperature": 20 + number * 7 % 130,
              "vibration": 0.5 + number % 9}
    return READING | varied | changes


def http1_load(port):
    """Every kind of request, on one connection each; what it must have been counted as."""
    counted = dict.fromkeys(["predictions", "timed", "rows_refused", "missing", "range"], 0)
    statuses = {}
    connection = Connection(port)

    def ask(method, target, route, body=None):
        status, answer = connection.ask(method, target, body)
        key = (method if route != "other" else "other", route, status)
        statuses[key] = statuses.get(key, 0) + 1
        return status, answer

    for number in range(400):
        body = json.dumps(reading(number % 20, number))
        if ask("POST", "/predict", "/predict", body)[0] == 200:
            counted["predictions"] += 1
            counted["timed"] += 1
    start = int(time.time()) - 7200
    for number, offset in enumerate([0, 60, 60, 30, 1800, -900_000]):
        body = json.dumps(reading(90, 1, timestamp=start + offset))
        expect(ask("POST", "/predict", "/predict", body)[0] == 200, f"reading {number} in time")
        counted["predictions"] += 1
        counted["timed"] += 1
    body = json.dumps(reading(91, 1, vibration=None, pressure=-999.0))
    for _ in range(30):
        ask("POST", "/predict", "/predict", body)
        counted["predictions"] += 1
        counted["timed"] += 1
        counted["missing"] += 1
        counted["range"] += 1
    rows = [reading(row % 50, row) for row in range(200)]
    rows[7] = {"equipment_id": "M7"}
    batch = json.dumps({"instances": rows})
    expect(ask("POST", "/batch_predict?on_error=skip", "/batch_predict", batch)[0] == 200, "batch")
    counted["predictions"] += 199
    counted["timed"] += 1
    counted["rows_refused"] += 1
    expect(ask("POST", "/batch_predict", "/batch_predict", batch)[0] == 422, "batch with a bad row")
    expect(ask("POST", "/predict", "/predict", "{")[0] == 400, "a body that is not JSON")
    expect(ask("POST", "/predict", "/predict", '{"equipment_id":"a"}')[0] == 422, "no sensors")
    for target in ["/health", "/livez", "/readyz", "/model/info"]:
        expect(ask("GET", target, target)[0] == 200, target)
    expect(ask("GET", "/equipment/M1", "/equipment/{id}")[0] == 200, "a machine")
    expect(ask("GET", "/equipment/none", "/equipment/{id}")[0] == 404, "no machine")
    expect(ask("GET", "/nowhere", "other")[0] == 404, "no path")
    expect(ask("GET", "/predict", "other")[0] == 405, "no method")
    return connection, counted, statuses
