"""Replicas that share a Redis: limits, slots, cooldowns, counted failures and kept answers are one."""
import time

import pytest

from gateway import PATIENCE, row
from redis_kit import HARD, at, config_of, is_hit, limited_row, statuses_of, while_redis_answers
from redis_server import wait


@while_redis_answers
def test_two_gateways_share_a_limit_of_requests_exactly(pair, upstream, redis):
    rows = [limited_row(upstream, rpm=25, max_parallel_requests=100)]
    gateways = pair(config_of(upstream, at(redis), rows=rows, router=HARD), workers=2)
    answers = statuses_of(gateways, 8)
    good = [a for a in answers if a.status_code == 200]
    refused = [a for a in answers if a.status_code == 429]
    assert len(answers) == 64 and len(good) + len(refused) == 64
    assert len(good) == upstream.count("ok.a") == 25, "the limit holds over both, under concurrency"
    text = refused[0].json()["error"]["message"]
    assert "RPM limit=25" in text, text
    assert 1 <= int(refused[0].headers["retry-after"]) <= 60


@while_redis_answers
def test_a_row_that_is_full_elsewhere_is_passed_over(pair, upstream, redis):
    rows = [limited_row(upstream, "ok.a", rpm=5), limited_row(upstream, "ok.b", rpm=1000)]
    gateways = pair(config_of(upstream, at(redis), rows=rows, router=HARD))
    answers = statuses_of(gateways, 10)
    assert {a.status_code for a in answers} == {200}
    assert upstream.count("ok.a") <= 5 and upstream.count("ok.a") + upstream.count("ok.b") == 80


@while_redis_answers
def test_slots_are_shared_and_come_back(pair, upstream, redis):
    rows = [row("limited", "openai/delay-300.a", upstream.v1, info={"id": "slow"}, max_parallel_requests=2)]
    gateways = pair(config_of(upstream, at(redis), rows=rows, router={"disable_cooldowns": True}))
    answers = statuses_of(gateways, 1)
    assert sum(a.status_code == 200 for a in answers) == 2, [a.status_code for a in answers]
    assert {a.status_code for a in answers} == {200, 429}
    wait(lambda: redis.cli("zcard", "gw:{slow}:leases") == "0", what="leases are given back")
    assert [g.chat("limited").status_code for g in gateways] == [200, 200]


@while_redis_answers
def test_tokens_count_over_both(pair, upstream, redis):
    rows = [limited_row(upstream, tpm=60, max_parallel_requests=100)]
    first, second = pair(config_of(upstream, at(redis), rows=rows, router=HARD))
    used = 0
    while used < 60:
        answer = first.chat("limited", max_tokens=5)
        if answer.status_code != 200:
            break
        used += answer.json()["usage"]["total_tokens"]
    wait(lambda: int(redis.cli("hget", "gw:{id-ok.a}:use", "t") or 0) == used)
    refused = second.chat("limited", max_tokens=50)
    assert refused.status_code == 429 and "TPM limit=60" in refused.text, (used, refused.text)


@while_redis_answers
def test_a_dead_replicas_slots_are_given_up(gateway_factory, upstream, redis, tmp_path):
    rows = [row("limited", "openai/delay-300.a", upstream.v1, info={"id": "slow"}, max_parallel_requests=1)]
    gateway = gateway_factory(config_of(upstream, at(redis), rows=rows, router={"disable_cooldowns": True}))
    time.sleep(0.3)
    # What a replica leaves behind that died half a minute ago, and one that died just now.
    now = int(redis.cli("time").split()[0]) * 1000
    redis.cli("zadd", "gw:{slow}:leases", str(now - 1), "dead:1:7:7")
    assert gateway.chat("limited").status_code == 200
    redis.cli("zadd", "gw:{slow}:leases", str(now + 600_000), "alive:1:0:0")
    assert gateway.chat("limited").status_code == 429


@while_redis_answers
def test_tokens_that_nobody_holds_do_not_stay_reserved(gateway_factory, upstream, redis):
    """A replica died, or its leases were evicted: what it had reserved must not bar the row for two days."""
    rows = [limited_row(upstream, tpm=1000)]
    gateway = gateway_factory(config_of(upstream, at(redis), rows=rows, router=HARD))
    time.sleep(0.3)
    redis.cli("hset", "gw:{id-ok.a}:use", "hi", "5000", "ho", "5000")
    assert gateway.chat("limited", max_tokens=5).status_code == 200
    wait(lambda: redis.cli("hmget", "gw:{id-ok.a}:use", "hi", "ho").split() == ["0", "0"], what="nothing is held")


# ---------------------------------------------------------------- cooldowns
def cooling(gateway, model_id):
    return gateway.metric("litellm_deployment_state", model_id=model_id) == 2


