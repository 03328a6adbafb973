"""The semantic cache: a similar prompt is answered from Redis, anything else goes upstream; nothing that fails here
fails a request."""
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml

from gateway import PATIENCE, row
from openai_protocol import cosine, words_vector
from otlp_receiver import Collector
from rawhttp import Raw, chat_body, request
from redis_kit import while_redis_answers
from redis_server import wait
from vector_redis import VectorRedis

HITS, MISSES = "litellm_cache_hits_metric_total", "litellm_cache_misses_metric_total"
ATTEMPTS = "litellm_gw_deployment_attempts_total"
INDEX = "litellm_semantic_cache_index"
ASKED = "What is the capital city of France"
SIMILAR = "what is the capital city of France please"
ALIKE = cosine(words_vector(ASKED), words_vector(SIMILAR))
OTHER = "How do I bake bread"
EMBEDDER, PRICE = "ok.words", 0.001


def config_of(upstream, port, embedder=EMBEDDER, **params):
    names = ("ok.a", "ok.b", "midcut.a", "delay-300.a")
    rows = [row(n, f"openai/{n}", upstream.v1, info={"id": f"id-{n}"}) for n in names]
    rows.append(row("embedder", f"openai/{embedder}", upstream.v1, info={"id": "id-embedder"},
                    input_cost_per_token=PRICE, output_cost_per_token=0))
    return {"model_list": rows,
            "litellm_settings": {"callbacks": ["prometheus"], "cache": True, "cache_params": {
                "type": "redis-semantic", "host": "127.0.0.1", "port": port, "similarity_threshold": 0.8,
                "redis_semantic_cache_embedding_model": "embedder", **params}},
            "router_settings": {"num_retries": 0, "disable_cooldowns": True}}


def ask(gateway, text=ASKED, model="ok.a", system=None, **body):
    messages = ([{"role": "system", "content": system}] if system else []) + [{"role": "user", "content": text}]
    answer = gateway.chat(model, messages=messages, **body)
    assert answer.status_code == 200, answer.text
    return answer


def is_hit(answer):
    return "x-litellm-semantic-similarity" in answer.headers


def is_connected(gateway):
    wait(lambda: gateway.get("/cache/ping").status_code == 200, what="Redis is used")
    time.sleep(0.3 if gateway.workers > 1 else 0)  # the connections of the others
    return gateway


def starting(gateway_factory, upstream, vectors, **params):
    return is_connected(gateway_factory(config_of(upstream, vectors.port, **params)))


def kept(vectors, count):
    wait(lambda: len(vectors.entries()) == count, what=f"{count} entries")


@while_redis_answers
def test_a_similar_prompt_is_answered_from_the_cache(gateway_factory, upstream, redis):
    with VectorRedis(redis) as vectors:
        gateway = is_connected(gateway_factory(config_of(upstream, vectors.port), workers=2))
        first = ask(gateway)
        assert not is_hit(first)
        kept(vectors, 1)
        again = ask(gateway, SIMILAR)
        assert is_hit(again) and again.json() == first.json()
        assert upstream.count("ok.a") == 1 and upstream.count(EMBEDDER) == 2
        assert float(again.headers["x-litellm-semantic-similarity"]) == pytest.approx(ALIKE, abs=1e-5)
        assert again.headers["x-litellm-cache-key"] == vectors.entries()[0]
        assert again.headers["x-litellm-model-id"] == "id-ok.a" and float(again.headers["x-litellm-response-cost"]) == 0
        assert upstream.calls_of(EMBEDDER)[0].body["input"] == ASKED
        assert not is_hit(ask(gateway, OTHER)), "not similar"
        assert gateway.wait_metric(1, HITS) == 1 and gateway.wait_metric(2, MISSES) == 2
        # Embeddings are attempts and cost money, but nobody's requests.
        assert gateway.metric(ATTEMPTS, model_id="id-embedder", outcome="success") == 3
        assert gateway.metric("litellm_spend_metric_total", model="ok.words") == pytest.approx(3 * 9 * PRICE)
        assert gateway.metric("litellm_input_tokens_metric_total", model="ok.words") == 27
        assert gateway.metric("litellm_proxy_total_requests_metric_total") == 3
        assert float(again.headers["x-litellm-key-spend"]) > 0
        assert vectors.calls.count("FT.CREATE") == 1


