"""Who gets the logs? An HTTP server that keeps what arrives and can be told to fail; checks AWS signatures."""
import gzip
import hashlib
import hmac
import http.server
import json
import threading
import time
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from gateway import PATIENCE


@dataclass
class Message:
    method: str
    path: str
    headers: dict
    body: bytes

    def json(self):
        return json.loads(self.body)


@dataclass
class Receiver:
    """Use as a context manager. `status`: what it answers; 0: nothing, the connection closes."""
    status: int = 200
    port: int = 0
    messages: list = field(default_factory=list)
    refused: list = field(default_factory=list)

    def __enter__(self):
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                if receiver.status == 0:
                    self.close_connection = True
                    return
                headers = {k.lower(): v for k, v in self.headers.items()}
                if headers.get("content-encoding") == "gzip":
                    body = gzip.decompress(body)
                status = receiver.status
                kept = receiver.messages if status < 300 else receiver.refused
                kept.append(Message(self.command, self.path, headers, body))
                self.send_response(status)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            do_POST = do_PUT = answer

            def log_message(self, *args):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def at(self, path):
        return [m for m in self.messages if m.path.startswith(path)]

    def events(self, path):
        """All elements of the JSON arrays that arrived there."""
        return [event for message in self.at(path) for event in message.json()]

    def wait(self, what, seconds=8.0):
        """what() until it is true."""
        end = time.monotonic() + seconds * PATIENCE
        while not (found := what()):
            assert time.monotonic() < end, [(m.path, m.body[:300]) for m in self.messages]
            time.sleep(0.02)
        return found


def signature_is_right(message, secret):
    """Does the request carry the AWS signature that its own head and body give? (AWS's documentation.)"""
    scheme, rest = message.headers["authorization"].split(" ", 1)
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    _, day, region, service, _ = parts["Credential"].split("/")
    payload = hashlib.sha256(message.body).hexdigest()
    names = parts["SignedHeaders"].split(";")
    head = "".join(f"{name}:{' '.join(message.headers[name].split())}\n" for name in names)
    canonical = "\n".join([message.method, urlsplit(message.path).path, "", head, ";".join(names), payload])
    stamp = message.headers["x-amz-date"]
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, f"{day}/{region}/{service}/aws4_request",
                      hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{secret}".encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), "sha256").digest()
    wanted = hmac.new(key, text.encode(), "sha256").hexdigest()
    return scheme == "AWS4-HMAC-SHA256" and message.headers["x-amz-content-sha256"] == payload \
        and {"host", "x-amz-date", "x-amz-content-sha256"} <= set(names) and wanted == parts["Signature"]


def object_key(message):
    return unquote(urlsplit(message.path).path)
