#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Moves bundles between a folder and a real MLflow server; scripts/prove-mlflow calls it.

Ends with status 1 at the first thing that is not as it should be.
"""

import collections
import contextlib
import http.client
import http.server
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time

MODEL = "demonstration"
FAULTS = 2


def want(condition, what):
    if not condition:
        sys.exit(f"WRONG: {what}")
    print(f"as it should be: {what}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def mlflow_server(folder):
    port = free_port()
    with open(folder / "log", "w") as log:
        server = subprocess.Popen(
            [
                sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1",
                "--port", str(port), "--workers", "1",
                "--backend-store-uri", f"sqlite:///{folder}/store",
                "--artifacts-destination", str(folder / "artifacts"),
            ],
            stdout=log, stderr=log, start_new_session=True,
        )
    try:
        deadline = time.monotonic() + 120
        while True:
            with contextlib.suppress(OSError):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                connection.request("GET", "/health")
                if connection.getresponse().status == 200:
                    break
            if server.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"mlflow does not start: {(folder / 'log').read_text()[-2000:]}")
            time.sleep(0.2)
        yield port
    finally:
        os.killpg(server.pid, 15)
        server.wait(timeout=60)


class Faulty(http.server.BaseHTTPRequestHandler):
    """Passes requests on, but answers the first ones of each kind with 503."""

    target = 0
    seen = collections.Counter()

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        key = self.command, self.path
        Faulty.seen[key] += 1
        if Faulty.seen[key] <= FAULTS:
            return self.reply(503, b"busy")
        connection = http.client.HTTPConnection("127.0.0.1", Faulty.target, timeout=60)
        kept = {"Content-Type": self.headers.get("Content-Type", "application/json")}
        connection.request(self.command, self.path, body, kept)
        answer = connection.getresponse()
        return self.reply(answer.status, answer.read())

    do_GET = do_POST = do_PUT = handle_any

    def reply(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def faulty(port):
    Faulty.target = port
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Faulty)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()


class Registry:
    """`pdm registry` against one address."""

    def __init__(self, program, port):
        self.program, self.port = program, port

    def __call__(self, command, *options):
        return subprocess.run(
            [
                self.program, "registry", command, "--tracking-uri",
                f"http://127.0.0.1:{self.port}", *options,
            ],
            capture_output=True, text=True, timeout=120,
        )


def content(folder):
    return {path.name: path.read_bytes() for path in pathlib.Path(folder).iterdir()}


def main():
    program, models = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2]).resolve()
    bundle = max(path for path in (models / MODEL).iterdir() if path.is_dir())
    version, wanted = bundle.name, content(bundle)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        os.environ.update(GIT_PYTHON_REFRESH="quiet", MLFLOW_DISABLE_TELEMETRY="true")
        with mlflow_server(folder) as port:
            there_and_back(Registry(program, port), models, folder, version, wanted)
            from_mlflow(Registry(program, port), port, folder, bundle, wanted)
            with faulty(port) as faulty_port:
                registry = Registry(program, faulty_port)
                place = folder / "patient"
                done = registry("pull", "--model", MODEL, "--model-dir", place, version)
                want(done.returncode == 0, "a server that says 503 twice is asked a third time")
            damaged(Registry(program, port), folder, version)
        done = registry("pull", "--model", MODEL, "--model-dir", folder / "late")
        want(done.returncode == 1 and "onnect" in done.stderr, "no server is an error that says so")


def there_and_back(registry, models, folder, version, wanted):
    done = registry("push", "--model-dir", models, "--model", MODEL, "--alias", "champion")
    want(done.returncode == 0, f"pushed: {done.stdout.strip()}{done.stderr.strip()}")
    again = registry("push", "--model-dir", models, "--model", MODEL)
    want(again.stdout == done.stdout, "a second push changes nothing")
    for options in ([], [version], ["--alias", "champion"], ["--number", "1"]):
        place = folder / f"by{len(options)}{options[0] if options else ''}"
        done = registry("pull", "--model", MODEL, "--model-dir", place, *options)
        want(done.returncode == 0, f"pulled by {' '.join(options) or 'nothing'}")
        want(content(place / MODEL / version) == wanted, "every byte is that of the bundle")
    done = registry("pull", "--model", MODEL, "--model-dir", place)
    want("is there already" in done.stdout, "what is there is not fetched again")
    done = registry("pull", "--model", MODEL, "--model-dir", folder / "x", "--alias", "nobody")
    want(done.returncode == 1 and "nobody" in done.stderr, "an unknown alias is named")
    done = registry("pull", "--model", "nobody", "--model-dir", folder / "x")
    want(done.returncode == 1 and "nobody" in done.stderr, "an unknown model is named")


def from_mlflow(registry, port, folder, bundle, wanted):
    import mlflow

    mlflow.set_tracking_uri(f"http://127.0.0.1:{port}")
    client = mlflow.MlflowClient()
    [listed] = client.search_model_versions(f"name='{MODEL}'")
    want(listed.tags["pdm.version"] == bundle.name, "mlflow lists the version")
    run = client.get_run(listed.run_id)
    want("roc_auc" in run.data.metrics, "mlflow shows the evaluation's metrics")
    place = mlflow.artifacts.download_artifacts(
        artifact_uri=f"models:/{MODEL}@champion", dst_path=folder / "down"
    )
    got = {name: data for name, data in content(place).items() if name in wanted}
    want(got == wanted, "mlflow downloads every byte")
    with mlflow.start_run() as run:
        mlflow.log_artifacts(bundle, "some/place")
    client.create_registered_model("other")
    client.create_model_version(MODEL, f"runs:/{run.info.run_id}/some/place", run.info.run_id)
    done = registry("pull", "--model", MODEL, "--model-dir", folder / "other", "--number", "2")
    want(done.returncode == 0, f"pulled what mlflow pushed {done.stderr}")
    want(content(folder / "other" / MODEL / bundle.name) == wanted, "every byte is the bundle's")
    client.create_model_version("other", f"runs:/{run.info.run_id}/some/place", run.info.run_id)
    done = registry("pull", "--model", "other", "--model-dir", folder / "x")
    want(done.returncode == 1 and MODEL in done.stderr, "a bundle of another model is refused")


def damaged(registry, folder, version):
    for path in (folder / "artifacts").rglob("weights.safetensors"):
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    done = registry("pull", "--model", MODEL, "--model-dir", folder / "damaged")
    want(done.returncode == 1 and "weights" in done.stderr, "a flipped bit is found")
    left = list((folder / "damaged").rglob("*.*"))
    want(not left, "and nothing is left of it")


if __name__ == "__main__":
    main()
