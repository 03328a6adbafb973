"""Do traces, metrics and logs reach an OpenTelemetry collector, and do they tell what happened?"""
import json
import re
import time

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics

from gateway import PATIENCE, free_port, row
from otlp_receiver import Collector, attributes
from rawhttp import Raw, chat_body, request

SERVER, CLIENT, ERROR = 2, 3, 2
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"
WAIT = 10 * PATIENCE


@pytest.fixture
def collector():
    with Collector() as receiver:
        yield receiver


def config(upstream, **litellm):
    return {"model_list": [row("ok", "openai/ok", upstream.v1, {"id": "id-ok"}),
                           row("flow", "openai/stream-5-20", upstream.v1, {"id": "id-flow"}),
                           row("bad", "openai/status-500.bad", upstream.v1, {"id": "id-bad"}),
                           row("first", "openai/status-503.first", upstream.v1, {"id": "id-first"}),
                           row("hang", "openai/hang", upstream.v1, {"id": "id-hang"})],
            "litellm_settings": {"callbacks": ["prometheus", "otel"], "fallbacks": [{"first": ["ok"]}], **litellm},
            "router_settings": {"num_retries": 0, "disable_cooldowns": True}}


def env(collector, **more):
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "50",
            "OTEL_BLRP_SCHEDULE_DELAY": "50", **more}


@pytest.fixture
def start(gateway_factory, upstream, collector):
    def make(variables=None, litellm=None, **settings):
        text = config(upstream, **(litellm or {}))
        text["router_settings"] |= settings
        return gateway_factory(text, env=env(collector, **(variables or {})))

    return make


def split(spans):
    """The server span and the spans of its attempts in order."""
    (server,) = [s for s in spans if s.kind == SERVER]
    attempts = sorted((s for s in spans if s.kind == CLIENT), key=lambda s: s.start_time_unix_nano)
    assert len(attempts) + 1 == len(spans)
    for span in attempts:
        assert span.trace_id == server.trace_id and span.parent_span_id == server.span_id
        assert server.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano <= server.end_time_unix_nano
    assert len({s.span_id for s in spans}) == len(spans)
    return server, attempts


def events(span):
    return [event.name for event in span.events]


# ------------------------------------------------------------------ traces
@pytest.mark.parametrize("protocol, compression", [("http/protobuf", "none"), ("http/protobuf", "gzip"), ("http/json", "gzip")])
def test_a_request_is_a_server_span_with_one_span_per_attempt(start, collector, upstream, protocol, compression):
    gateway = start({"OTEL_EXPORTER_OTLP_PROTOCOL": protocol, "OTEL_EXPORTER_OTLP_COMPRESSION": compression,
                     "OTEL_EXPORTER_OTLP_HEADERS": "api-key=sk-collector-secret,x-tenant=a%20b",
                     "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment=test,team=blue", "OTEL_SERVICE_NAME": "edge"})
    before = time.time_ns()
    answer = gateway.chat("ok", headers={"traceparent": TRACEPARENT, "tracestate": "vendor=1", "User-Agent": "caf\u00e9 \"q\"".encode("latin-1")},
                          user="end-user-7", temperature=0.5)
    assert answer.status_code == 200
    server, (attempt,) = split(collector.wait_spans(2, WAIT))
    after = time.time_ns()

    assert server.name == "POST /v1/chat/completions" and attempt.name == "chat ok"
    assert server.trace_id.hex() == TRACE and server.parent_span_id.hex() == PARENT
    assert server.trace_state == "vendor=1" and server.flags & 0x301 == 0x301 and attempt.flags & 0x301 == 0x101
    assert before <= server.start_time_unix_nano < server.end_time_unix_nano <= after
    assert server.status.code == attempt.status.code == 0
    have = attributes(server)
    usage = answer.json()["usage"]
    assert have | {"http.request.method": "POST", "http.route": "/v1/chat/completions", "url.path": "/v1/chat/completions",
                   "url.scheme": "http", "http.response.status_code": 200, "client.address": "127.0.0.1",
                   "gen_ai.operation.name": "chat", "gen_ai.request.model": "ok", "litellm.end_user.id": "end-user-7",
                   "litellm.call_id": answer.headers["x-litellm-call-id"], "litellm.model_group": "ok",
                   "litellm.deployment.id": "id-ok", "litellm.cache_hit": False, "litellm.attempts": 1, "litellm.retries": 0,
                   "litellm.usage.prompt_tokens": usage["prompt_tokens"], "litellm.request.streaming": False} == have
    assert "q" in have["user_agent.original"] and "error.type" not in have
    have = attributes(attempt)
    assert have | {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.system": "openai",
                   "gen_ai.request.model": "ok", "server.address": "127.0.0.1", "server.port": upstream.port,
                   "gen_ai.usage.input_tokens": usage["prompt_tokens"], "gen_ai.usage.output_tokens": usage["completion_tokens"],
                   "http.response.status_code": 200, "litellm.attempt.outcome": "success"} == have
    assert not [name for name in have if "messages" in name], "content goes nowhere unless somebody says so"

    export = collector.of("/v1/traces")[0]
    assert export.headers["api-key"] == "sk-collector-secret" and export.headers["x-tenant"] == "a b"
    resource = attributes(export.message.resource_spans[0].resource)
    assert resource | {"service.name": "edge", "team": "blue", "deployment.environment": "test"} == resource
    assert resource["service.instance.id"] and resource["service.version"]
    assert gateway.wait_metric(2, "litellm_gw_telemetry_records_total", sink="otlp_traces", outcome="delivered") == 2
    assert "sk-collector-secret" not in gateway.log()
    assert not upstream.calls[-1].headers.get("traceparent"), "only when the operator says so"