@while_redis_answers
def test_only_the_text_may_differ(gateway_factory, upstream, redis):
    with VectorRedis(redis) as vectors:
        gateway = is_connected(gateway_factory(config_of(upstream, vectors.port, ttl=100)))
        ask(gateway, temperature=0)
        kept(vectors, 1)
        for other in ({"temperature": 1}, {}, {"temperature": 0, "model": "ok.b"}, {"temperature": 0, "system": " "},
                      {"temperature": 0, "stream": True}, {"temperature": 0, "tools": []},
                      {"temperature": 0, "cache": {"namespace": "mine"}}):
            assert not is_hit(ask(gateway, SIMILAR, **other)), other
        kept(vectors, 8)
        assert is_hit(ask(gateway, SIMILAR, temperature=0, metadata={"a": 1}))
        assert is_hit(ask(gateway, temperature=0, cache={"namespace": "mine"}))
        assert 0 < int(vectors.cli("pttl", vectors.entries()[0])) <= 100_000


@while_redis_answers
def test_pictures_must_be_the_same(gateway_factory, upstream, redis):
    def question(text, picture):
        return {"messages": [{"role": "user", "content": [
            {"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": picture}}]}]}

    with VectorRedis(redis) as vectors:
        gateway = starting(gateway_factory, upstream, vectors)
        assert not is_hit(gateway.chat("ok.a", **question(ASKED, "https://x/1.png")))
        kept(vectors, 1)
        assert not is_hit(gateway.chat("ok.a", **question(ASKED, "https://x/2.png")))
        assert is_hit(gateway.chat("ok.a", **question(SIMILAR, "https://x/1.png")))
        embedded = upstream.count(EMBEDDER)
        assert not is_hit(gateway.chat("ok.a", messages=[{"role": "user", "content": []}]))
        assert upstream.count(EMBEDDER) == embedded, "no text, nothing to embed"


@while_redis_answers
def test_streams_are_replayed(gateway_factory, upstream, redis):
    with VectorRedis(redis) as vectors:
        gateway = starting(gateway_factory, upstream, vectors)
        first = ask(gateway, stream=True)
        kept(vectors, 1)
        again = ask(gateway, SIMILAR, stream=True)
        assert is_hit(again) and again.text == first.text and again.text.endswith("data: [DONE]\n\n")
        assert again.headers["content-type"].startswith("text/event-stream")
        assert upstream.count("ok.a") == 1
        gateway.chat("midcut.a", stream=True)
        assert len(vectors.entries()) == 1, "half an answer is not kept"


@while_redis_answers
def test_the_threshold_decides(gateway_factory, upstream, redis):
    with VectorRedis(redis) as vectors:
        config = config_of(upstream, vectors.port, similarity_threshold=round(ALIKE + 0.01, 3))
        strict = is_connected(gateway_factory(config))
        ask(strict)
        kept(vectors, 1)
        assert not is_hit(ask(strict, SIMILAR))
        same = is_connected(gateway_factory(config_of(upstream, vectors.port, similarity_threshold=1)))
        assert is_hit(ask(same)), "the same text, another replica"
        exact = is_connected(gateway_factory(config_of(upstream, vectors.port,
                                                       similarity_threshold=round(ALIKE - 0.01, 3))))
        assert is_hit(ask(exact, "please what is the capital city of France"))


