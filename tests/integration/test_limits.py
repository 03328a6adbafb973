"""What can one client do to the others? Slow, huge, malformed and malicious requests."""
import json
import resource
import threading
import time

import pytest

from gateway import PATIENCE, SANITIZED, row
from rawhttp import Raw, chat_body, request

MB = 1 << 20


def make(gateway_factory, upstream, general=None, **kw):
    models = ("ok", "echo", "big-64", "stream-3-10", "delay-300", "stall-1")
    return gateway_factory({
        "model_list": [row(m, f"openai/{m}", upstream.v1) for m in models],
        "general_settings": general or {}, "litellm_settings": {"callbacks": ["prometheus"]},
        "router_settings": {"num_retries": 0}}, **kw)


@pytest.fixture
def gateway(gateway_factory, upstream):
    return make(gateway_factory, upstream)


# ------------------------------------------------------------------ memory
def test_client_that_stops_reading_blocks_the_upstream_not_our_memory(gateway, upstream):
    assert gateway.chat("ok", stream=True).status_code == 200
    before = gateway.rss_bytes()
    with Raw(gateway.port, receive_buffer=65536) as raw:
        raw.send(request(gateway.key, chat_body("big-64", stream=True)))
        call = upstream.wait_call("big-64")
        sent = -1
        while sent != call.sent_bytes or sent == 0:  # until nothing moves any more
            sent = call.sent_bytes
            time.sleep(0.5)
        grown = gateway.rss_bytes() - before
        print(f"\n64 MB stream, client does not read: RSS +{grown / MB:.2f} MB, upstream sent {sent / MB:.1f} MB")
        assert not call.finished
        assert sent < 32 * MB  # kernel buffers of both connections
        if not SANITIZED:
            assert grown < 8 * MB
        assert gateway.chat("ok").status_code == 200
        total = 0  # and once it reads, it gets everything
        while data := raw.read_some(MB):
            total += len(data)
            if data.endswith(b"0\r\n\r\n"):
                break
        assert total > 64 * MB
    assert call.finished


