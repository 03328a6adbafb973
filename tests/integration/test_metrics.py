"""Can Prometheus read what we expose, and is it true? Exposition formats, access, counters."""
import gzip
import threading

import pytest
import requests
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from gateway import free_port, row
from rawhttp import Raw, chat_body, request

TOTAL = "litellm_proxy_total_requests_metric_total"
FAILED = "litellm_proxy_failed_requests_metric_total"
SUCCESSES = "litellm_deployment_success_responses_total"
FAILURES = "litellm_deployment_failure_responses_total"
OPENMETRICS = {"Accept": "application/openmetrics-text"}


def config(upstream, **litellm):
    rows = [row("ok", "openai/ok", upstream.v1, {"id": "id-ok"}),
            row("flow", "openai/stream-5-0", upstream.v1, {"id": "id-flow"}),
            row("bad", "openai/status-500.bad", upstream.v1, {"id": "id-bad"}),
            row("first", "openai/status-503.first", upstream.v1, {"id": "id-first"}),
            row("olla", "ollama_chat/ok.olla", upstream.base, {"id": "id-olla"}),
            row("hang", "openai/hang", upstream.v1, {"id": "id-hang"})]
    return {"model_list": rows,
            "litellm_settings": {"callbacks": ["prometheus"], "fallbacks": [{"first": ["olla"]}], **litellm},
            "router_settings": {"num_retries": 0, "disable_cooldowns": True}}


@pytest.fixture
def gateway(gateway_factory, upstream):
    return gateway_factory(config(upstream), workers=4)


def some_traffic(gateway):
    assert gateway.chat("ok").status_code == 200
    assert gateway.chat("flow", stream=True, stream_options={"include_usage": True}).status_code == 200
    assert gateway.chat("bad").status_code == 500
    assert gateway.chat("first").status_code == 200
    assert gateway.chat('odd "name" \\ with\nlines').status_code == 400
    assert gateway.wait_metric(5, TOTAL) == 5


# ------------------------------------------------------------------ formats
def test_text_exposition_parses(gateway):
    some_traffic(gateway)
    answer = gateway.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    families = list(parse_text(answer.text))
    assert len({f.name for f in families}) == len(families), "a family comes twice"
    histogram = next(f for f in families if f.name == "litellm_request_total_latency_metric")
    assert histogram.type == "histogram"


def test_openmetrics_exposition_parses(gateway):
    some_traffic(gateway)
    answer = gateway.get("/metrics", headers=OPENMETRICS)
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert answer.text.endswith("# EOF\n")
    families = list(parse_openmetrics(answer.text))  # this parser is strict: order, duplicates, suffixes, buckets
    assert {f.name for f in families} >= {"litellm_proxy_total_requests_metric", "litellm_request_total_latency_metric"}


def test_both_formats_hold_the_same_series(gateway):
    some_traffic(gateway)

    def series(families):
        return {(s.name, frozenset(s.labels.items())) for f in families for s in f.samples}

    text = series(parse_text(gateway.get("/metrics").text))
    openmetrics = series(parse_openmetrics(gateway.get("/metrics", headers=OPENMETRICS).text))
    assert text == openmetrics


@pytest.mark.parametrize("path", ["/metrics", "/metrics/"])
def test_both_paths_answer_200(gateway, path):
    assert gateway.get(path, allow_redirects=False).status_code == 200


def test_gzip_when_asked_for(gateway):
    plain = gateway.http.get(gateway.url + "/metrics", headers={"Accept-Encoding": "identity"}, timeout=10)
    assert "content-encoding" not in plain.headers
    packed = gateway.http.get(gateway.url + "/metrics", headers={"Accept-Encoding": "gzip"}, stream=True, timeout=10)
    assert packed.headers["content-encoding"] == "gzip"
    data = packed.raw.read(decode_content=False)
    assert gzip.decompress(data).startswith(b"# HELP")
    assert len(data) < len(plain.content) / 4


def test_name_filter(gateway):
    some_traffic(gateway)
    text = gateway.get("/metrics", params={"name[]": ["litellm_in_flight_requests", TOTAL]}).text
    assert {f.name for f in parse_text(text)} == {"litellm_in_flight_requests", TOTAL.removesuffix("_total")}


@pytest.mark.parametrize("method", ["HEAD", "POST"])
def test_other_methods_are_answered(gateway, method):
    answer = gateway.http.request(method, gateway.url + "/metrics", timeout=10)
    assert answer.status_code == 200
    assert bool(answer.content) == (method == "POST")


# ------------------------------------------------------------------ access
@pytest.mark.parametrize("path", ["/metrics", "/metrics/"])
def test_404_without_the_callback(gateway_factory, upstream, path):
    gateway = gateway_factory(config(upstream, callbacks=[]))
    assert gateway.get(path).status_code == 404
    assert gateway.get(path).json() == {"detail": "Not Found"}


@pytest.mark.parametrize("path", ["/metrics", "/metrics/"])
def test_open_by_default(gateway, path):
    assert requests.get(gateway.url + path, timeout=10).status_code == 200