def test_a_cooldown_is_seen_by_the_other_at_once(pair, upstream, redis):
    rows = [row("g", "openai/status-429.a", upstream.v1, info={"id": "bad"}),
            row("g", "openai/status-429.b", upstream.v1, info={"id": "good"})]
    first, second = pair(config_of(upstream, at(redis), rows=rows, router={"cooldown_time": 30}))
    assert not cooling(second, "bad") and not cooling(second, "good")
    first.chat("g")
    begin = time.monotonic()
    wait(lambda: cooling(second, "bad") or cooling(second, "good"), timeout=5)
    took = time.monotonic() - begin
    print(f"\nseen by the other after {took * 1000:.0f} ms (as seen through /metrics)")
    assert took < 0.9 * PATIENCE, "by subscription, not by the look once a second"
    first.chat("g")
    wait(lambda: cooling(second, "bad") and cooling(second, "good"), timeout=5)
    assert second.chat("g").status_code == 429 and upstream.count("status-429.a") == 1


def test_a_late_starter_learns_of_cooldowns(gateway_factory, upstream, redis):
    rows = [row("g", "openai/status-429.a", upstream.v1, info={"id": "a"}),
            row("g", "openai/ok.b", upstream.v1, info={"id": "b"})]
    config = config_of(upstream, at(redis), rows=rows, router={"cooldown_time": 30})
    first = gateway_factory(config)
    time.sleep(0.3)
    wait(lambda: first.chat("g").status_code == 429)
    wait(lambda: redis.cli("zcard", "gw:cooldowns") == "1")
    late = gateway_factory(config)
    wait(lambda: cooling(late, "a"), timeout=5)
    assert [late.chat("g").status_code for _ in range(10)] == [200] * 10


@while_redis_answers
def test_failures_of_both_count_towards_a_cooldown(pair, upstream, redis):
    rows = [row("g", "openai/status-500.a", upstream.v1, info={"id": "a"}),
            row("other", "openai/ok.b", upstream.v1, info={"id": "b"})]
    router = {"allowed_fails": 3, "cooldown_time": 30, "fallbacks": [{"g": ["other"]}]}
    first, second = pair(config_of(upstream, at(redis), rows=rows, router=router))
    for gateway in (first, second, first, second):
        assert gateway.chat("g").status_code == 200  # by the fallback
        time.sleep(0.05)
    wait(lambda: cooling(first, "a") and cooling(second, "a"), timeout=5, what="four failures, two each")


# ---------------------------------------------------------------- the response cache
@pytest.mark.parametrize("stream", [False, True])
@while_redis_answers
def test_answers_are_shared(pair, upstream, redis, stream):
    first, second = pair(config_of(upstream, cache=at(redis, namespace="ns", ttl=60)), workers=2)
    asked = first.chat("ok.a", stream=stream)
    assert not is_hit(asked)
    wait(lambda: redis.cli("--scan", "--pattern", "ns:*").count("\n") == 0 and redis.cli("--scan", "--pattern", "ns:*"))
    hit = second.chat("ok.a", stream=stream)
    assert is_hit(hit) and hit.text == asked.text
    assert upstream.count("ok.a") == 1
    key = hit.headers["x-litellm-cache-key"]
    assert key.startswith("ns:") and 0 < int(redis.cli("ttl", key)) <= 60


def test_garbage_under_a_key_is_a_miss(pair, upstream, redis):
    first, second = pair(config_of(upstream, cache=at(redis)))
    first.chat("ok.a")
    wait(lambda: redis.cli("--scan"))
    key = redis.cli("--scan")
    redis.cli("set", key, "IWC1 and then something else")
    assert not is_hit(second.chat("ok.a"))
    redis.cli("del", key)
    redis.cli("lpush", key, "another type")
    assert not is_hit(second.chat("ok.a"))


@while_redis_answers
def test_flush_leaves_what_is_not_ours(pair, upstream, redis):
    first, second = pair(config_of(upstream, cache=at(redis, namespace="n[s]")))
    first.chat("ok.a")
    first.chat("ok.b")
    redis.cli("set", "n[s]:note", "1")
    redis.cli("set", "n[s]x" + "0" * 64, "1")
    redis.cli("set", "somebody", "1")
    wait(lambda: redis.cli("dbsize") == "5")
    key = second.chat("ok.a").headers["x-litellm-cache-key"]
    assert first.post("/cache/delete", {"keys": [key]}).status_code == 200
    assert redis.cli("dbsize") == "4"
    assert first.post("/cache/flushall", {}).status_code == 200
    wait(lambda: redis.cli("dbsize") == "3")
    assert redis.cli("get", "somebody") == "1"


def test_administration(pair, upstream, redis):
    first, _ = pair(config_of(upstream, cache=at(redis)))
    ping = first.get("/cache/ping").json()
    assert ping["status"] == "healthy" and ping["cache_type"] == "redis"
    info = first.get("/cache/redis/info").json()
    assert info["info"]["redis_version"] and info["num_clients"] >= 2
    assert first.get("/health/readiness/details").json()["cache"] == "redis"
    redis.kill()
    wait(lambda: first.get("/cache/ping").status_code == 503)
    assert first.get("/cache/redis/info").status_code == 503