def test_a_thousand_open_streams(gateway_factory, upstream):
    streams = 100 if SANITIZED else 1000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2 * streams + 200:
        pytest.skip(f"only {hard} file descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 8192)), hard))
    gateway = make(gateway_factory, upstream, workers=2)
    clients = []
    try:
        for _ in range(streams):
            clients.append(Raw(gateway.port, timeout=30).send(request(gateway.key, chat_body("stall-1", stream=True))))
        for raw in clients:
            assert raw.read_some().startswith(b"HTTP/1.1 200")
        rss = gateway.rss_bytes()
        print(f"\n{streams} open streams: RSS {rss / MB:.1f} MB")
        assert gateway.metric("litellm_in_flight_requests") == streams + 1
        assert gateway.chat("ok").status_code == 200
        if not SANITIZED:
            assert rss < 60 * MB
    finally:
        for raw in clients:
            raw.sock.close()
    assert gateway.wait_metric(1, "litellm_in_flight_requests") == 1


# ------------------------------------------------------------------ slow and large
def test_slow_loris_heads_do_not_hinder_others(gateway):
    slow = [Raw(gateway.port).send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n") for _ in range(300)]
    stop = threading.Event()

    def drip():
        while not stop.wait(0.2):
            for raw in slow:
                raw.send(b"X")

    thread = threading.Thread(target=drip)
    thread.start()
    times = []
    for _ in range(50):
        started = time.monotonic()
        assert gateway.chat("ok").status_code == 200
        times.append(time.monotonic() - started)
    stop.set()
    thread.join()
    for raw in slow:
        raw.sock.close()
    assert sorted(times)[25] < 0.1 * PATIENCE


@pytest.mark.parametrize("headers", [
    [(f"X-Flood-{i}", "v") for i in range(500)],
    [("X-Long", "v" * 200_000)],
    [(f"X-{i}", "v" * 1000) for i in range(100)]], ids=["many", "one-long", "many-long"])
def test_header_flood_is_431(gateway, upstream, headers):
    with Raw(gateway.port) as raw:
        try:
            raw.send(request(gateway.key, chat_body("ok"), headers=headers))
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert raw.answer().status == 431
        assert raw.is_closed()
    assert upstream.calls == []


def test_very_long_path_is_refused(gateway):
    with Raw(gateway.port) as raw:
        raw.send(request(gateway.key, method="GET", path="/" + "a" * 100_000))
        assert raw.answer().status in (414, 431)


@pytest.mark.parametrize("chunked", [False, True])
def test_body_over_the_limit_is_413(gateway_factory, upstream, chunked):
    gateway = make(gateway_factory, upstream, {"max_request_size_mb": 1})
    assert gateway.chat("ok", padding="x" * (MB - 1000)).status_code == 200
    body = chat_body("ok", padding="x" * (MB + 1000))
    with Raw(gateway.port) as raw:
        if chunked:
            headers = [("Transfer-Encoding", "chunked"), ("Content-Length", None)]
            data = request(gateway.key, headers=headers) + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        else:
            data = request(gateway.key, body)
        try:
            raw.send(data)
        except (BrokenPipeError, ConnectionResetError):
            pass
        answer = raw.answer()
    assert answer.status == 413
    assert b"Max size is 1" in answer.body
    assert upstream.count("ok") == 1


def test_announced_huge_body_is_refused_before_it_is_sent(gateway):
    with Raw(gateway.port) as raw:
        raw.send(request(gateway.key, headers=[("Content-Length", str(10**12))]))
        assert raw.answer().status == 413
        assert raw.is_closed()


@pytest.mark.parametrize("length", ["-1", "1e3", "0x10", "99999999999999999999999", "", "5, 5", "+5"])
def test_malformed_content_length_is_400(gateway, upstream, length):
    with Raw(gateway.port) as raw:
        raw.send(request(gateway.key, headers=[("Content-Length", length)]) + b"{}   ")
        assert raw.answer().status == 400
    assert upstream.calls == []


# ------------------------------------------------------------------ JSON
def post_raw(gateway, body, **kw):
    with Raw(gateway.port, timeout=30) as raw:
        return raw.send(request(gateway.key, body, **kw)).answer()


@pytest.mark.parametrize("body", [
    b"{", b"nonsense", b'{"model": "ok", "messages": [}', b'{"model": "ok",}', b'{"model": "ok"} trailing', b"\x00" * 20,
    b'{"model": "ok", "messages": [{"role": "user", "content": "\x01"}]}', b'{"model": "\\ud800", "messages": []',
    b"[1, 2", b'{"a": NaN}', b'{"a": 01}', b"\xef\xbb\xbf{"])
def test_malformed_json_is_400(gateway, upstream, body):
    answer = post_raw(gateway, body)
    assert answer.status == 400, answer.body
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert upstream.calls == []


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"17", b"null", b"true"])
def test_json_that_is_no_object_is_400(gateway, body):
    assert post_raw(gateway, body).status == 400


