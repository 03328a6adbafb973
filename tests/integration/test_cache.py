"""The response cache: which requests are answered from it, what a hit looks like, what is never kept."""
import json
import threading
import time

import pytest
import requests
import yaml

from gateway import PATIENCE, row

NAMES = ("ok.a", "ok.b", "status-500.a", "midcut.a", "delay-300.a")
HITS, MISSES = "litellm_cache_hits_metric_total", "litellm_cache_misses_metric_total"
TOKENS = "litellm_cached_tokens_metric_total"


def config_of(upstream, params=None, **sections):
    return {"model_list": [row(n, f"openai/{n}", upstream.v1, info={"id": f"id-{n}"}) for n in NAMES],
            "litellm_settings": {"callbacks": ["prometheus"], "cache": True,
                                 "cache_params": {"type": "local", **(params or {})}},
            "router_settings": {"num_retries": 0, "disable_cooldowns": True}, **sections}


@pytest.fixture
def start(gateway_factory, upstream):
    return lambda params=None, **kw: gateway_factory(config_of(upstream, params, **kw.pop("sections", {})), **kw)


def is_hit(answer):
    assert answer.status_code == 200, answer.text
    return "x-litellm-cache-key" in answer.headers


def events(answer):
    return [line[6:] for line in answer.text.splitlines() if line.startswith("data: ")]


def test_hit_is_the_same_answer_without_an_upstream(start, upstream):
    gateway = start(workers=2)
    first = gateway.chat("ok.a", user="u")
    again = [gateway.chat("ok.a", user="u") for _ in range(5)]
    assert not is_hit(first) and all(is_hit(a) for a in again), "workers share the store"
    assert {a.text for a in again} == {first.text}
    assert upstream.count("ok.a") == 1
    hit = again[0].headers
    assert len(hit["x-litellm-cache-key"]) == 64
    assert hit["x-litellm-model-id"] == "id-ok.a" and hit["x-litellm-model-group"] == "ok.a"
    assert float(hit["x-litellm-response-cost"]) == 0
    assert gateway.metric(HITS) == 5 and gateway.metric(MISSES) == 1
    assert gateway.metric(TOKENS) == 5 * first.json()["usage"]["total_tokens"]
    assert gateway.metric("litellm_proxy_total_requests_metric_total") == 6
    assert gateway.metric("litellm_gw_deployment_attempts_total") == 1, "a hit is no attempt"


def test_only_the_same_question_hits(start, upstream):
    gateway = start()
    gateway.chat("ok.a", temperature=0)
    for other in ({"temperature": 1}, {"temperature": 0, "seed": 1}, {"temperature": 0, "stream": True},
                  {"temperature": 0, "guided_json": {"a": 1}}):
        assert not is_hit(gateway.chat("ok.a", **other)), other
    assert not is_hit(gateway.chat("ok.b", temperature=0))
    for same in ({"temperature": 0, "metadata": {"a": 1}}, {"temperature": 0, "timeout": 7}, {"num_retries": 1, "temperature": 0}):
        assert is_hit(gateway.chat("ok.a", **same)), same
    spelled = '{"temperature":0 , "messages":[{"content":"\\u0068i","role":"user"}],"model":"ok.a"}'
    other_order = gateway.http.post(gateway.url + "/v1/chat/completions", data=spelled, timeout=60)
    assert not is_hit(other_order), "member order inside a value reaches the model"
    spelled = '{"temperature":0 , "messages":[ {"role":"user","content":"\\u0068i"}],"model":"ok.a"}'
    assert is_hit(gateway.http.post(gateway.url + "/v1/chat/completions", data=spelled, timeout=60))


def test_stream_is_replayed(start, upstream):
    gateway = start()
    first = gateway.chat("ok.a", stream=True, stream_options={"include_usage": True})
    again = gateway.chat("ok.a", stream=True, stream_options={"include_usage": True})
    assert not is_hit(first) and is_hit(again)
    assert again.headers["content-type"].startswith("text/event-stream")
    assert events(again) == events(first) and events(again)[-1] == "[DONE]"
    assert upstream.count("ok.a") == 1
    assert gateway.metric(HITS) == 1


def test_completions_hit_and_messages_do_not(start, upstream):
    gateway = start()
    body = {"model": "ok.a", "prompt": "say"}
    assert not is_hit(gateway.post("/v1/completions", body))
    assert is_hit(gateway.post("/v1/completions", body))
    body = {"model": "ok.b", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}
    for _ in range(2):
        assert not is_hit(gateway.post("/v1/messages", body))
    assert upstream.count("ok.b") == 2