@pytest.mark.parametrize("path", ["/metrics", "/metrics/"])
def test_key_can_be_required(gateway_factory, upstream, path):
    gateway = gateway_factory(config(upstream, require_auth_for_metrics_endpoint=True))
    assert requests.get(gateway.url + path, timeout=10).status_code == 401
    assert gateway.get(path).status_code == 200
    wrong = requests.get(gateway.url + path, timeout=10, headers={"Authorization": "Bearer sk-wrong"})
    assert wrong.status_code in (400, 401)
    assert TOTAL not in wrong.text


def test_separate_port_needs_no_key(gateway_factory, upstream):
    port = free_port()
    gateway = gateway_factory(config(upstream, require_auth_for_metrics_endpoint=True),
                              args=["--prometheus_metrics_port", str(port)])
    some_traffic(gateway)
    text = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text
    assert sum(s.value for f in parse_text(text) for s in f.samples if s.name == TOTAL) == 5


def test_separate_port_serves_nothing_but_metrics(gateway_factory, upstream):
    port = free_port()
    gateway = gateway_factory(config(upstream), args=["--prometheus_metrics_port", str(port)])
    assert gateway.http.get(f"http://127.0.0.1:{port}/v1/models", timeout=10).status_code == 404
    assert requests.get(f"http://127.0.0.1:{port}/health", timeout=10).status_code == 200


def test_no_secret_becomes_a_label(gateway):
    some_traffic(gateway)
    requests.get(gateway.url + "/v1/models", headers={"Authorization": "Bearer sk-somebody-elses-8877"}, timeout=10)
    text = gateway.get("/metrics").text
    for secret in (gateway.key, "sk-upstream", "sk-somebody-elses"):
        assert secret not in text


# ------------------------------------------------------------------ truth
def cancel_one(gateway, upstream, n):
    with Raw(gateway.port) as raw:
        raw.send(request(gateway.key, chat_body("hang")))
        upstream.wait_call("hang", n)


def test_counters_equal_the_traffic(gateway, upstream):
    """Eight clients at once over four workers; then every number must be exact."""
    clients, rounds = 8, 15
    wrong = []

    def client():
        with requests.Session() as http:
            http.headers["Authorization"] = f"Bearer {gateway.key}"
            for _ in range(rounds):
                for model, stream, wanted in (("ok", False, 200), ("flow", True, 200), ("bad", False, 500),
                                              ("bad", True, 500), ("first", False, 200), ("first", True, 200),
                                              ("none-such", False, 400)):
                    body = {"model": model, "stream": stream, "messages": [{"role": "user", "content": "hi"}]}
                    if stream:
                        body["stream_options"] = {"include_usage": True}
                    answer = http.post(gateway.url + "/v1/chat/completions", json=body, timeout=60)
                    if answer.status_code != wanted or (stream and wanted == 200 and "[DONE]" not in answer.text):
                        wrong.append((model, stream, answer.status_code, answer.text))

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for n in range(1, 6):
        cancel_one(gateway, upstream, n)
    assert wrong == []
    each = clients * rounds
    assert gateway.wait_metric(7 * each + 5, TOTAL) == 7 * each + 5
    assert gateway.metric(TOTAL, status_code="200") == 4 * each
    assert gateway.metric(TOTAL, requested_model="first", model_id="id-olla", status_code="200") == 2 * each
    assert gateway.metric(FAILED, exception_status="500") == 2 * each
    assert gateway.metric(FAILED, exception_status="400") == each
    assert gateway.wait_metric(5, FAILED, exception_status="499") == 5
    assert gateway.metric(SUCCESSES, model_id="id-ok") == each
    assert gateway.metric(SUCCESSES, model_id="id-flow") == each
    assert gateway.metric(SUCCESSES, model_id="id-olla") == 2 * each
    assert gateway.metric(FAILURES, model_id="id-bad", exception_status="500") == 2 * each
    assert gateway.metric(FAILURES, model_id="id-first", exception_status="503") == 2 * each
    fallbacks = {"requested_model": "first", "fallback_model": "olla", "exception_status": "503"}
    assert gateway.metric("litellm_deployment_successful_fallbacks_total", **fallbacks) == 2 * each
    assert gateway.metric("litellm_deployment_failed_fallbacks_total") == 0
    assert gateway.metric("litellm_request_total_latency_metric_count") == 4 * each
    assert gateway.metric("litellm_request_total_latency_metric_bucket", le="+Inf") == 4 * each
    assert gateway.metric("litellm_llm_api_time_to_first_token_metric_count") == 2 * each
    assert gateway.metric("litellm_input_tokens_metric_total", model_id="id-ok") == 11 * each
    assert gateway.metric("litellm_output_tokens_metric_total", model_id="id-ok") == 7 * each
    assert gateway.metric("litellm_output_tokens_metric_total", model_id="id-flow") == 5 * each
    assert gateway.wait_metric(1, "litellm_in_flight_requests") == 1
    sent = {m: upstream.count(m) for m in ("ok", "stream-5-0", "status-500.bad", "status-503.first", "ok.olla", "hang")}
    assert sent == {"ok": each, "stream-5-0": each, "status-500.bad": 2 * each, "status-503.first": 2 * each,
                    "ok.olla": 2 * each, "hang": 5}