def test_the_sampler_decides(start, collector):
    gateway = start({"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0"})
    for header in (None, TRACEPARENT[:-1] + "0", TRACEPARENT):
        assert gateway.chat("ok", headers={"traceparent": header} if header else None).status_code == 200
    assert {s.trace_id.hex() for s in collector.wait_spans(2, WAIT)} == {TRACE}
    assert gateway.terminate() == 0  # flushes
    assert len(collector.spans()) == 2
    always = start({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "1"})
    assert always.chat("ok").status_code == 200
    server, _ = split(collector.wait_spans(4, WAIT)[2:])
    assert not server.parent_span_id and server.trace_id.hex() not in (TRACE, "0" * 32)


def test_retries_and_fallbacks_are_attempts_in_their_order(start, collector):
    gateway = start(num_retries=1)
    assert gateway.chat("first").status_code == 200
    server, attempts = split(collector.wait_spans(4, WAIT))
    assert [attributes(a)["litellm.deployment.id"] for a in attempts] == ["id-first", "id-first", "id-ok"]
    assert [a.status.code for a in attempts] == [ERROR, ERROR, 0] and server.status.code == 0
    assert [attributes(a).get("error.type") for a in attempts] == ["ServiceUnavailableError"] * 2 + [None]
    assert all(a.status.message for a in attempts[:2])
    for earlier, later in zip(attempts, attempts[1:]):
        assert earlier.end_time_unix_nano <= later.start_time_unix_nano
    assert events(server) == ["litellm.retry", "litellm.fallback"]
    fallback = next(e for e in server.events if e.name == "litellm.fallback")
    assert attributes(fallback) | {"litellm.fallback.from": "first", "litellm.fallback.to": "ok"} == attributes(fallback)
    assert attributes(attempts[2])["litellm.attempt.is_fallback"] is True
    assert attributes(server)["litellm.attempts"] == 3


def test_errors_are_errors_of_whom_they_belong_to(start, collector):
    gateway = start()
    assert gateway.chat("bad").status_code == 500
    server, (attempt,) = split(collector.wait_spans(2, WAIT))
    assert server.status.code == attempt.status.code == ERROR
    assert attributes(server)["error.type"] == attributes(attempt)["error.type"] == "InternalServerError"
    assert gateway.chat("nobody").status_code == 400
    server, attempts = split(collector.wait_spans(3, WAIT)[2:])
    assert server.status.code == 0 and attempts == [], "4xx is no error of the server"
    assert attributes(server)["http.response.status_code"] == 400 and attributes(server)["error.type"]


def test_a_stream_tells_its_first_token(start, collector):
    gateway = start()
    assert "[DONE]" in gateway.chat("flow", stream=True).text
    server, (attempt,) = split(collector.wait_spans(2, WAIT))
    (first,) = attempt.events
    assert first.name == "first_token" and events(server) == ["first_token"]
    # Five chunks, 20 ms between two of them.
    assert attempt.end_time_unix_nano - first.time_unix_nano > 60e6
    delay = attributes(attempt)["gen_ai.response.time_to_first_chunk"]
    assert abs(delay - (first.time_unix_nano - attempt.start_time_unix_nano) / 1e9) < 1e-3
    assert attributes(attempt)["gen_ai.request.stream"] is True


