# SPDX-License-Identifier: MIT
"""Proves that a router and servers share a fleet out as k8s/overlays/sharded says.

Usage: check_shards.py BIN BUNDLE FOLDER MACHINES
"""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from urllib.parse import quote

OVERLAY = Path("k8s/overlays/sharded")
# Texts that a header, a path and a hash each have their own trouble with.
ODD_IDS = ["Pumpe Süd 7", "a b", "a/b", "50%", 'say "no"', "x" * 64, "/equipment/", "a;b,c", "0"]


def fail(message):
    sys.exit(f"check_shards: {message}")


def owner(machine, count):
    """What docs/operating.md tells clients to compute."""
    return zlib.crc32(machine.encode()) % count


def count_of_shards():
    """The number that the overlay's files agree on."""
    main = (OVERLAY / "kustomization.yaml").read_text()
    found = {
        "replicas": re.findall(r"count: (\d+)", main),
        "PDM_SHARD": re.findall(r"\$\(POD_INDEX\)/(\d+)", main),
    }
    if {len(numbers) for numbers in found.values()} != {1}:
        fail(f"kustomization.yaml: {found}")
    count = int(found["replicas"][0])
    router = (OVERLAY / "router.cfg").read_text()
    pattern = r"backend shard-(\d+)\n    server replica predictive-maintenance-(\d+)\."
    peers = re.findall(pattern, router)
    if (
        found["PDM_SHARD"] != [str(count)]
        or peers != [(str(index), str(index)) for index in range(count)]
        or re.findall(r"(?:mod|rand)\((\d+)\)", router) != [str(count)] * 2
    ):
        fail(f"the overlay's files do not agree on {count} shards")
    return count


class LocalConnection(http.client.HTTPConnection):
    """A connection to a socket in the file system."""

    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(30)
        self.sock.connect(self.path)


class Names:
    """The cluster's DNS: gives each replica the address that it has at the moment."""

    def __init__(self):
        self.addresses = {}
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            query, client = self.socket.recvfrom(4096)
            end = query.index(0, 12)
            labels, place = [], 12
            while place < end:
                labels.append(query[place + 1 : place + 1 + query[place]].decode())
                place += 1 + query[place]
            address = self.addresses.get(labels[0])
            question, is_a = query[12 : end + 5], query[end + 1 : end + 3] == b"\0\1"
            answer = b""
            if address and is_a:
                # The name, as a pointer to the question; A, IN, one second, four bytes.
                answer = b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4" + socket.inet_aton(address)
            flags = b"\x81\x80" if address else b"\x81\x83"
            counts = b"\0\1" + (b"\0\1" if answer else b"\0\0") + b"\0\0\0\0"
            self.socket.sendto(query[:2] + flags + counts + question + answer, client)


class Server:
    """One inference-server with its state, at an address of its own."""

    def __init__(self, binary, bundle, folder, shard, host, port=0):
        self.log = (folder / f"log-{shard.replace('/', '-')}-{time.monotonic_ns()}").open("w+")
        self.process = subprocess.Popen(
            [
                binary / "inference-server", "--host", host, "--port", str(port),
                "--model-dir", bundle,
                "--state-dir", folder / "state" / shard.split("/")[0], "--shard", shard,
                "--future-limit", "none", "--admin-port", "off", "--event-loops", "1",
            ],
            stderr=self.log,
        )  # fmt: skip
        self.host, self.port = host, self.wait_for_port()
        self.connection = http.client.HTTPConnection(host, self.port, timeout=30)

    def wait_for_port(self):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            self.log.seek(0)
            found = re.search(r'"listening".*?"port": ?(\d+)', self.log.read())
            if found:
                return int(found[1])
            time.sleep(0.02)
        self.log.seek(0)
        fail(f"a server did not start: {self.log.read()}")

    def stop(self, kind=signal.SIGTERM):
        self.connection.close()
        self.process.send_signal(kind)
        self.process.wait(20)


class Router:
    """The overlay's HAProxy in front of servers on this machine."""

    def __init__(self, folder, servers, names):
        folder.mkdir()
        self.socket = folder / "socket"
        text, *backends = (OVERLAY / "router.cfg").read_text().split("\nbackend ")
        text = text.replace("bind :8080", f"bind unix@{self.socket}")
        text = text.replace("parse-resolv-conf", f"nameserver dns 127.0.0.1:{names.port}")
        text = re.sub(r"(mod|rand)\(\d+\)", rf"\1({len(servers)})", text)
        for server, backend in zip(servers, backends, strict=False):
            text += "\nbackend " + backend.replace(":5000 ", f":{server.port} ")
        (folder / "router.cfg").write_text(text)
        self.process = subprocess.Popen(["haproxy", "-db", "-f", folder / "router.cfg"])
        while not self.socket.exists():
            if self.process.poll() is not None:
                fail("haproxy did not start")
            time.sleep(0.02)
        self.connection = self.connect()

    def connect(self):
        return LocalConnection(self.socket)

    def stop(self):
        self.connection.close()
        self.process.send_signal(signal.SIGUSR1)
        self.process.wait(20)


def ask(connection, method, path, body=None, machine=None, kind="application/json"):
    """Status, fields and body of an answer."""
    connection.putrequest(method, path)
    if machine is not None:
        connection.putheader("X-Equipment-ID", machine.encode())
    data = body.encode() if body is not None else b""
    if body is not None:
        connection.putheader("Content-Type", kind)
        connection.putheader("Content-Length", str(len(data)))
    connection.endheaders(data)
    answer = connection.getresponse()
    return answer.status, answer.headers, answer.read().decode()


