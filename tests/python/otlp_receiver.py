"""What arrives at an OpenTelemetry collector? OTLP over HTTP, read with the official protos: protobuf and JSON, gzip.

A body that does not parse, holds an unknown field or an id of a wrong size fails the test at its end.
"""
import base64
import gzip
import json
import re
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from google.protobuf import json_format
from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (ExportMetricsServiceRequest,
                                                                          ExportMetricsServiceResponse)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse

CLASSES = {"/v1/traces": (ExportTraceServiceRequest, ExportTraceServiceResponse),
           "/v1/metrics": (ExportMetricsServiceRequest, ExportMetricsServiceResponse),
           "/v1/logs": (ExportLogsServiceRequest, ExportLogsServiceResponse)}
ID_BYTES = {"traceId": 16, "spanId": 8, "parentSpanId": 8}


@dataclass
class Export:
    """One request that was taken."""
    path: str
    headers: dict
    message: object
    at: float


def value_of(value):
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [value_of(v) for v in value.array_value.values]
    return getattr(value, kind) if kind else None


def attributes(element):
    """A dict; a name that comes twice is an error."""
    out = {}
    for pair in element.attributes:
        assert pair.key not in out, f"{pair.key} comes twice"
        out[pair.key] = value_of(pair.value)
    return out


def _hex_to_base64(node):
    """OTLP writes ids in hexadecimal where protobuf's JSON has base64."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ID_BYTES:
                assert re.fullmatch("[0-9a-f]{%d}" % (2 * ID_BYTES[key]), value), (key, value)
                node[key] = base64.b64encode(bytes.fromhex(value)).decode()
            else:
                _hex_to_base64(value)
    elif isinstance(node, list):
        for item in node:
            _hex_to_base64(item)


def _check(message):
    assert not list(UnknownFieldSet(message)), f"unknown fields in {message.DESCRIPTOR.name}"
    for field, value in message.ListFields():
        if field.message_type:
            for one in value if isinstance(value, (list,)) or hasattr(value, "add") else [value]:
                _check(one)


def parse(path, headers, body):
    if headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    request = CLASSES[path][0]()
    if headers["content-type"] == "application/json":
        tree = json.loads(body)
        _hex_to_base64(tree)
        json_format.ParseDict(tree, request)
    else:
        assert headers["content-type"] == "application/x-protobuf", headers
        request.ParseFromString(body)
    _check(request)
    return request


class Collector:
    """A context manager. `answers`: (status, headers, body) for the next requests, then 200 for all."""

    def __init__(self, port=0):
        self.exports, self.refused, self.errors, self.answers = [], [], [], []
        self.partial = None  # (rejected, message) of every good answer
        self.port = port
        self._server = None

    def __enter__(self):
        return self.start()

    def start(self):
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                headers = {k.lower(): v for k, v in self.headers.items()}
                body = self.rfile.read(int(headers["content-length"]))
                collector._take(self, headers, body)

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, kind, *_):
        self._server.shutdown()
        self._server.server_close()
        if kind is None:
            assert not self.errors, self.errors

    def _take(self, handler, headers, body):
        now = time.monotonic()
        if self.answers:
            status, more, text = self.answers.pop(0)
            self.refused.append((status, now))
            return self._answer(handler, status, text, more)
        reply = b""
        try:
            message = parse(handler.path, headers, body)
            response = CLASSES[handler.path][1]()
            if self.partial:
                field = response.partial_success.DESCRIPTOR.fields[0].name
                setattr(response.partial_success, field, self.partial[0])
                response.partial_success.error_message = self.partial[1]
            is_json = headers["content-type"] == "application/json"
            reply = json_format.MessageToJson(response).encode() if is_json else response.SerializeToString()
            self.exports.append(Export(handler.path, headers, message, now))
        except Exception as error:  # shown at the end of the test
            self.errors.append(f"{handler.path}: {error!r}")
        self._answer(handler, 200, reply, {"Content-Type": headers["content-type"]})

    @staticmethod
    def _answer(handler, status, body, headers):
        handler.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    # -------------------------------------------------------------- what a test asks
    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def wait_for(self, condition, timeout=10.0):
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if condition(self):
                return True
            time.sleep(0.005)
        return bool(condition(self))

    def of(self, path):
        return [export for export in list(self.exports) if export.path == path]

    def spans(self):
        return [span for export in self.of("/v1/traces") for resource in export.message.resource_spans
                for scope in resource.scope_spans for span in scope.spans]

    def logs(self):
        return [log for export in self.of("/v1/logs") for resource in export.message.resource_logs
                for scope in resource.scope_logs for log in scope.log_records]

    def wait_spans(self, count, timeout=10.0):
        assert self.wait_for(lambda c: len(c.spans()) >= count, timeout), f"{len(self.spans())} of {count} spans came"
        return self.spans()

    def wait_logs(self, count, timeout=10.0):
        assert self.wait_for(lambda c: len(c.logs()) >= count, timeout), f"{len(self.logs())} of {count} log records came"
        return self.logs()
