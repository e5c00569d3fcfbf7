# SPDX-License-Identifier: MIT
"""Times a static route of inference-server beside nginx, in turn, in one run.

nginx answers `return 200` with the same bytes as body and the same certificate. wrk is the load.
Printed are medians over the rounds; CPU is that of the server's processes, from /proc.
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


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A server process with its children, on a plain and a TLS port."""

    def __init__(self, name, command, plain, tls):
        self.name = name
        self.ports = {"plain": plain, "tls": tls}
        self.process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
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
    plain, tls = free_port(), free_port()
    configuration = folder / "nginx.conf"
    server = f"""
        access_log off; keepalive_requests 100000000; keepalive_timeout 75s;
        default_type application/json;
        location / {{ return 200 '{BODY}'; }}"""
    configuration.write_text(
        f"""daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
worker_processes {workers};
events {{ worker_connections 4096; }}
http {{
    server_tokens off;
    server {{ listen 127.0.0.1:{plain} reuseport; {server} }}
    server {{ listen 127.0.0.1:{tls} ssl reuseport;
        ssl_certificate {certificates}/server.pem; ssl_certificate_key {certificates}/server.key;
        ssl_protocols TLSv1.3; ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256; {server} }}
}}"""
    )
    return Server("nginx", ["nginx", "-p", str(folder), "-c", str(configuration)], plain, tls)


def start_ours(program, folder, certificates, workers):
    plain, tls = free_port(), free_port()
    models = folder / "models"
    models.mkdir()
    command = [
        program, "--port", str(plain), "--tls-port", str(tls), "--model-dir", str(models),
        "--tls-certificate", f"{certificates}/server.pem",
        "--tls-key", f"{certificates}/server.key", "--event-loops", str(workers),
    ]  # fmt: skip
    return Server("ours", command, plain, tls)


def measure(server, kind, connections, seconds):
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


def percentile(output, share):
    number, unit = re.search(rf"{share}%\s+([\d.]+)(us|ms|s)", output).groups()
    return float(number) * {"us": 1, "ms": 1e3, "s": 1e6}[unit]


def report(kind, connections, ours, theirs):
    ratios = {key: ours[key] / theirs[key] for key in ours}
    for name, row in (("ours", ours), ("nginx", theirs)):
        print(
            f"{kind:5} {connections:4} {name:6} {row['requests']:9.0f} requests/s"
            f"  p50 {row['p50']:7.0f} us  p99 {row['p99']:7.0f} us  CPU {row['cpu']:6.2f} us/request"
        )
    print(
        f"{kind:5} {connections:4} ratio  {ratios['requests']:9.2f}            "
        f"  p50 {ratios['p50']:7.2f}     p99 {ratios['p99']:7.2f}     CPU {ratios['cpu']:6.2f}"
    )
    return ratios


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="the built inference-server")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 64, 512])
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
        try:
            ratios = {}
            for kind in ("plain", "tls"):
                for connections in options.connections:
                    rounds = {server.name: [] for server in servers}
                    for _ in range(options.rounds):
                        for server in servers:
                            row = measure(server, kind, connections, options.seconds)
                            rounds[server.name].append(row)
                    ours, theirs = (
                        {key: statistics.median(row[key] for row in rows) for key in rows[0]}
                        for rows in rounds.values()
                    )
                    ratios[kind, connections] = report(kind, connections, ours, theirs)
        finally:
            for server in servers:
                server.stop()
    found = ratios.get(("plain", 64))
    if found:
        missed = found["cpu"] > GOALS["cpu"] or found["requests"] < GOALS["requests"]
        sys.exit(missed or found["p99"] > GOALS["p99"])


if __name__ == "__main__":
    main()