def test_a_hedged_request_has_both_attempts(gateway_factory, collector, upstream):
    gateway = gateway_factory({
        "model_list": [row("g", "openai/hang.a", upstream.v1, weight=1_000_000, info={"id": "late"}),
                       row("g", "openai/ok.b", upstream.v1, weight=0.000001, info={"id": "quick"})],
        "litellm_settings": {"callbacks": ["otel"]},
        "router_settings": {"num_retries": 0, "hedging": True, "hedge_delay_min": 0.01, "hedge_delay_max": 0.1}}, env=env(collector))
    assert gateway.chat("g").status_code == 200
    server, (late, quick) = split(collector.wait_spans(3, WAIT))
    assert [attributes(a)["litellm.attempt.outcome"] for a in (late, quick)] == ["hedged_away", "success"]
    assert late.status.code == quick.status.code == 0
    assert late.start_time_unix_nano + 90e6 < quick.start_time_unix_nano < late.end_time_unix_nano
    assert events(server) == ["litellm.hedge"]


def test_a_client_that_leaves_is_told_of(start, collector, upstream):
    gateway = start()
    with Raw(gateway.port) as client:
        client.send(request(gateway.key, chat_body("hang")))
        upstream.wait_call("hang")
    server, (attempt,) = split(collector.wait_spans(2, WAIT))
    assert attributes(server)["http.response.status_code"] == 499 and server.status.code == 0
    assert attributes(attempt)["litellm.attempt.outcome"] == "cancelled" and attempt.status.code == 0


# ------------------------------------------------------------------ the collector
def test_a_collector_that_is_away_delays_nobody_and_gets_its_spans_later(gateway_factory, upstream):
    away = Collector(free_port())
    gateway = gateway_factory(config(upstream), env=env(away))
    begin = time.monotonic()
    for _ in range(20):
        assert gateway.chat("ok").status_code == 200
    assert time.monotonic() - begin < 2 * PATIENCE
    assert gateway.wait_metric(20, "litellm_proxy_total_requests_metric_total") == 20
    assert away.wait_for(lambda _: "does not take what it is sent" in gateway.log(), WAIT)
    with away:
        assert len(away.wait_spans(40, WAIT)) == 40
        assert gateway.wait_metric(40, "litellm_gw_telemetry_records_total", sink="otlp_traces", outcome="delivered") == 40