def test_scrapes_and_health_checks_are_not_client_requests(gateway):
    for _ in range(3):
        gateway.get("/health/readiness")
        gateway.samples()
    assert gateway.metric(TOTAL) == 0


def test_wrong_key_makes_no_series_of_its_own(gateway):
    for n in range(5):
        requests.post(gateway.url + "/v1/chat/completions", headers={"Authorization": f"Bearer sk-guess-{n}"}, timeout=10,
                      json={"model": "ok", "messages": []})
    series = [labels for name, labels, _ in gateway.samples() if name == FAILED]
    assert gateway.wait_metric(5, FAILED) == 5
    assert {labels["hashed_api_key"] for labels in series} == {"None"}


def labels_of(gateway, name, *shown):
    return sorted(tuple(labels[label] for label in shown) for sample, labels, _ in gateway.samples() if sample == name)


def test_refusals_are_counted_for_the_model_that_was_asked_for(gateway):
    for path, body in (("chat/completions", {"model": "ok"}), ("embeddings", {"model": "bad"}),
                       ("messages", {"model": "ok", "messages": []}), ("chat/completions", {"model": "no-such"})):
        assert gateway.post("/v1/" + path, body).status_code == 400
    assert gateway.wait_metric(4, FAILED) == 4
    assert labels_of(gateway, FAILED, "requested_model", "model_id", "api_provider", "exception_class", "route") == sorted([
        ("ok", "id-ok", "openai", "ProxyMissingRequiredParamError", "/v1/chat/completions"),
        ("bad", "id-bad", "openai", "ProxyMissingRequiredParamError", "/v1/embeddings"),
        ("ok", "id-ok", "openai", "ProxyMissingRequiredParamError", "/v1/messages"),
        ("other", "None", "None", "ProxyMissingRequiredParamError", "/v1/chat/completions")])
    assert set(labels_of(gateway, FAILURES, "requested_model", "model_group", "model_id")) == {
        ("ok", "ok", ""), ("bad", "bad", ""), ("other", "", "")}
    assert set(labels_of(gateway, "litellm_llm_api_failed_requests_metric_total", "model", "model_id")) == {
        ("ok", "id-ok"), ("bad", "id-bad"), ("other", "")}


def test_a_failure_names_the_row_of_the_group_that_was_asked_for(gateway_factory, upstream):
    gateway = gateway_factory(config(upstream, fallbacks=[{"first": ["bad"]}]))
    assert gateway.chat("first").status_code == 503
    assert gateway.wait_metric(1, FAILED) == 1
    assert labels_of(gateway, FAILED, "model_id", "exception_class") == [("id-first", "Openai.ServiceUnavailableError")]


def test_text_completions_of_openai_are_a_provider_of_their_own(gateway):
    assert gateway.post("/v1/completions", {"model": "ok", "prompt": "x"}).status_code == 200
    assert gateway.post("/v1/completions", {"model": "bad", "prompt": "x"}).status_code == 500
    assert gateway.wait_metric(2, TOTAL) == 2
    assert set(labels_of(gateway, TOTAL, "api_provider")) == {("text-completion-openai",)}
    assert labels_of(gateway, FAILURES, "api_provider", "exception_class") == [
        ("text-completion-openai", "Openai.InternalServerError")]


def test_what_a_provider_does_not_say_is_left_comes_from_the_configured_limits(gateway_factory, upstream):
    settings = config(upstream)
    settings["model_list"][0]["litellm_params"].update(rpm=1000, tpm=100000)
    gateway = gateway_factory(settings)
    for _ in range(2):
        assert gateway.chat("ok").status_code == 200
    assert gateway.wait_metric(2, TOTAL) == 2
    assert gateway.metric("litellm_remaining_requests_metric", model_id="id-ok") == 998
    assert gateway.metric("litellm_remaining_tokens_metric", model_id="id-ok") == 100000 - 2 * 18


def test_the_asked_service_tier_is_shown_where_the_answer_names_none(gateway):
    spend = "litellm_spend_metric_total"
    for tier in ("flex", "strange", None):
        assert gateway.chat("ok", service_tier=tier).status_code == 200
    assert gateway.wait_metric(3, TOTAL) == 3
    assert labels_of(gateway, spend, "service_tier") == [("None",), ("flex",)]


def test_unknown_models_make_no_series_of_their_own(gateway):
    for n in range(20):
        assert gateway.chat(f"invented-{n}").status_code == 400
    assert gateway.wait_metric(20, FAILED) == 20
    names = {labels.get("requested_model") for name, labels, _ in gateway.samples() if name.startswith("litellm_")}
    assert not any(n and n.startswith("invented") for n in names)