def test_long_conversations_go_upstream(start, upstream):
    gateway = start()
    for _ in range(2):
        gateway.chat("ok.a", messages=[{"role": "user", "content": str(i)} for i in range(5)])
    assert upstream.count("ok.a") == 2


@pytest.mark.parametrize("first, second, hits", [
    ({}, {"cache": {"no-cache": True}}, False),
    ({"cache": {"no-store": True}}, {}, False),
    ({"cache": {"ttl": 0}}, {}, False),
    ({"caching": False}, {}, False),
    ({"cache": {"namespace": "a"}}, {}, False),
    ({"cache": {"namespace": "a"}}, {"cache": {"namespace": "a"}}, True),
    ({"cache": {"no-cache": True}}, {}, True),
    ({}, {"cache": {"s-maxage": 60}}, True),
])
def test_controls_of_the_body(start, upstream, first, second, hits):
    gateway = start()
    assert not is_hit(gateway.chat("ok.a", **first))
    assert is_hit(gateway.chat("ok.a", **second)) == hits
    sent = upstream.calls_of("ok.a")[0].body
    assert "cache" not in sent and "caching" not in sent


def test_controls_of_the_header(start):
    gateway = start()
    assert not is_hit(gateway.chat("ok.a", headers={"Cache-Control": "no-store"}))
    assert not is_hit(gateway.chat("ok.a"))
    assert not is_hit(gateway.chat("ok.a", headers={"Cache-Control": "no-cache"}))
    assert is_hit(gateway.chat("ok.a", headers={"Cache-Control": "max-age=60"}))


def test_mode_namespace_and_call_types(start):
    gateway = start({"mode": "default_off", "namespace": "tier", "supported_call_types": ["acompletion"]})
    for _ in range(2):
        assert not is_hit(gateway.chat("ok.a"))
    gateway.chat("ok.a", cache={"use-cache": True})
    hit = gateway.chat("ok.a", cache={"use-cache": True})
    assert is_hit(hit) and hit.headers["x-litellm-cache-key"].startswith("tier:")
    for _ in range(2):
        answer = gateway.post("/v1/completions", {"model": "ok.b", "prompt": "x", "cache": {"use-cache": True}})
        assert not is_hit(answer)


def test_answers_end_after_their_ttl(start):
    gateway = start({"ttl": 0.5})
    gateway.chat("ok.a")
    end = time.monotonic() + 10 * PATIENCE
    while is_hit(gateway.chat("ok.a")):
        assert time.monotonic() < end, "never expires"
        time.sleep(0.05)


def test_failures_are_not_kept(start, upstream):
    gateway = start()
    for _ in range(2):
        assert gateway.chat("status-500.a").status_code == 500
        assert "error" in gateway.chat("midcut.a", stream=True).text
    assert upstream.count("status-500.a") == 2 and upstream.count("midcut.a") == 2


def test_answer_of_a_fallback_is_kept_under_the_group_asked_for(start, upstream):
    gateway = start(sections={"router_settings": {"num_retries": 0, "disable_cooldowns": True,
                                                  "fallbacks": [{"status-500.a": ["ok.b"]}]}})
    first, again = gateway.chat("status-500.a"), gateway.chat("status-500.a")
    assert is_hit(again) and again.text == first.text
    assert again.headers["x-litellm-model-id"] == "id-ok.b"
    assert not is_hit(gateway.chat("ok.b")), "nobody asked for that group"


def embed(gateway, given, **more):
    return gateway.post("/v1/embeddings", {"model": "ok.a", "input": given, **more})


def test_embeddings_are_kept_item_by_item(start, upstream):
    gateway = start()
    embed(gateway, ["one", "two"], encoding_format="float")
    mixed = embed(gateway, ["two", "three", "one"], encoding_format="float")
    assert [c.body["input"] for c in upstream.calls_of("ok.a")] == [["one", "two"], ["three"]]
    vectors = [d["embedding"][0] for d in mixed.json()["data"]]
    assert vectors == [1.5, 0.5, 0.5] and [d["index"] for d in mixed.json()["data"]] == [0, 1, 2]
    whole = embed(gateway, ["three", "one"], encoding_format="float")
    assert upstream.count("ok.a") == 2
    assert [d["embedding"][0] for d in whole.json()["data"]] == [0.5, 0.5]
    assert embed(gateway, "one", encoding_format="float").json()["data"][0]["embedding"][0] == 0.5
    assert upstream.count("ok.a") == 2, "one text and a list of it are the same item"
    embed(gateway, ["one"], encoding_format="base64")
    assert upstream.count("ok.a") == 3
    assert gateway.metric(HITS) == 2 and gateway.metric(MISSES) == 3


