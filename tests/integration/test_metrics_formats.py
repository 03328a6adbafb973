"""Do exemplars and native histograms arrive? OpenMetrics and protobuf, read by independent parsers and Prometheus."""
import gzip
import time

import pytest
import requests
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

import prometheus_proto
from gateway import row
from prometheus_server import Prometheus

TOTAL = "litellm_proxy_total_requests_metric_total"
LATENCY = "litellm_request_total_latency_metric"
OPENMETRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}
PROTOBUF = {"Accept": "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,"
                      "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"}
TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE}-b7ad6b7169203331-01"


def config(upstream, **litellm):
    return {"model_list": [row("ok", "openai/ok", upstream.v1, {"id": "id-ok"}),
                           row("bad", "openai/status-500", upstream.v1, {"id": "id-bad"})],
            "litellm_settings": {"callbacks": ["prometheus"], **litellm},
            "router_settings": {"num_retries": 0, "disable_cooldowns": True}}


def chat(gateway, model="ok", **headers):
    headers = {k.replace("_", "-"): v for k, v in headers.items()}
    return requests.post(gateway.url + "/v1/chat/completions", timeout=20, headers={"Authorization": f"Bearer {gateway.key}", **headers},
                         json={"model": model, "messages": [{"role": "user", "content": "hi"}]})


def exemplars(gateway):
    text = gateway.get("/metrics", headers=OPENMETRICS).text
    return [(s.name, s.labels, s.exemplar) for f in parse_openmetrics(text) for s in f.samples if s.exemplar]


# ------------------------------------------------------------------ exemplars
def test_exemplars_carry_the_trace_id(gateway_factory, upstream):
    gateway = gateway_factory(config(upstream), workers=2)
    begin = time.time()
    assert chat(gateway, traceparent=TRACEPARENT).status_code == 200
    assert gateway.wait_metric(1, TOTAL) == 1
    found = exemplars(gateway)
    assert {name for name, _, _ in found} >= {LATENCY + "_bucket", "litellm_llm_api_latency_metric_bucket"}
    bounds = sorted({float(labels["le"]) for name, labels, _ in
                     [(s.name, s.labels, 0) for f in parse_text(gateway.get("/metrics").text) for s in f.samples]
                     if name == LATENCY + "_bucket"})
    for name, labels, exemplar in found:
        assert exemplar.labels == {"trace_id": TRACE}, name
        assert begin - 1 < float(exemplar.timestamp) < time.time() + 1
        assert exemplar.value <= float(labels["le"])
        if name == LATENCY + "_bucket":
            below = [b for b in bounds if b < float(labels["le"])]
            assert not below or exemplar.value > below[-1]
    assert TRACE not in gateway.get("/metrics").text, "exemplars have no place in the text formats"


@pytest.mark.parametrize("header", ["", "00-" + "0" * 32 + "-b7ad6b7169203331-01", 'x"} evil', TRACEPARENT.upper()])
def test_no_exemplar_without_a_valid_trace(gateway_factory, upstream, header):
    gateway = gateway_factory(config(upstream))
    assert chat(gateway, **({"traceparent": header} if header else {})).status_code == 200
    assert gateway.wait_metric(1, TOTAL) == 1
    assert exemplars(gateway) == []


def test_all_takes_the_call_id_and_false_none(gateway_factory, upstream):
    gateway = gateway_factory(config(upstream, prometheus_exemplars="all"))
    assert chat(gateway, x_litellm_call_id="call-77").status_code == 200
    assert gateway.wait_metric(1, TOTAL) == 1
    assert {tuple(e.labels.items()) for _, _, e in exemplars(gateway)} == {(("call_id", "call-77"),)}
    silent = gateway_factory(config(upstream, prometheus_exemplars=False))
    assert chat(silent, traceparent=TRACEPARENT).status_code == 200
    assert silent.wait_metric(1, TOTAL) == 1
    assert exemplars(silent) == []


