"""Does the upstream learn at once that the client went away? A GPU must not work for nobody."""
import socket
import struct
import time

import pytest

from gateway import SANITIZED, row
from rawhttp import Raw, chat_body, request

RELEASE_S = 1.0 if SANITIZED else 0.1
ROUNDS = 5


@pytest.fixture
def gateway(gateway_factory, upstream):
    rows = [row("silent", "openai/hang.a", upstream.v1), row("flowing", "openai/stream-10000-5", upstream.v1),
            row("stalled", "openai/stall-3", upstream.v1), row("ollama-silent", "ollama_chat/hang.o", upstream.base),
            row("ollama-flowing", "ollama_chat/stream-10001-5", upstream.base), row("ok", "openai/ok", upstream.v1),
            row("failing", "openai/status-500.a", upstream.v1)]
    return gateway_factory({
        "model_list": rows,
        "litellm_settings": {"callbacks": ["prometheus"], "fallbacks": [{"failing": ["silent"]}]},
        "router_settings": {"num_retries": 0, "disable_cooldowns": True}}, workers=2)


def leave(raw, how):
    if how == "reset":
        raw.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    left_at = time.monotonic()
    raw.sock.close()
    return left_at


def gone_after(upstream, call, left_at):
    assert upstream.wait_for(lambda _: not call.connection.is_open, 10), "the upstream connection stays open"
    return call.connection.closed - left_at


CASES = [("silent", "hang.a", False), ("silent", "hang.a", True), ("ollama-silent", "hang.o", False),
         ("ollama-silent", "hang.o", True), ("flowing", "stream-10000-5", True), ("stalled", "stall-3", True),
         ("ollama-flowing", "stream-10001-5", True), ("failing", "hang.a", False)]


@pytest.mark.parametrize("how", ["fin", "reset"])
@pytest.mark.parametrize("model, upstream_model, stream", CASES)
def test_upstream_is_released(gateway, upstream, model, upstream_model, stream, how):
    times = []
    for n in range(1, ROUNDS + 1):
        raw = Raw(gateway.port)
        raw.send(request(gateway.key, chat_body(model, stream=stream)))
        call = upstream.wait_call(upstream_model, n)
        if upstream_model.startswith("st"):
            assert raw.read_some().startswith(b"HTTP/1.1 200")
        times.append(gone_after(upstream, call, leave(raw, how)))
    print(f"\nreleased ({model}, stream={stream}, {how}): " + ", ".join(f"{t * 1000:.1f} ms" for t in times))
    assert max(times) < RELEASE_S


def test_cancelled_requests_are_counted_as_499(gateway, upstream):
    name = "litellm_proxy_failed_requests_metric_total"
    for n, (model, stream) in enumerate([("silent", False), ("silent", True), ("flowing", True)], 1):
        raw = Raw(gateway.port)
        raw.send(request(gateway.key, chat_body(model, stream=stream)))
        upstream.wait_for(lambda s: len(s.calls) == n)
        if model == "flowing":
            raw.read_some()
        leave(raw, "fin")
        assert gateway.wait_metric(n, name, exception_status="499") == n
    assert gateway.metric("litellm_proxy_total_requests_metric_total", status_code="499") == 3


def test_in_flight_gauge_returns(gateway, upstream):
    clients = [Raw(gateway.port).send(request(gateway.key, chat_body("silent"))) for _ in range(20)]
    assert upstream.wait_for(lambda s: s.count("hang.a") == 20)
    assert gateway.metric("litellm_in_flight_requests") == 21  # the scrape itself is one
    for raw in clients:
        raw.sock.close()
    assert gateway.wait_metric(1, "litellm_in_flight_requests") == 1


def test_client_that_leaves_during_a_retry_pause_causes_no_further_attempt(gateway_factory, upstream):
    gateway = gateway_factory({"model_list": [row("failing", "openai/status-500.r", upstream.v1)],
                               "router_settings": {"num_retries": 2}})
    raw = Raw(gateway.port).send(request(gateway.key, chat_body("failing")))
    upstream.wait_call("status-500.r")
    time.sleep(0.05)
    leave(raw, "fin")
    time.sleep(1.6)  # the first pause is at most 1.25 s
    assert upstream.count("status-500.r") == 1


def test_other_requests_do_not_notice(gateway, upstream):
    """Cancelling many streams on a worker leaves the others whole."""
    kept = Raw(gateway.port, timeout=30)
    kept.send(request(gateway.key, chat_body("ok", stream=True)))
    clients = [Raw(gateway.port).send(request(gateway.key, chat_body("flowing", stream=True))) for _ in range(50)]
    assert upstream.wait_for(lambda s: s.count("stream-10000-5") == 50)
    for raw in clients:
        leave(raw, "reset")
    assert kept.answer().body.endswith(b"data: [DONE]\n\n")
    kept.sock.close()
    assert upstream.wait_for(lambda s: not any(c.connection.is_open for c in s.calls_of("stream-10000-5")))
    assert gateway.chat("ok").status_code == 200