@pytest.mark.parametrize("content", [b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"])
def test_invalid_utf8_is_400(gateway, upstream, content):
    body = b'{"model": "ok", "messages": [{"role": "user", "content": "' + content + b'"}]}'
    assert post_raw(gateway, body).status == 400
    assert upstream.calls == []


@pytest.mark.parametrize("levels, statuses", [(200, (200, 400)), (5_000, (400,)), (200_000, (400,))])
def test_deep_json_is_answered(gateway, levels, statuses):
    """The nesting never costs more than a 400, and the gateway goes on."""
    nested = b"[" * levels + b"]" * levels
    answer = post_raw(gateway, b'{"model": "ok", "messages": [], "deep": ' + nested + b"}")
    assert answer.status in statuses, answer.body[:300]
    assert gateway.chat("ok").status_code == 200


def test_large_prompt_passes_unchanged(gateway, upstream):
    text = "0123456789 ä 🚀 \n" * 200_000  # 4 MB
    answer = gateway.post("/v1/chat/completions", {"model": "ok", "messages": [{"role": "user", "content": text}]})
    assert answer.status_code == 200
    assert upstream.calls[0].body["messages"][0]["content"] == text


def test_duplicate_keys_are_decided_the_same_way_everywhere(gateway, upstream):
    """What was checked (the model) is what the upstream gets."""
    body = b'{"model": "no-such", "model": "ok", "messages": [], "messages": [{"role": "user", "content": "hi"}]}'
    answer = post_raw(gateway, body)
    if answer.status == 200:
        assert upstream.calls[0].body["model"] == "ok"
    else:
        assert answer.status == 400 and upstream.calls == []
    upstream.reset()
    answer = post_raw(gateway, b'{"model": "ok", "messages": [], "model": "no-such"}')
    assert answer.status == 400
    assert upstream.calls == []


def test_escaped_member_names_are_the_same_member(gateway, upstream):
    answer = post_raw(gateway, b'{"\\u006dodel": "ok", "messages": [{"role": "user", "content": "hi"}]}')
    assert answer.status == 200
    assert upstream.calls[0].body["model"] == "ok"


@pytest.mark.parametrize("body", [
    {"model": 5, "messages": []}, {"model": None, "messages": []}, {"model": ["ok"], "messages": []},
    {"model": {"a": 1}, "messages": []}, {"model": "ok", "messages": "hi"}, {"model": "ok"}, {}, {"model": ""},
    {"model": "ok" * 100_000, "messages": []}])
def test_wrong_types_are_400(gateway, body):
    answer = gateway.post("/v1/chat/completions", body)
    assert answer.status_code == 400, answer.text[:300]
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize("extra", [
    {"stream": "yes"}, {"stream": None}, {"temperature": "hot"}, {"max_tokens": 10**30}, {"metadata": 5},
    {"messages": [1, None, {"role": 7}]}, {"num_retries": "many"}, {"timeout": "soon"}, {"fallbacks": 3},
    {"tools": {}}, {"stream_options": []}, {"user": {"a": 1}}, {"n": -1}, {"metadata": {"tags": 7}}])
def test_wrong_types_of_other_members_never_harm(gateway, extra):
    assert gateway.chat("ok", **extra).status_code in (200, 400)
    assert gateway.chat("ok").status_code == 200


# ------------------------------------------------------------------ smuggling
INNER = b"GET /health/liveliness HTTP/1.1\r\nHost: x\r\n\r\n"


def head(key, *lines, version="1.1"):
    start = [f"POST /v1/chat/completions HTTP/{version}", "Host: x", f"Authorization: Bearer {key}",
             "Content-Type: application/json"]
    return ("\r\n".join([*start, *lines]) + "\r\n\r\n").encode("latin-1")


BODY = chat_body("ok")
SIZE = f"Content-Length: {len(BODY)}"
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
SMUGGLING = {
    "cl-and-te": lambda k: head(k, SIZE, "Transfer-Encoding: chunked") + CHUNKS,
    "te-and-cl": lambda k: head(k, "Transfer-Encoding: chunked", "Content-Length: 4") + CHUNKS,
    "two-different-cl": lambda k: head(k, SIZE, "Content-Length: 3") + BODY,
    "two-equal-cl": lambda k: head(k, SIZE, SIZE) + BODY,
    "te-twice": lambda k: head(k, "Transfer-Encoding: chunked", "Transfer-Encoding: identity") + CHUNKS,
    "te-unknown": lambda k: head(k, "Transfer-Encoding: xchunked") + CHUNKS,
    "te-not-last": lambda k: head(k, "Transfer-Encoding: chunked, gzip") + CHUNKS,
    "te-in-1.0": lambda k: head(k, "Transfer-Encoding: chunked", version="1.0") + CHUNKS,
    "space-before-colon": lambda k: head(k, "Transfer-Encoding : chunked") + CHUNKS,
    "folded-header": lambda k: head(k, SIZE, "X-A: b\r\n c") + BODY,
    "bad-chunk-size": lambda k: head(k, "Transfer-Encoding: chunked") + b"zz\r\n" + BODY + b"\r\n0\r\n\r\n",
    "negative-chunk": lambda k: head(k, "Transfer-Encoding: chunked") + b"-5\r\n" + BODY + b"\r\n0\r\n\r\n",
    "huge-chunk": lambda k: head(k, "Transfer-Encoding: chunked") + b"ffffffffffffffffff\r\n" + BODY,
    "chunk-longer-than-said": lambda k: head(k, "Transfer-Encoding: chunked") + b"5\r\n" + BODY + b"\r\n0\r\n\r\n",
    "chunk-lf-only": lambda k: head(k, "Transfer-Encoding: chunked") + CHUNKS.replace(b"\r\n", b"\n"),
    "head-lf-only": lambda k: head(k, SIZE).replace(b"\r\n", b"\n") + BODY,
    "bare-cr": lambda k: head(k, SIZE, "X-A: b\rTransfer-Encoding: chunked") + BODY,
    "nul-in-header": lambda k: head(k, SIZE, "X-A: b\0c") + BODY,
    "no-colon": lambda k: head(k, SIZE, "Nonsense") + BODY,
    "bad-version": lambda k: head(k, SIZE, version="9.9") + BODY,
    "bad-method": lambda k: head(k, SIZE).replace(b"POST", b"PO ST") + BODY,
    "garbage": lambda k: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\r\n\r\n"}


@pytest.mark.parametrize("name", SMUGGLING)
def test_ambiguous_requests_are_refused(gateway, upstream, name):
    with Raw(gateway.port, timeout=3 * PATIENCE) as raw:
        raw.send(SMUGGLING[name](gateway.key) + INNER)
        answer = raw.answer()
        assert answer.status == 400, (answer, raw.rest)
        assert raw.is_closed()
        assert b"alive" not in raw.rest
    assert upstream.calls == []


def test_header_values_cannot_reach_the_upstream_split(gateway, upstream):
    """A call id with odd bytes comes back as one header or not at all."""
    answer = post_raw(gateway, BODY, headers=[("x-litellm-call-id", "a%0d%0aX-Evil: 1")])
    assert answer.status == 200
    assert "x-evil" not in answer.headers
    assert "x-evil" not in upstream.calls[0].headers


# ------------------------------------------------------------------ HTTP corners
def test_pipelined_requests_are_answered_in_order(gateway):
    with Raw(gateway.port) as raw:
        raw.send(b"".join([request(gateway.key, chat_body("delay-300")), request(gateway.key, chat_body("ok")),
                           request(gateway.key, chat_body("stream-3-10", stream=True)),
                           request(gateway.key, method="GET", path="/health/liveliness")]))
        answers = [raw.answer() for _ in range(4)]
    assert [a.status for a in answers] == [200] * 4
    assert answers[0].json()["choices"][0]["message"]["content"] == "Hello from delay-300"
    assert answers[1].json()["choices"][0]["message"]["content"] == "Hello from ok"
    assert answers[2].body.endswith(b"data: [DONE]\n\n")
    assert answers[3].json() == "I'm alive!"


def test_bytes_one_by_one(gateway):
    with Raw(gateway.port) as raw:
        for byte in request(gateway.key, BODY):
            raw.send(bytes([byte]))
        assert raw.answer().status == 200


@pytest.mark.parametrize("stream", [False, True])
def test_http_1_0(gateway, stream):
    with Raw(gateway.port) as raw:
        raw.send(request(gateway.key, chat_body("ok", stream=stream), version="1.0"))
        answer = raw.answer()
        assert answer.status == 200
        assert "transfer-encoding" not in answer.headers
        if stream:
            assert answer.body.endswith(b"data: [DONE]\n\n")
        else:
            assert answer.json()["object"] == "chat.completion"
        assert raw.is_closed()


def test_connection_close_is_honoured(gateway):
    with Raw(gateway.port) as raw:
        raw.send(request(gateway.key, BODY, headers=[("Connection", "close")]))
        assert raw.answer().headers["connection"] == "close"
        assert raw.is_closed()


def test_expect_100_continue(gateway):
    with Raw(gateway.port) as raw:
        whole = request(gateway.key, BODY, headers=[("Expect", "100-continue")])
        raw.send(whole[:-len(BODY)])
        assert raw.answer().status == 100
        raw.send(BODY)
        assert raw.answer().status == 200


def test_chunked_request_body(gateway):
    with Raw(gateway.port) as raw:
        raw.send(head(gateway.key, "Transfer-Encoding: chunked"))
        for i in range(0, len(BODY), 7):
            part = BODY[i:i + 7]
            raw.send(b"%x;ext=1\r\n%s\r\n" % (len(part), part))
        raw.send(b"0\r\nX-Trailer: 1\r\n\r\n")
        assert raw.answer().status == 200


def test_head_has_no_body(gateway):
    with Raw(gateway.port) as raw:
        raw.send(request(gateway.key, method="HEAD", path="/metrics"))
        assert raw.answer(head_only=True).status == 200
        raw.send(request(gateway.key, method="GET", path="/health/liveliness"))  # the connection is still in step
        assert raw.answer().json() == "I'm alive!"


def test_unknown_path_and_method(gateway):
    assert gateway.get("/no/such/path").status_code == 404
    assert gateway.http.put(gateway.url + "/v1/models", timeout=10).status_code == 405


def test_answers_carry_no_text_of_an_unsafe_error(gateway):
    answer = post_raw(gateway, json.dumps({"model": "<script>\r\nx", "messages": []}).encode())
    assert answer.status == 400
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["x-content-type-options"] == "nosniff"
