# SPDX-License-Identifier: MIT
"""Times a static route of inference-server beside nginx and nghttpd, in turn, in one run.

nginx answers `return 200` with the same bytes as body and the same certificate; nghttpd, which
speaks HTTP/2 alone, sends them as a file. wrk is the load of HTTP/1.1, h2load that of HTTP/2, with
ten streams a connection. Printed are medians over the rounds; CPU is that of the server's processes,
from /proc. Of HTTP/2 the rate is what h2load saw, and it tells no percentiles.
"""

import argparse
import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

PATH = "/livez"
BODY = '{"status":"alive"}'
TICK = os.sysconf("SC_CLK_TCK")
# Share of nginx' CPU time, requests and p99 that the goal allows, at 64 plain connections.
GOALS = {"cpu": 0.9, "requests": 1.0, "p99": 1.0}
# Share of nghttpd's requests, at 64 connections in the clear and over TLS.
HTTP2_GOAL = 0.8
STREAMS = 10


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A server process with its children, and the port of each transport that it speaks."""

    def __init__(self, name, command, **ports):
        self.name = name
        self.ports = ports
        self.process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for port in self.ports.values():
            self.wait_for(port)

    def wait_for(self, port):
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        sys.exit(f"{self.name} does not listen")

    def cpu_seconds(self):
        pids = [self.process.pid] + children(self.process.pid)
        ticks = 0
        for pid in pids:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / TICK

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=10)


def children(pid):
    path = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
    return [int(text) for text in path.read_text().split()]


def start_nginx(folder, certificates, workers):
    plain, tls, h2c, h2 = (free_port() for _ in range(4))
    configuration = folder / "nginx.conf"
    server = f"""
        access_log off; server_tokens off; keepalive_requests 100000000; keepalive_timeout 75s;
        http2_max_concurrent_streams 128;
        default_type application/json;
        location / {{ return 200 '{BODY}'; }}"""
    encrypted = f"""
        ssl_certificate {certificates}/server.pem; ssl_certificate_key {certificates}/server.key;
        ssl_protocols TLSv1.3; ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;"""
    configuration.write_text(
        f"""daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