@while_redis_answers
def test_controls_of_the_request(gateway_factory, upstream, redis):
    with VectorRedis(redis) as vectors:
        gateway = starting(gateway_factory, upstream, vectors)
        ask(gateway, cache={"no-store": True})
        ask(gateway, OTHER, cache={"no-cache": True})  # kept, though the index was not there before
        kept(vectors, 1)
        assert is_hit(ask(gateway, OTHER)) and not is_hit(ask(gateway, OTHER, cache={"no-cache": True}))
        assert not is_hit(ask(gateway, OTHER, cache={"s-maxage": 0}))
        embedded = upstream.count(EMBEDDER)
        ask(gateway, OTHER, cache={"no-cache": True, "no-store": True})
        assert not is_hit(ask(gateway, OTHER, caching=False)) and upstream.count(EMBEDDER) == embedded
        ask(gateway, ASKED, cache={"ttl": 0.3})
        wait(lambda: len(vectors.entries()) == 1, what="expired")
        assert not is_hit(ask(gateway, ASKED, cache={"no-store": True}))
        for _ in range(2):
            answer = gateway.post("/v1/embeddings", {"model": "embedder", "input": "x"})
            assert answer.status_code == 200 and "x-litellm-cache-key" not in answer.headers


@while_redis_answers
def test_completions_look_and_forget(gateway_factory, upstream, redis):
    with VectorRedis(redis) as vectors:
        gateway = starting(gateway_factory, upstream, vectors)
        assert not is_hit(gateway.post("/v1/completions", {"model": "ok.a", "prompt": ASKED}))
        kept(vectors, 1)
        hit = gateway.post("/v1/completions", {"model": "ok.a", "prompt": SIMILAR})
        assert is_hit(hit) and not is_hit(ask(gateway)), "another endpoint"
        kept(vectors, 2)
        vectors.cli("set", "foreign", "1")
        answer = gateway.post("/cache/delete", {"keys": [hit.headers["x-litellm-cache-key"], "foreign"]})
        assert answer.status_code == 200
        kept(vectors, 1)
        assert gateway.post("/cache/flushall", {}).status_code == 200
        kept(vectors, 0)
        assert vectors.cli("get", "foreign") == "1"
        assert gateway.get("/cache/redis/info").status_code == 200
        assert gateway.get("/cache/ping").json()["cache_type"] == "redis-semantic"
        assert gateway.get("/health/readiness/details").json()["cache"] == "redis-semantic"


@while_redis_answers
def test_an_index_that_is_there_is_used_and_one_that_is_lost_made_anew(gateway_factory, upstream, redis):
    with VectorRedis(redis) as vectors:
        litellm = ("prompt", "TEXT", "response", "TEXT", "inserted_at", "NUMERIC", "updated_at", "NUMERIC")
        vectors.make_index("theirs", 64, more=litellm)
        config = config_of(upstream, vectors.port, redis_semantic_cache_index_name="theirs")
        gateway = is_connected(gateway_factory(config))
        ask(gateway)
        wait(lambda: len(vectors.entries("theirs")) == 1)
        assert is_hit(ask(gateway, SIMILAR)) and "FT.CREATE" not in vectors.calls
        vectors.command("FT.DROPINDEX", "theirs")
        assert not is_hit(ask(gateway, SIMILAR))
        wait(lambda: is_hit(ask(gateway, SIMILAR)), what="made anew over what is stored")
        assert vectors.calls.count("FT.CREATE") == 1


@while_redis_answers
@pytest.mark.parametrize("scope, shared", [("key", True), ("end_user", False)])
def test_end_users_may_be_kept_apart(gateway_factory, upstream, redis, scope, shared):
    with VectorRedis(redis) as vectors:
        config = config_of(upstream, vectors.port, semantic_cache_scope=scope)
        gateway = is_connected(gateway_factory({**config, "general_settings": {"user_header_name": "X-User"}}))
        ask(gateway, headers={"X-User": "alice"})
        kept(vectors, 1)
        assert is_hit(ask(gateway, SIMILAR, headers={"X-User": "bob"})) == shared
        assert is_hit(ask(gateway, SIMILAR, headers={"X-User": "alice"}))


