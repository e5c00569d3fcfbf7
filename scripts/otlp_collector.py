# SPDX-License-Identifier: MIT
"""A collector of OTLP over HTTP, and what scripts/check_observability.py wants of its records."""

import base64
import http.server
import json
import os
import subprocess
import threading

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from observed_server import Connection, expect, reading, wait_for


class Collector:
    """Takes OTLP and decodes it with OpenTelemetry's own messages."""

    REQUESTS = {
        "/v1/traces": trace_service_pb2.ExportTraceServiceRequest,
        "/v1/logs": logs_service_pb2.ExportLogsServiceRequest,
    }

    def __init__(self):
        self.spans, self.events = [], []
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                collector.take(self.path, json.loads(body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, path, body):
        # OTLP has ids in hexadecimal where the JSON of protobuf has base64.
        def encode(value):
            if isinstance(value, dict):
                return {
                    key: base64.b64encode(bytes.fromhex(item)).decode()
                    if key in ("traceId", "spanId", "parentSpanId") else encode(item)
                    for key, item in value.items()
                }
            return [encode(item) for item in value] if isinstance(value, list) else value

        request = json_format.ParseDict(encode(body), self.REQUESTS[path]())
        for resource in getattr(request, "resource_spans", []):
            self.spans += [span for scope in resource.scope_spans for span in scope.spans]
        for resource in getattr(request, "resource_logs", []):
            self.events += [log for scope in resource.scope_logs for log in scope.log_records]


def check_stages(request, stages):
    """The stages of a single reading follow each other within their request."""
    expect([span.name for span in stages] == ["parse", "state", "features", "forward"],
           f"stages: {[span.name for span in stages]}")
    times = [request.start_time_unix_nano]
    for span in stages:
        times += [span.start_time_unix_nano, span.end_time_unix_nano]
        values = {item.key: item.value.int_value for item in span.attributes}
        expect(values == {"batch.size": 1, "busy_nanoseconds": times[-1] - times[-2]},
               f"{span.name}: {values}")
    times.append(request.end_time_unix_nano)
    expect(times == sorted(times), f"the order of the stages: {times}")


def check_loads(collector, refused):
    """What became of bundles: so many were refused."""
    loads = [span for span in collector.spans if span.name == "model load"]
    outcomes = [
        item.value.string_value
        for span in loads for item in span.attributes if item.key == "outcome"
    ]
    expect(outcomes == ["in_service"] * (len(loads) - refused) + ["refused"] * refused,
           f"loads of models: {outcomes}")
    for load in loads:
        steps = [span for span in collector.spans if span.parent_span_id == load.span_id]
        is_error = load.status.code == load.status.STATUS_CODE_ERROR
        names = [span.name for span in steps]
        expect(names == ["load"] if is_error else names == ["load", "self-test", "swap"],
               f"steps of a load: {names}")
        said = [
            {item.key: item.value.string_value for item in event.attributes}
            for event in collector.events if event.trace_id == load.trace_id
        ]
        expect(len(said) == is_error and all(event["exception.type"] == "BundleError"
               and event["exception.message"] for event in said), f"exceptions: {said}")
    print(f"{len(loads)} loads of models decoded, {refused} of them refused")


def check_telemetry(collector, port):
    before = len(collector.events)
    connection = Connection(port)
    trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    for number in range(50):
        fields = [f"traceparent: 00-{trace}-{parent}-01"] if number < 5 else []
        connection.ask("POST", "/predict", json.dumps(reading(number, number)), fields)
    wait_for("events", lambda: len(collector.events) >= before + 50)
    ours = [span for span in collector.spans if span.trace_id.hex() == trace]
    requests = [span for span in ours if span.kind == span.SPAN_KIND_SERVER]
    expect(len(requests) == 5, f"{len(requests)} requests of a trace of 5")
    for span in requests:
        expect(span.parent_span_id.hex() == parent, "the parent of a span")
        expect(0 < span.end_time_unix_nano - span.start_time_unix_nano < 10**10, "its time")
        check_stages(span, [inner for inner in ours if inner.parent_span_id == span.span_id])
    predictions = [
        {item.key: item.value for item in event.attributes} for event in collector.events
        if any(item.value.string_value == "ModelPrediction" for item in event.attributes)
    ]
    expect(len(predictions) >= 50, f"{len(predictions)} predictions")
    dimensions = {"equipment_id", "prediction", "probability", "risk_level", "timestamp",
                  "model_version", "microsoft.custom_event.name"}
    expect(all(set(found) == dimensions for found in predictions), "their dimensions")
    print(f"{len(collector.spans)} spans and {len(collector.events)} events decoded")


class Strange:
    """A service that says no to everything and keeps what came."""

    def __init__(self):
        self.traceparents = []
        strange = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def refuse(self):
                self.rfile.read(int(self.headers.get("content-length", 0)))
                strange.traceparents.append(self.headers["traceparent"])
                self.send_response(403)
                self.send_header("content-length", "0")
                self.end_headers()

            do_GET = do_POST = do_PUT = refuse

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def check_commands(pdm, models, collector):
    """The calls of a command are spans of its trace, which goes out with them."""
    strange, before = Strange(), (len(collector.spans), len(collector.events))
    trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    outcome = subprocess.run(
        [pdm, "registry", "push", "--model-dir", models,
         "--tracking-uri", f"http://name:secret@127.0.0.1:{strange.port}"],
        env=os.environ | {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}/",
                          "TRACEPARENT": f"00-{trace}-{parent}-01"},
        capture_output=True, text=True, timeout=60,
    )
    spans, events = collector.spans[before[0]:], collector.events[before[1]:]
    expect(outcome.returncode == 1 and "telemetry" not in outcome.stderr, outcome.stderr)
    expect(all(span.trace_id.hex() == trace for span in spans), "the trace of a command")
    root, *calls = spans
    expect(root.name == "pdm registry push" and root.parent_span_id.hex() == parent, root.name)
    expect(root.status.code == root.status.STATUS_CODE_ERROR, "a command that failed")
    expect(calls and len(calls) == len(strange.traceparents), f"{len(calls)} calls")
    for span, sent in zip(calls, strange.traceparents):
        expect(sent == f"00-{trace}-{span.span_id.hex()}-01", f"traceparent {sent}")
        expect(span.kind == span.SPAN_KIND_CLIENT and span.parent_span_id == root.span_id, "a call")
        expect(span.status.code == span.status.STATUS_CODE_ERROR, "a call that was refused")
        values = {item.key: item.value.string_value or item.value.int_value
                  for item in span.attributes}
        url = values.pop("url.full", "")
        expect(url.startswith(f"http://127.0.0.1:{strange.port}/") and "?" not in url, url)
        expect(values == {"http.request.method": span.name, "server.address": "127.0.0.1",
                          "server.port": strange.port, "http.response.status_code": 403,
                          "error.type": "403"}, f"a call: {values}")
    failure = {item.key: item.value.string_value for event in events for item in event.attributes}
    expect(failure.get("exception.type") == "TrainingError", f"exception: {failure}")
    expect("secret" not in f"{spans} {events}", "a secret was sent")
    print(f"{len(calls)} calls of a command decoded, and the command")


def check_retrain(pdm, folder, collector, port):
    """A look at /drift is a call of the command, under which the server goes on with the trace."""
    before = len(collector.spans)
    outcome = subprocess.run(
        [pdm, "retrain", "--once", "--dry-run", "--state-dir", folder / "retrain",
         "--server", f"http://127.0.0.1:{port}/drift?key=secret"],
        env=os.environ | {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}"},
        capture_output=True, text=True, timeout=60,
    )
    expect(outcome.returncode == 0, outcome.stderr)
    spans = wait_for("a trace over both", lambda: (
        found := {span.name: span for span in collector.spans[before:]}
    ).keys() >= {"pdm retrain", "GET", "GET /drift"} and found)
    command, call, request = (spans[name] for name in ("pdm retrain", "GET", "GET /drift"))
    expect(not command.parent_span_id and call.parent_span_id == command.span_id, "the command")
    expect(request.parent_span_id == call.span_id, "the server's span under the call")
    expect(len({span.trace_id for span in (command, call, request)}) == 1, "one trace")
    expect("secret" not in f"{spans}", "a secret was sent")
    print("a trace goes through a command and the server that it asks")