def reading(machine, hour):
    return json.dumps(
        {
            "equipment_id": machine, "timestamp": 1767225600 + 3600 * hour,
            "temperature": 70 + hour, "vibration": 1.5, "pressure": 101, "rotation_speed": 1480,
            "current": 20, "operating_hours": 1000 + hour,
        }
    )  # fmt: skip


def want(status, answer, what):
    if answer[0] != status:
        fail(f"{what}: {answer[0]}, not {status}: {answer[2][:300]}")
    return answer


def kept(connection, machine):
    """How many readings a machine has, asked through the router."""
    answer = ask(connection, "GET", f"/equipment/{quote(machine, safe='')}")
    return json.loads(want(200, answer, f"GET of {machine!r}")[2])["readings"]


def wait_for_names(router, count):
    """The router has looked every replica up."""
    deadline = time.monotonic() + 20
    found = set()
    while len(found) < count and time.monotonic() < deadline:
        machine = f"M{len(found)}{time.monotonic_ns()}"
        if ask(router.connection, "GET", f"/equipment/{machine}")[0] == 404:
            found.add(owner(machine, count))
    if len(found) < count:
        fail(f"the router found shards {found} only")


def send_all(router, servers, machines):
    """Each machine's readings through the router: alone, in a batch, in lines."""
    count = len(servers)
    for machine in machines:
        want(200, ask(router, "POST", "/predict", reading(machine, 0), machine), repr(machine))
    groups = [[m for m in machines if owner(m, count) == shard] for shard in range(count)]
    for group in groups:
        # Whoever groups by shard may name any machine of the group.
        body = "[" + ",".join(reading(machine, 1) for machine in group) + "]"
        answer = want(200, ask(router, "POST", "/batch_predict", body, group[0]), "a batch")
        if json.loads(answer[2])["count"] != len(group):
            fail("a batch lost rows")
        lines = "\n".join(reading(machine, 2) for machine in group)
        kind = "application/x-ndjson"
        answer = want(200, ask(router, "POST", "/batch_predict", lines, group[0], kind), "lines")
        if '"error"' in answer[2] or answer[2].count("\n") != len(group):
            fail(f"a line was not answered: {answer[2][:300]}")
    print(f"{len(machines)} machines, three readings each: all answered by their owners")
    print("machines by shard:", *(len(group) for group in groups))


def compare_owners(servers, machines):
    """Every server refuses what is not its own, and says whose it is."""
    for machine in machines:
        rightful = owner(machine, len(servers))
        for index, server in enumerate(servers):
            answer = ask(server.connection, "GET", f"/equipment/{quote(machine, safe='')}")
            want(200 if index == rightful else 421, answer, f"{machine!r} of server {index}")
            if index != rightful and f'"owner":"{rightful}/{len(servers)}"' not in answer[2]:
                fail(f"{machine!r}: {answer[2]}")
    mixed = "[" + ",".join(reading(machine, 3) for machine in machines) + "]"
    answer = ask(servers[0].connection, "POST", "/batch_predict", mixed)
    want(421, answer, "a batch of all machines")
    print(f"{len(servers)} servers refuse each other's machines by 421, a mixed batch as a whole")


def prove_return(router, servers, machines, restart):
    """While a shard is away its requests wait a while; the others' are answered.

    It comes back with another address.
    """
    gone = [machine for machine in machines if owner(machine, len(servers)) == 1]
    servers[1].stop(signal.SIGKILL)
    for machine in machines[:200]:
        if machine not in gone:
            kept(router.connection, machine)
    answer = ask(router.connection, "GET", f"/equipment/{quote(gone[0], safe='')}")
    want(503, answer, "a machine whose shard stays away")
    if answer[1]["Retry-After"] != "1" or '"status":503' not in answer[2]:
        fail(f"what the router says of it: {answer[1]}{answer[2]}")
    # Asked while it is away, answered when it is back.
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(kept, router.connection, gone[0])
        time.sleep(0.5)
        servers[1] = restart()
        if waiting.result() != 3 or any(kept(router.connection, one) != 3 for one in gone):
            fail("readings were lost with the killed server")
    print("a killed shard: the others answer, its requests wait; back, it has its windows")


def main():
    binary, bundle, folder = (Path(argument).resolve() for argument in sys.argv[1:4])
    count = count_of_shards()
    machines = ODD_IDS + [f"EQ{number:05}" for number in range(int(sys.argv[4]))]

    names = Names()

    def start(shard, of, host=None, port=0):
        host = host or f"127.0.0.{10 + shard}"
        server = Server(binary, bundle, folder, f"{shard}/{of}", host, port)
        names.addresses[f"predictive-maintenance-{shard}"] = host
        started.append(server)
        return server

    running, started = [], []
    (folder / "state").mkdir()
    try:
        for number in (count, count - 1):
            servers = [start(shard, number) for shard in range(number)]
            router = Router(folder / f"router-{number}", servers, names)
            started.append(router)
            running = [*servers, router]
            wait_for_names(router, number)
            if number == count:
                send_all(router.connection, servers, machines)
                compare_owners(servers, machines[:200])
                back = partial(start, 1, count, "127.0.0.20", servers[1].port)
                prove_return(router, servers, machines, back)
                running[:-1] = servers
            elif any(kept(router.connection, machine) != 3 for machine in machines):
                fail("readings were lost on the way to fewer shards")
            else:
                compare_owners(servers, machines[:200])
            while running:
                running.pop().stop()
            if number == count:
                subprocess.run(
                    ["scripts/reshard", str(count), str(count - 1), folder / "state"],
                    env=os.environ | {"PDM": str(binary / "pdm")},
                    check=True,
                )
        print(f"from {count} shards to {count - 1}: every machine has moved, with all readings")
    finally:
        # What has ended is not meant any more.
        for one in started:
            one.process.kill()


if __name__ == "__main__":
    main()