@while_redis_answers
def test_identical_requests_wait_for_one_another(gateway_factory, upstream, redis):
    with VectorRedis(redis) as vectors:
        gateway = starting(gateway_factory, upstream, vectors, coalesce=True)
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: ask(gateway, model="delay-300.a"), range(8)))
        assert len({a.text for a in answers}) == 1 and upstream.count("delay-300.a") == 1
        kept(vectors, 1)


@while_redis_answers
def test_a_reload_looks_again(gateway_factory, upstream, redis):
    with VectorRedis(redis) as vectors:
        gateway = gateway_factory(config_of(upstream, redis.port))
        wait(lambda: "Redis has no vector search" in gateway.get("/cache/ping").text)
        gateway.config_file.write_text(yaml.safe_dump(config_of(upstream, vectors.port)))
        assert gateway.post("/config/reload", {}).json()["status"] == "applied"
        is_connected(gateway)
        ask(gateway)
        kept(vectors, 1)
        gateway.config_file.write_text(yaml.safe_dump(config_of(upstream, vectors.port, similarity_threshold=0.7)))
        assert gateway.post("/config/reload", {}).json()["status"] == "applied"
        assert is_hit(ask(gateway, SIMILAR)), "what was kept is in Redis"


# The embedder was told of no trace, though its call has a span.
@while_redis_answers
def test_the_embedder_joins_the_trace(gateway_factory, upstream, redis):
    with VectorRedis(redis) as vectors, Collector() as collector:
        config = config_of(upstream, vectors.port)
        config["litellm_settings"] |= {"callbacks": ["otel"], "forward_traceparent_to_llm_provider": True}
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "50"}
        gateway = is_connected(gateway_factory(config, env=env))
        trace, span = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
        headers = {"traceparent": f"00-{trace}-{span}-01", "tracestate": "vendor=1"}
        ask(gateway, headers=headers)
        server, embed, chat = sorted(collector.wait_spans(3, 10 * PATIENCE), key=lambda s: s.start_time_unix_nano)
        assert [s.name for s in (embed, chat)] == [f"embeddings {EMBEDDER}", "chat ok.a"]
        assert server.parent_span_id.hex() == span
        for model, own in ((EMBEDDER, embed), ("ok.a", chat)):
            assert own.parent_span_id == server.span_id and own.trace_id.hex() == trace
            (call,) = upstream.calls_of(model)
            assert call.headers["traceparent"] == f"00-{trace}-{own.span_id.hex()}-01"
            assert call.headers["tracestate"] == "vendor=1"


# ---------------------------------------------------------------- what fails
def test_a_client_that_leaves_ends_the_embedding(gateway_factory, upstream, redis):
    with VectorRedis(redis) as vectors:
        gateway = starting(gateway_factory, upstream, vectors, embedder="hang")
        raw = Raw(gateway.port).send(request(gateway.key, chat_body("ok.a")))
        call = upstream.wait_call("hang", 1)
        raw.sock.close()
        assert upstream.wait_for(lambda _: not call.connection.is_open, 3), "nobody waits for it"
        failed = "litellm_proxy_failed_requests_metric_total"
        assert gateway.wait_metric(1, failed, exception_status="499") == 1
        assert upstream.count("ok.a") == 0 and gateway.log().count("could not embed") == 0


def test_a_redis_without_the_module_is_told_of_once_and_costs_nothing(gateway_factory, upstream, redis):
    gateway = gateway_factory(config_of(upstream, redis.port))
    wait(lambda: "Redis has no vector search" in gateway.get("/cache/ping").text)
    for n in range(5):
        assert "x-litellm-cache-key" not in ask(gateway, f"{ASKED} {n % 2}").headers
    wait(lambda: "semantic cache is off" in gateway.log())
    ping = gateway.get("/cache/ping")
    assert ping.status_code == 503 and "valkey-search" in ping.text and "Redis 8" in ping.text
    log = gateway.log()
    assert log.count("semantic cache is off") == 1 and "redisearch" in log
    assert upstream.count("ok.a") == 5 and upstream.count(EMBEDDER) == 0, "nothing is embedded in vain"
    assert redis.cli("keys", f"{INDEX}*") == "" and gateway.metric(MISSES) == 0