# ------------------------------------------------------------------ protobuf
def test_protobuf_holds_what_the_text_holds(gateway_factory, upstream):
    gateway = gateway_factory(config(upstream, prometheus_native_histograms=True), workers=2)
    for n in range(12):
        assert chat(gateway, "ok" if n % 3 else "bad", user_agent='odd "agent" \\ 1', traceparent=TRACEPARENT).status_code in (200, 500)
    assert gateway.wait_metric(12, TOTAL) == 12
    answer = gateway.get("/metrics", headers=PROTOBUF)
    assert answer.headers["content-type"] == \
        "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"
    proto = prometheus_proto.families(answer.content)
    text = {f.name + ("_total" if f.type == "counter" else ""): f for f in parse_text(gateway.get("/metrics").text)}
    moving = ("process_", "litellm_gw_", "litellm_in_flight")
    filled = {n for n, f in text.items() if f.samples and not n.endswith("_created")}
    assert filled == set(proto)
    for name, family in proto.items():
        samples = {(s.name, frozenset(s.labels.items())): s.value for s in text[name].samples}
        for metric in family.metric:
            labels = frozenset(prometheus_proto.labels(metric).items())
            if metric.HasField("histogram"):
                h = metric.histogram
                assert samples[(name + "_count", labels)] == h.sample_count
                assert samples[(name + "_sum", labels)] == h.sample_sum
                for bucket in h.bucket:
                    le = "+Inf" if bucket.upper_bound == float("inf") else str(bucket.upper_bound)
                    assert samples[(name + "_bucket", labels | {("le", le)})] == bucket.cumulative_count
                assert h.zero_count + sum(n for _, n in prometheus_proto.native_buckets(h)) == h.sample_count
                assert h.created_timestamp.seconds > 1.7e9
            elif not name.startswith(moving):
                value = metric.counter.value if metric.HasField("counter") else metric.gauge.value
                assert samples[(name, labels)] == value, name
    latency = proto[LATENCY].metric[0].histogram
    taken = [b.exemplar for b in latency.bucket if b.HasField("exemplar")]
    assert taken and all(prometheus_proto.labels(e) == {"trace_id": TRACE} for e in taken)
    low, high = [b for b in prometheus_proto.native_buckets(latency) if b[1]][0][0], latency.sample_sum
    assert 2 ** ((low - 1) / 2 ** latency.schema) < high


def test_protobuf_without_native_buckets_by_default(gateway_factory, upstream):
    gateway = gateway_factory(config(upstream))
    assert chat(gateway).status_code == 200
    assert gateway.wait_metric(1, TOTAL) == 1
    histogram = prometheus_proto.families(gateway.get("/metrics", headers=PROTOBUF).content)[LATENCY].metric[0].histogram
    assert not histogram.HasField("schema") and not histogram.HasField("zero_threshold") and not histogram.positive_span
    assert histogram.bucket[-1].cumulative_count == 1


def test_protobuf_with_gzip_and_a_name_filter(gateway_factory, upstream):
    gateway = gateway_factory(config(upstream))
    assert chat(gateway).status_code == 200
    assert gateway.wait_metric(1, TOTAL) == 1
    answer = gateway.http.get(gateway.url + "/metrics", params={"name[]": [TOTAL, LATENCY + "_sum"]}, stream=True, timeout=10,
                              headers={**PROTOBUF, "Accept-Encoding": "gzip"})
    data = gzip.decompress(answer.raw.read(decode_content=False))
    assert set(prometheus_proto.families(data)) == {TOTAL, LATENCY}


# ------------------------------------------------------------------ a real Prometheus
def watched(folder, gateway, feature):
    return Prometheus(folder, {"gw": [f"127.0.0.1:{gateway.port}"]}, interval="500ms", features=[feature])


def test_prometheus_computes_quantiles_of_native_histograms(gateway_factory, upstream, tmp_path):
    gateway = gateway_factory(config(upstream, prometheus_native_histograms=True), workers=2)
    with watched(tmp_path, gateway, "native-histograms") as prometheus:
        prometheus.wait("up", lambda _, v: v == 1)
        times = []
        for _ in range(60):
            begin = time.monotonic()
            assert chat(gateway, traceparent=TRACEPARENT).status_code == 200
            times.append(time.monotonic() - begin)
        prometheus.wait(f"histogram_count(sum({LATENCY}))", lambda _, v: v == 60)
        # What the gateway itself measured: the buckets of its own text.
        ((_, total),) = prometheus.wait(f"histogram_sum(sum({LATENCY}))", lambda _, v: v > 0)
        assert total == pytest.approx(gateway.metric(LATENCY + "_sum"), rel=1e-9)
        ((_, median),) = prometheus.wait(f"histogram_quantile(0.5, sum({LATENCY}))", lambda _, v: v > 0)
        proto = prometheus_proto.families(gateway.get("/metrics", headers=PROTOBUF).content)[LATENCY].metric[0].histogram
        passed = proto.zero_count
        for index, count in prometheus_proto.native_buckets(proto):
            passed += count
            if passed >= 30:
                break
        upper = 2 ** (index / 2 ** proto.schema)
        assert upper / 2 ** (1 / 2 ** proto.schema) <= median <= upper * 1.0001
        assert 0 < median < sorted(times)[30] * 1.1


def test_prometheus_stores_the_exemplars(gateway_factory, upstream, tmp_path):
    gateway = gateway_factory(config(upstream))
    with watched(tmp_path, gateway, "exemplar-storage") as prometheus:
        assert chat(gateway, traceparent=TRACEPARENT).status_code == 200
        prometheus.wait(f"sum({LATENCY}_count)", lambda _, v: v == 1)
        found = prometheus.exemplars(LATENCY + "_bucket", time.time() - 60)
        assert {e["labels"]["trace_id"] for series in found for e in series["exemplars"]} == {TRACE}
