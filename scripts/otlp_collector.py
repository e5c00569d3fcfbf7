# SPDX-License-Identifier: MIT
"""A collector of OTLP over HTTP for scripts/check_observability.py."""

import base64
import http.server
import json
import threading

from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2


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
