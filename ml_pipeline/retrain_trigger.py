# SPDX-License-Identifier: MIT
"""Starts a training run in Azure Machine Learning because `pdm retrain` said so.

Usage: retrain_trigger.py --once REASON
       retrain_trigger.py --listen HOST:PORT

  --once    submits the pipeline and prints the run's name
  --listen  takes the webhook of `pdm retrain`: a POST to /retrain, whose body becomes the reason

The variables are those of pipeline_definition.py. With --listen RETRAIN_TOKEN must be set, and a
request must bring it as `Authorization: Bearer TOKEN`; while a run that was started here goes on,
another is refused with 409. DRY_RUN=1 does everything but ask Azure.
"""

from __future__ import annotations

import hmac
import json
import os
import sys
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer

BODY_BYTES_MAX = 65_536
OVER = {"Completed", "Failed", "Canceled", "NotResponding"}


class Trigger:
    """Submits runs, one at a time."""

    def __init__(self, submit: Callable[[str], str], status: Callable[[str], str]) -> None:
        """Take how to submit a run and how to ask for its status."""
        self.submit, self.status = submit, status
        self.last: str | None = None

    def start(self, reason: str) -> tuple[int, dict[str, str]]:
        """Submit a run unless one goes on; gives the answer's status and body."""
        if self.last is not None and self.status(self.last) not in OVER:
            return 409, {"status": "running", "job": self.last}
        self.last = self.submit(reason)
        return 202, {"status": "started", "job": self.last}


def azure() -> Trigger:
    """Make a trigger for the workspace that the environment names."""
    # Not where runs are only told of: it needs Azure's packages.
    import pipeline_definition  # noqa: PLC0415

    client, _ = pipeline_definition.connect()

    def submit(reason: str) -> str:
        # Read anew: a definition is changed by its run.
        _, definition = pipeline_definition.connect()
        return pipeline_definition.run(client, definition, reason)

    return Trigger(submit, lambda name: str(client.jobs.get(name).status))


def dry() -> Trigger:
    """Make a trigger that only tells; its runs go on for ever."""

    def submit(reason: str) -> str:
        print(f"would submit: {reason}", flush=True)
        return "dry-run"

    return Trigger(submit, lambda _: "Running")


def handler(trigger: Trigger, token: str) -> type[BaseHTTPRequestHandler]:
    """Make the class that answers requests."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            said = self.headers.get("Authorization", "")
            if not length.isascii() or not length.isdigit() or int(length) > BODY_BYTES_MAX:
                return self.answer(413, {"status": "no body of acceptable length"})
            body = self.rfile.read(int(length))
            if self.path != "/retrain":
                return self.answer(404, {"status": "nothing is here"})
            if not hmac.compare_digest(said.encode(), f"Bearer {token}".encode()):
                return self.answer(401, {"status": "a token is needed"})
            try:
                reason = json.dumps(json.loads(body), separators=(",", ":"))
            except ValueError:
                return self.answer(400, {"status": "the body is no JSON"})
            try:
                return self.answer(*trigger.start(reason))
            except Exception as error:
                # Whatever Azure said: who sent this tries again.
                print(f"retrain_trigger: {error}", file=sys.stderr, flush=True)
                return self.answer(502, {"status": "the workspace did not take the run"})

        def answer(self, status: int, body: dict[str, str]) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    return Handler


def main() -> None:
    """Do what the arguments say."""
    mode, value = sys.argv[1:] if len(sys.argv) == 3 else ("--help", "")
    if mode not in ("--once", "--listen"):
        print(__doc__)
        sys.exit(mode != "--help")
    trigger = dry() if os.environ.get("DRY_RUN") else azure()
    if mode == "--once":
        print(trigger.start(value)[1]["job"])
        return
    token = os.environ.get("RETRAIN_TOKEN", "")
    if not token:
        sys.exit("retrain_trigger: RETRAIN_TOKEN is not set")
    host, _, port = value.rpartition(":")
    # One after the other: two requests at once must not both find that nothing runs.
    server = HTTPServer((host, int(port)), handler(trigger, token))
    print(f"listening on {host}:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
