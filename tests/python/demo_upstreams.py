#!/usr/bin/env python3
"""Who stands behind the gateway in the demo? One engine per process, standard library only.

    demo_upstreams.py --name vLLM --protocol openai --port 8001

It answers chats (whole or streamed) in its protocol's wording and says its name, so that a reader
sees who answered. POST /control/fail lets every later request fail with 503, POST /control/recover
ends that; GET /health always answers.
"""
import argparse
import json
import signal
import sys
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import ollama_protocol
import openai_protocol
from openai_protocol import Answer

PROTOCOLS = {"openai": openai_protocol, "ollama": ollama_protocol}
CHUNK_GAP_S = 0.01


@dataclass
class Call:
    """What the wording modules want to know of a request."""
    path: str
    body: dict
    model: str
    headers: dict = field(default_factory=dict)


class Engine(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, name, protocol, port):
        super().__init__(("127.0.0.1", port), Handler)
        self.name, self.wording, self.failing = name, PROTOCOLS[protocol], False


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave in one segment
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/health":
            return self.answer(200, {"status": "ok"})
        listing = self.server.wording.listing(self.path)
        return self.answer(404, self.server.wording.error(404)) if listing is None else self.answer(200, listing)

    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.startswith("/control/"):
            self.server.failing = self.path == "/control/fail"
            return self.answer(200, {"failing": self.server.failing})
        wording = self.server.wording
        if self.server.failing:
            return self.answer(503, wording.error(503))
        try:
            body = json.loads(raw)
            call = Call(self.path, body, str(body.get("model", "?")))
        except (ValueError, AttributeError):
            return self.answer(400, wording.error(400))
        answer = Answer(f"Hello from {self.server.name}")
        if not wording.streams(call):
            return self.answer(200, wording.whole(call, answer))
        return self.stream(call, answer)

    def stream(self, call, answer):
        wording = self.server.wording
        self.send_response(200)
        self.send_header("Content-Type", wording.STREAM_TYPE)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in wording.opening(call, answer):
            self.chunk(piece)
        for piece in answer.pieces:
            self.chunk(wording.content(call, piece))
            time.sleep(CHUNK_GAP_S)
        for piece in wording.closing(call, answer, len(answer.pieces)):
            self.chunk(piece)
        self.wfile.write(b"0\r\n\r\n")

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()


def main():
    parser = argparse.ArgumentParser(description="One engine of the demo.")
    parser.add_argument("--name", required=True)
    parser.add_argument("--protocol", choices=PROTOCOLS, required=True)
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    engine = Engine(given.name, given.protocol, given.port)
    # shutdown() waits for serve_forever, so it may not run on the thread that serves.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=engine.shutdown).start())
    try:
        engine.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