def test_administration(start, upstream):
    gateway = start()
    ping = gateway.get("/cache/ping").json()
    assert ping["status"] == "healthy" and ping["cache_type"] == "local" and ping["ping_response"] is True
    gateway.chat("ok.a")
    key = gateway.chat("ok.a").headers["x-litellm-cache-key"]
    assert gateway.post("/cache/delete", {"keys": [key]}).status_code == 200
    assert not is_hit(gateway.chat("ok.a"))
    assert gateway.post("/cache/flushall", {}).status_code == 200
    assert not is_hit(gateway.chat("ok.a"))
    assert gateway.post("/cache/delete", {"keys": "x"}).status_code == 400
    assert gateway.get("/cache/redis/info").status_code == 500
    assert gateway.get("/health/readiness/details").json()["cache"] == "local"
    assert requests.get(gateway.url + "/cache/ping", timeout=30).status_code == 401


def test_off_means_503_and_no_hits(gateway_factory, upstream):
    config = config_of(upstream)
    config["litellm_settings"]["cache"] = False
    gateway = gateway_factory(config)
    answer = gateway.get("/cache/ping")
    assert answer.status_code == 503 and answer.json()["error"]["type"] == "cache_ping_error"
    for _ in range(2):
        assert not is_hit(gateway.chat("ok.a"))
    assert gateway.metric(MISSES) == 0


def test_redis_without_a_server_is_served_from_memory_and_says_so(start):
    gateway = start({"type": "redis"})
    gateway.chat("ok.a")
    assert is_hit(gateway.chat("ok.a"))
    assert "no Redis is named" in gateway.said("no Redis is named")
    assert gateway.get("/cache/ping").json()["cache_type"] == "local"


def reload_with(gateway, config):
    gateway.config_file.write_text(yaml.safe_dump(config))
    assert gateway.post("/config/reload", {}).status_code == 200


def test_reload_keeps_answers_and_takes_the_new_policy(start, upstream):
    gateway = start(sections={"general_settings": {"reload_on_file_change": False}})
    config = config_of(upstream, general_settings={"reload_on_file_change": False})
    gateway.chat("ok.a")
    config["model_list"].pop()
    reload_with(gateway, config)
    assert is_hit(gateway.chat("ok.a"))
    config["litellm_settings"]["cache_params"]["mode"] = "default_off"
    reload_with(gateway, config)
    assert not is_hit(gateway.chat("ok.a"))
    assert is_hit(gateway.chat("ok.a", cache={"use-cache": True}))
    config["model_list"] = [r for r in config["model_list"] if r["model_name"] != "ok.a"]
    reload_with(gateway, config)
    assert gateway.chat("ok.a", cache={"use-cache": True}).status_code == 400, "a model that is gone is not served"
    config["litellm_settings"]["cache"] = False
    reload_with(gateway, config)
    assert gateway.get("/cache/ping").status_code == 503


def test_memory_is_bounded(start):
    gateway = start({"memory_max_entries": 8})
    for i in range(200):
        gateway.chat("ok.a", user=str(i))
    hits = sum(is_hit(gateway.chat("ok.a", user=str(i), cache={"no-store": True})) for i in range(200))
    assert 0 < hits <= 8


def test_identical_requests_share_one_call(start, upstream):
    gateway = start({"coalesce": True}, workers=2)
    answers = []

    def ask():
        answers.append(requests.post(gateway.url + "/v1/chat/completions", timeout=60, data=json.dumps(
            {"model": "delay-300.a", "messages": [{"role": "user", "content": "hi"}]}),
            headers={"Authorization": f"Bearer {gateway.key}"}))
    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {a.status_code for a in answers} == {200} and len({a.text for a in answers}) == 1
    assert upstream.count("delay-300.a") == 1


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_answers_of_mock_rows_are_kept_too(start, stream):
    mock = row("mock", "openai/m", "http://127.0.0.1:9/v1", info={"id": "mock"})
    mock["litellm_params"]["mock_response"] = "as agreed"
    gateway = start(sections={"model_list": [mock]})
    first, second = gateway.chat("mock", stream=stream), gateway.chat("mock", stream=stream)
    assert not is_hit(first) and is_hit(second)
    assert first.text == second.text and "as " in first.text