def test_what_a_full_queue_drops_is_counted(gateway_factory, upstream):
    away = Collector(free_port())
    gateway = gateway_factory(config(upstream), env=env(away, OTEL_BSP_MAX_QUEUE_SIZE="1", OTEL_BSP_MAX_EXPORT_BATCH_SIZE="1",
                                                        OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY"))
    for _ in range(4):  # 256 * 4 KB is the least bound
        assert gateway.chat("ok", messages=[{"role": "user", "content": "x" * 500_000}]).status_code == 200
    records = lambda outcome: gateway.metric("litellm_gw_telemetry_records_total", sink="otlp_traces", outcome=outcome)
    assert away.wait_for(lambda _: records("dropped_queue") >= 2, WAIT)
    with away:
        assert away.wait_for(lambda _: records("dropped_queue") + records("delivered") == 8, WAIT)


def test_the_collector_says_when(start, collector):
    collector.answers = [(429, {"Retry-After": "1"}, b""), (503, {}, b"")]
    gateway = start()
    assert gateway.chat("ok").status_code == 200
    collector.wait_spans(2, WAIT)
    (too_many, first), (_, second) = collector.refused
    assert too_many == 429 and second - first >= 0.95
    assert len(collector.spans()) == 2


def test_what_the_collector_refuses_is_counted_and_partial_success_is_logged(start, collector):
    collector.answers = [(400, {}, b"the body says sk-private")]
    gateway = start()
    assert gateway.chat("ok").status_code == 200
    assert gateway.wait_metric(2, "litellm_gw_telemetry_records_total", sink="otlp_traces", outcome="dropped_error") == 2
    assert collector.wait_for(lambda _: "HTTP 400" in gateway.log(), WAIT) and "sk-private" not in gateway.log()
    collector.partial = (3, "too old")
    assert gateway.chat("ok").status_code == 200
    collector.wait_spans(2, WAIT)
    assert collector.wait_for(lambda _: "did not take everything" in gateway.log(), WAIT)
    assert re.search(r"rejected.{1,4}3.*too old", gateway.log())


# ------------------------------------------------------------------ propagation
def test_the_upstream_joins_the_trace_when_asked_to(start, collector, upstream):
    gateway = start(litellm={"forward_traceparent_to_llm_provider": True}, num_retries=1)
    assert gateway.chat("first", headers={"traceparent": TRACEPARENT, "tracestate": "vendor=1"}).status_code == 200
    _, attempts = split(collector.wait_spans(4, WAIT))
    calls = upstream.calls_of("status-503.first") + upstream.calls_of("ok")
    assert [c.headers["traceparent"] for c in calls] == [f"00-{TRACE}-{a.span_id.hex()}-01" for a in attempts]
    assert {c.headers["tracestate"] for c in calls} == {"vendor=1"}
    assert gateway.chat("ok").status_code == 200
    server, (attempt,) = split(collector.wait_spans(6, WAIT)[4:])
    assert upstream.calls[-1].headers["traceparent"] == f"00-{server.trace_id.hex()}-{attempt.span_id.hex()}-01"


def test_without_traces_the_clients_header_goes_on_as_it_came(gateway_factory, upstream):
    text = config(upstream, forward_traceparent_to_llm_provider=True)
    text["litellm_settings"]["callbacks"] = ["prometheus"]
    gateway = gateway_factory(text)
    assert gateway.chat("ok", headers={"traceparent": TRACEPARENT, "tracestate": "vendor=1"}).status_code == 200
    assert upstream.calls[-1].headers["traceparent"] == TRACEPARENT and upstream.calls[-1].headers["tracestate"] == "vendor=1"
    assert gateway.chat("ok").status_code == 200
    assert "traceparent" not in upstream.calls[-1].headers


# ------------------------------------------------------------------ metrics
def pushed(collector):
    """name -> labels -> value of the last export: a number, or (count, sum, {bound: cumulative})."""
    out = {}
    for metric in (m for e in collector.of("/v1/metrics") for r in e.message.resource_metrics for s in r.scope_metrics for m in s.metrics):
        kind = metric.WhichOneof("data")
        data = getattr(metric, kind)
        if kind != "gauge":
            assert data.aggregation_temporality == 2, metric.name
            assert kind != "sum" or data.is_monotonic
        for point in data.data_points:
            labels = frozenset(attributes(point).items())
            if kind != "histogram":
                out.setdefault(metric.name, {})[labels] = point.as_double
                continue
            assert 0 < point.start_time_unix_nano <= point.time_unix_nano and sum(point.bucket_counts) == point.count
            assert len(point.bucket_counts) == len(point.explicit_bounds) + 1
            out.setdefault(metric.name, {})[labels] = point
    return out


def test_pushed_metrics_say_what_a_scrape_says(start, collector):
    gateway = start({"OTEL_METRICS_EXPORTER": "otlp", "OTEL_METRIC_EXPORT_INTERVAL": "150"})
    for model in ("ok", "bad", "first"):
        gateway.chat(model)
    gateway.chat("flow", stream=True, stream_options={"include_usage": True})
    assert gateway.wait_metric(4, "litellm_proxy_total_requests_metric_total") == 4
    seen = len(collector.of("/v1/metrics"))
    assert collector.wait_for(lambda c: len(c.of("/v1/metrics")) >= seen + 2, WAIT)
    ours, compared = pushed(collector), 0
    for name, labels, value in gateway.samples():
        base = re.sub("_(bucket|sum|count|created)$", "", name)
        if name.startswith(("process_", "litellm_in_flight", "litellm_gw_telemetry")) or name.endswith("_created"):
            continue  # these move by themselves
        le = labels.pop("le", None)
        key = frozenset(labels.items())
        if name in ours:
            assert ours[name][key] == pytest.approx(value), (name, labels)
        else:
            point = ours[base][key]
            if name.endswith("_sum"):
                assert point.sum == pytest.approx(value)
            elif name.endswith("_count"):
                assert point.count == value
            else:
                bounds = [*point.explicit_bounds, float("inf")]
                below = sum(c for bound, c in zip(bounds, point.bucket_counts) if bound <= float(le))
                assert below == value and float(le) in bounds, (name, labels, le)
        compared += 1
    assert compared > 300


def test_histograms_of_the_conventions_and_exemplars(start, collector):
    gateway = start({"LITELLM_OTEL_INTEGRATION_ENABLE_METRICS": "true", "OTEL_METRIC_EXPORT_INTERVAL": "100"})
    gateway.chat("flow", stream=True, stream_options={"include_usage": True})
    gateway.chat("bad")
    server = [s for s in collector.wait_spans(4, WAIT) if s.kind == SERVER][0]
    assert collector.wait_for(lambda c: sum(p.count for p in pushed(c).get("gen_ai.client.operation.duration", {}).values()) == 2, WAIT)
    ours = pushed(collector)
    assert {"gen_ai.client.token.usage", "gen_ai.server.time_to_first_token", "gen_ai.server.time_per_output_token"} <= set(ours)
    durations = {dict(labels).get("error.type"): point for labels, point in ours["gen_ai.client.operation.duration"].items()}
    assert set(durations) == {None, "InternalServerError"}
    assert list(durations[None].explicit_bounds)[:3] == [0.01, 0.02, 0.04]
    types = {dict(labels)["gen_ai.token.type"]: p.sum for labels, p in ours["gen_ai.client.token.usage"].items()}
    assert types["output"] == 5 and types["input"] > 0
    (point,) = ours["litellm_request_total_latency_metric"].values()
    assert {e.trace_id.hex() for e in point.exemplars} == {server.trace_id.hex()}, "a trace that began here counts too"
    text = gateway.get("/metrics", headers={"Accept": "application/openmetrics-text"}).text
    found = {e.exemplar.labels["trace_id"] for f in parse_openmetrics(text) for e in f.samples if e.exemplar}
    assert found == {server.trace_id.hex()}


# ------------------------------------------------------------------ logs
@pytest.mark.parametrize("protocol", ["http/protobuf", "http/json"])
def test_each_request_is_a_log_record_of_its_trace(start, collector, protocol):
    gateway = start({"OTEL_LOGS_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": protocol})
    assert [gateway.chat(model).status_code for model in ("ok", "bad", "nobody")] == [200, 500, 400]
    logs = collector.wait_logs(3, WAIT)
    servers = {s.trace_id: s for s in collector.wait_spans(5, WAIT) if s.kind == SERVER}
    assert [(log.severity_text, log.severity_number) for log in logs] == [("INFO", 9), ("ERROR", 17), ("WARN", 13)]
    for log, status in zip(logs, (200, 500, 400)):
        assert log.span_id == servers[log.trace_id].span_id and log.flags == 1
        assert attributes(log)["http.response.status_code"] == status
        assert log.body.string_value == f"POST /v1/chat/completions {status}"
    assert attributes(logs[1])["error.message"]


# ------------------------------------------------------------------ content
@pytest.mark.parametrize("stream", [False, True])
def test_messages_are_told_when_the_operator_says_so(gateway_factory, upstream, collector, stream):
    text = config(upstream) | {"callback_settings": {"otel": {"message_logging": True}}}
    gateway = gateway_factory(text, env=env(collector))
    answer = gateway.chat("ok", stream=stream, temperature=0.5, max_tokens=7, stop=["\n"])
    assert answer.status_code == 200
    _, (attempt,) = split(collector.wait_spans(2, WAIT))
    have = attributes(attempt)
    assert (have["gen_ai.request.temperature"], have["gen_ai.request.max_tokens"]) == (0.5, 7)
    assert have["gen_ai.request.stop_sequences"] == ["\n"] and have["gen_ai.response.finish_reasons"] == ["stop"]
    assert have["gen_ai.response.id"] and have["gen_ai.response.model"]
    assert json.loads(have["gen_ai.input.messages"]) == [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]
    if not stream:
        said = answer.json()["choices"][0]["message"]["content"]
    else:
        chunks = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")]
        said = "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks if c["choices"])
    (message,) = json.loads(have["gen_ai.output.messages"])
    assert message == {"role": "assistant", "parts": [{"type": "text", "content": said}], "finish_reason": "stop"}