worker_processes {workers};
events {{ worker_connections 4096; }}
http {{
    server {{ listen 127.0.0.1:{plain} reuseport; {server} }}
    server {{ listen 127.0.0.1:{tls} ssl reuseport; {encrypted} {server} }}
    server {{ listen 127.0.0.1:{h2c} http2 reuseport; {server} }}
    server {{ listen 127.0.0.1:{h2} ssl http2 reuseport; {encrypted} {server} }}
}}"""
    )
    command = ["nginx", "-p", str(folder), "-c", str(configuration)]
    return Server("nginx", command, plain=plain, tls=tls, h2c=h2c, h2=h2)


def start_nghttpd(name, folder, workers, *options):
    port = free_port()
    files = folder / "files"
    files.mkdir(exist_ok=True)
    (files / PATH[1:]).write_text(BODY)
    command = ["nghttpd", "-a", "127.0.0.1", "-n", str(workers), "-d", str(files), str(port)]
    return Server("nghttpd", command + list(options), **{name: port})


def start_ours(program, folder, certificates, workers):
    plain, tls = free_port(), free_port()
    models = folder / "models"
    models.mkdir()
    command = [
        program, "--port", str(plain), "--tls-port", str(tls), "--model-dir", str(models),
        "--tls-certificate", f"{certificates}/server.pem",
        "--tls-key", f"{certificates}/server.key", "--event-loops", str(workers),
    ]  # fmt: skip
    return Server("ours", command, plain=plain, tls=tls, h2c=plain, h2=tls)


def measure(server, kind, connections, seconds):
    if kind in ("h2c", "h2"):
        return measure_http2(server, kind, connections, seconds)
    scheme = "https" if kind == "tls" else "http"
    url = f"{scheme}://127.0.0.1:{server.ports[kind]}{PATH}"
    before = server.cpu_seconds()
    output = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", url],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    cpu = server.cpu_seconds() - before
    if "Non-2xx" in output or "Socket errors" in output:
        sys.exit(f"{server.name}, {kind}, {connections}: {output}")
    count = int(re.search(r"(\d+) requests in", output).group(1))
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", output).group(1))
    return {
        "requests": rate,
        "p50": percentile(output, 50),
        "p99": percentile(output, 99),
        "cpu": cpu / count * 1e6,
    }


def measure_http2(server, kind, connections, seconds):
    url = f"{'https' if kind == 'h2' else 'http'}://127.0.0.1:{server.ports[kind]}{PATH}"
    before = server.cpu_seconds()
    output = subprocess.run(
        ["h2load", "-t1", f"-c{connections}", f"-m{STREAMS}", f"-D{seconds}", url],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    cpu = server.cpu_seconds() - before
    good, *bad = map(int, re.search(
        r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", output
    ).groups())  # fmt: skip
    if any(bad) or not good:
        sys.exit(f"{server.name}, {kind}, {connections}: {output}")
    mean = re.search(r"time for request:.*", output).group().split()[5]
    return {"requests": good / seconds, "mean": microseconds(mean), "cpu": cpu / good * 1e6}


def microseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 1, "ms": 1e3, "s": 1e6}[unit]


def percentile(output, share):
    return microseconds(re.search(rf"{share}%\s+([\d.]+(?:us|ms|s))", output).group(1))


UNITS = {
    "requests": ("requests/s", "9.0f"), "p50": ("us", "7.0f"), "p99": ("us", "7.0f"),
    "mean": ("us", "7.0f"), "cpu": ("us/request", "6.2f"),
}  # fmt: skip


def report(kind, connections, medians):
    """Prints the medians of each server, and returns how ours stands to the others."""
    ours = medians["ours"]
    ratios = {}
    for name, row in medians.items():
        said = "  ".join(
            f"{key} {value:{UNITS[key][1]}} {UNITS[key][0]}" for key, value in row.items()
        )
        print(f"{kind:5} {connections:4} {name:9} {said}")
        if name != "ours":
            ratios[name] = {key: ours[key] / row[key] for key in ours}
            said = "  ".join(f"{key} {value:.2f}" for key, value in ratios[name].items())
            print(f"{kind:5} {connections:4} ours / {name}: {said}", flush=True)
    return ratios


def compare(servers, kind, connections, options):
    """Lets the servers that speak it take turns."""
    rounds = {server.name: [] for server in servers if kind in server.ports}
    for _ in range(options.rounds):
        for server in servers:
            if kind in server.ports:
                row = measure(server, kind, connections, options.seconds)
                rounds[server.name].append(row)
    medians = {
        name: {key: statistics.median(row[key] for row in rows) for key in rows[0]}
        for name, rows in rounds.items()
    }
    return report(kind, connections, medians)


def is_missed(ratios):
    """Whether a goal is, of those that were measured."""
    missed = []
    if ("plain", 64) in ratios:
        found = ratios["plain", 64]["nginx"]
        missed.append(found["requests"] < GOALS["requests"])
        missed += [found[key] > GOALS[key] for key in ("cpu", "p99")]
    for kind in ("h2c", "h2"):
        if (kind, 64) in ratios:
            missed.append(ratios[kind, 64]["nghttpd"]["requests"] < HTTP2_GOAL)
    return any(missed)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="the built inference-server")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 64, 512])
    parser.add_argument("--kinds", nargs="+", default=["plain", "tls", "h2c", "h2"])
    options = parser.parse_args()
    workers = len(os.sched_getaffinity(0))
    script = pathlib.Path(__file__).resolve().parents[2] / "scripts/make-certificate"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        # nginx' workers are another user.
        folder.chmod(0o755)
        certificates = folder / "certificates"
        subprocess.run([script, certificates], check=True, stdout=subprocess.DEVNULL)
        servers = [start_ours(options.program, folder, certificates, workers)]
        servers.append(start_nginx(folder, certificates, workers))
        pair = [f"{certificates}/server.{end}" for end in ("key", "pem")]
        servers.append(start_nghttpd("h2c", folder, workers, "--no-tls"))
        servers.append(start_nghttpd("h2", folder, workers, *pair))
        try:
            ratios = {
                (kind, connections): compare(servers, kind, connections, options)
                for kind in options.kinds
                for connections in options.connections
            }
        finally:
            for server in servers:
                server.stop()
    sys.exit(is_missed(ratios))


if __name__ == "__main__":
    main()
