"""An exception inside a request (here: an answer larger than any memory) ends that request alone."""
import contextlib
import re
import socket
import threading

import pytest

from gateway import SANITIZED, Gateway, row

PROMISED = 900 << 30  # bytes; far beyond what LimitedGateway may take


class LimitedGateway(Gateway):
    def command(self):
        return ["prlimit", f"--as={16 << 30}", *super().command()]


class Boaster:
    """An upstream whose answers promise PROMISED bytes; says when the gateway has closed the connection."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.v1 = f"http://127.0.0.1:{self.socket.getsockname()[1]}/v1"
        self.closed = threading.Semaphore(0)
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                with connection:
                    self._answer(connection)

    def _answer(self, connection):
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(65536)
        head, rest = data.split(b"\r\n\r\n", 1)
        left = int(re.search(rb"content-length: (\d+)", head.lower())[1]) - len(rest)
        while left > 0:
            left -= len(connection.recv(65536))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n{" % PROMISED)
        with contextlib.suppress(OSError):
            while connection.recv(65536):
                pass
        self.closed.release()


@pytest.mark.skipif(SANITIZED, reason="sanitizers need the address space")
def test_an_exception_ends_the_request_and_nothing_else(tmp_path, upstream):
    boaster = Boaster()
    gateway = LimitedGateway(tmp_path, {
        # One slot: it is free again only if the unwinding gave it back.
        "model_list": [row("boast", "openai/ok", boaster.v1, max_parallel_requests=1),
                       row("ok", "openai/ok", upstream.v1)],
        "litellm_settings": {"callbacks": ["prometheus"]},
        "general_settings": {"max_response_size_mb": 1_000_000},
        "router_settings": {"num_retries": 0, "disable_cooldowns": True}}).start()
    for n in range(1, 4):
        answer = gateway.chat("boast", headers={"x-litellm-call-id": f"call-{n}"})
        assert answer.status_code == 500, answer.text
        assert answer.json()["error"]["message"] == "Internal server error"
        assert boaster.closed.acquire(timeout=5), "the upstream connection stays open"
        assert gateway.chat("ok").status_code == 200
    messages = gateway.post("/v1/messages", {"model": "boast", "max_tokens": 5,
                                             "messages": [{"role": "user", "content": "hi"}]})
    assert messages.status_code == 500 and messages.json()["type"] == "error"
    # Each request ended once, and none is still on its way.
    assert gateway.wait_metric(4, "litellm_proxy_failed_requests_metric_total", exception_status="500") == 4
    assert gateway.wait_metric(3, "litellm_gw_deployment_attempts_total", outcome="success") == 3
    assert gateway.wait_metric(1, "litellm_in_flight_requests") == 1  # the scrape itself
    log = gateway.said("a request ended by an exception", 4)
    assert log.count("a request ended by an exception") == 4 and "call-2" in log
    gateway.finish()