@pytest.mark.parametrize("embedder", ["status-500.e", "reset.e", "garbage.e", "empty.e", "status-429.e"])
@while_redis_answers
def test_an_embedder_that_fails_fails_no_request(gateway_factory, upstream, redis, embedder):
    with VectorRedis(redis) as vectors:
        gateway = starting(gateway_factory, upstream, vectors, embedder=embedder)
        for _ in range(2):
            assert not is_hit(ask(gateway))
        assert upstream.count("ok.a") == 2 and not vectors.entries()
        assert gateway.metric(ATTEMPTS, model_id="id-embedder") == 2
        assert gateway.metric(ATTEMPTS, model_id="id-embedder", outcome="success") == 0
        assert gateway.said("could not embed a prompt").count("could not embed a prompt") == 1
        assert gateway.metric("litellm_proxy_failed_requests_metric_total") == 0


@while_redis_answers
def test_a_slow_embedder_delays_one_request_and_no_more(gateway_factory, upstream, redis):
    with VectorRedis(redis) as vectors:
        gateway = starting(gateway_factory, upstream, vectors, embedder="hang", semantic_cache_embedding_timeout=0.4)
        times = []
        for _ in range(3):
            begin = time.monotonic()
            ask(gateway)
            times.append(time.monotonic() - begin)
        assert 0.4 <= times[0] < 0.4 + 1 * PATIENCE and max(times[1:]) < 0.3 * PATIENCE, times
        assert upstream.count("hang") == 1
        assert gateway.metric(ATTEMPTS, model_id="id-embedder", outcome="timeout") == 1


@while_redis_answers
def test_vectors_of_another_length_turn_it_off_with_one_warning(gateway_factory, upstream, redis):
    with VectorRedis(redis) as vectors:
        vectors.make_index(INDEX, 8)
        gateway = starting(gateway_factory, upstream, vectors)
        for _ in range(3):
            assert not is_hit(ask(gateway))
        assert gateway.said("vectors of another length").count("vectors of another length") == 1 and upstream.count(EMBEDDER) == 1
        assert upstream.count("ok.a") == 3 and not vectors.entries()


@while_redis_answers
def test_an_index_that_does_not_measure_by_cosine_is_not_used(gateway_factory, upstream, redis):
    with VectorRedis(redis) as vectors:
        vectors.make_index(INDEX, 64, metric="L2")
        gateway = gateway_factory(config_of(upstream, vectors.port))
        wait(lambda: "does not measure by cosine" in gateway.get("/cache/ping").text)
        assert not is_hit(ask(gateway)) and upstream.count(EMBEDDER) == 0


@while_redis_answers
def test_a_search_that_takes_too_long_is_a_miss(gateway_factory, upstream, redis):
    with VectorRedis(redis) as vectors:
        gateway = starting(gateway_factory, upstream, vectors)
        ask(gateway)
        vectors.delay = 1.0
        begin = time.monotonic()
        assert not is_hit(ask(gateway, SIMILAR))
        assert time.monotonic() - begin < 0.5 * PATIENCE
        assert upstream.count("ok.a") == 2


def test_a_redis_that_dies_fails_no_request(gateway_factory, upstream, redis):
    with VectorRedis(redis) as vectors:
        gateway = starting(gateway_factory, upstream, vectors)
        ask(gateway)
        vectors.server.kill()
        assert not is_hit(ask(gateway)) and not is_hit(ask(gateway))
        assert upstream.count("ok.a") == 3
