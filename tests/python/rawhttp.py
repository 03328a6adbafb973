"""HTTP/1.1 by hand, for what no client library would send."""
import json
import socket
from dataclasses import dataclass


@dataclass
class Answer:
    status: int
    headers: dict
    body: bytes

    def json(self):
        return json.loads(self.body)


class Raw:
    """One TCP connection to the gateway."""

    def __init__(self, port, timeout=10.0, receive_buffer=None):
        self.sock = socket.socket()
        if receive_buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.sock.settimeout(timeout)
        self.sock.connect(("127.0.0.1", port))
        self.rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data)
        return self

    def read_some(self, size=65536):
        return self.sock.recv(size)

    def _fill(self):
        data = self.sock.recv(65536)
        if not data:
            raise ConnectionError("closed by the gateway")
        self.rest += data

    def _until(self, mark):
        while mark not in self.rest:
            self._fill()
        part, self.rest = self.rest.split(mark, 1)
        return part

    def _exactly(self, size):
        while len(self.rest) < size:
            self._fill()
        part, self.rest = self.rest[:size], self.rest[size:]
        return part

    def answer(self, head_only=False):
        """The next answer on this connection; an interim 1xx counts as an answer."""
        lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ")[1])
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
        body = b""
        if status < 200 or head_only:
            pass
        elif headers.get("transfer-encoding") == "chunked":
            while size := int(self._until(b"\r\n"), 16):
                body += self._exactly(size)
                self._exactly(2)
            self._until(b"\r\n")
        elif "content-length" in headers:
            body = self._exactly(int(headers["content-length"]))
        else:
            body = self.until_closed()
        return Answer(status, headers, body)

    def until_closed(self):
        data, self.rest = self.rest, b""
        try:
            while more := self.sock.recv(65536):
                data += more
        except ConnectionResetError:
            pass
        return data

    def is_closed(self):
        """Whether the gateway ends the connection (within the timeout)."""
        try:
            while self.sock.recv(65536):
                pass
            return True
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False


def chat_body(model, **more):
    return json.dumps({"model": model, "messages": [{"role": "user", "content": "hi"}], **more}).encode()


def request(key, body=b"", *, method="POST", path="/v1/chat/completions", version="1.1", headers=()):
    """A well-formed request; `headers` are added (a name given there replaces ours)."""
    given = {name.lower() for name, _ in headers}
    ours = [("Host", "gateway"), ("Authorization", f"Bearer {key}"), ("Content-Type", "application/json")]
    if body or method == "POST":
        ours.append(("Content-Length", str(len(body))))
    lines = [f"{method} {path} HTTP/{version}"]
    lines += [f"{n}: {v}" for n, v in ours if n.lower() not in given]
    lines += [f"{n}: {v}" for n, v in headers if v is not None]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body
