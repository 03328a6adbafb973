"""Strategies and limits through the whole program: what upstreams told decides about the next request."""
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from gateway import row


def group(upstream, *behaviours, **params):
    return [row("g", f"openai/{b}", upstream.v1, info={"id": b}, **params) for b in behaviours]


def start(gateway_factory, rows, router, **kw):
    return gateway_factory({"model_list": rows, "router_settings": {"num_retries": 0, **router}}, workers=2, **kw)


def served_by(gateway, requests=20, **kw):
    answers = [gateway.chat("g", **kw) for _ in range(requests)]
    return Counter(a.headers.get("x-litellm-model-id", str(a.status_code)) if a.ok else str(a.status_code)
                   for a in answers)


def test_latency_based_prefers_the_fast_upstream(gateway_factory, upstream):
    gateway = start(gateway_factory, group(upstream, "delay-300", "ok.fast"),
                    {"routing_strategy": "latency-based-routing", "routing_strategy_args": {"exploration": 0}})
    assert served_by(gateway, 12)["ok.fast"] >= 11
    streams = [gateway.chat("g", stream=True) for _ in range(6)]
    assert all(s.ok for s in streams)


def test_usage_based_serves_exactly_rpm_per_row(gateway_factory, upstream):
    gateway = start(gateway_factory, group(upstream, "ok.a", "ok.b", rpm=3), {"routing_strategy": "usage-based-routing-v2"})
    assert served_by(gateway, 9) == {"ok.a": 3, "ok.b": 3, "429": 3}


def test_hard_limit_holds_against_concurrent_clients(gateway_factory, upstream):
    gateway = start(gateway_factory, group(upstream, "delay-50.a", rpm=10),
                    {"optional_pre_call_checks": ["enforce_model_rate_limits"]})
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda _: gateway.chat("g"), range(40)))
    statuses = Counter(a.status_code for a in answers)
    assert statuses == {200: 10, 429: 30}
    refused = gateway.chat("g")  # while ten run, rpm is also the number of slots; now it is the rate
    assert refused.status_code == 429
    assert "RPM limit=10" in refused.json()["error"]["message"]
    assert 0 < int(refused.headers["retry-after"]) <= 60


def test_session_returns_to_its_row_whatever_worker_serves_it(gateway_factory, upstream):
    gateway = start(gateway_factory, group(upstream, "ok.a", "ok.b", "ok.c", "ok.d"),
                    {"optional_pre_call_checks": ["session_affinity"]})
    homes = set()
    for session in range(8):
        served = served_by(gateway, 8, headers={"x-litellm-session-id": f"s{session}"})
        assert len(served) == 1, served
        homes |= set(served)
    assert len(homes) > 1
    by_metadata = {gateway.chat("g", metadata={"session_id": "m"}).headers["x-litellm-model-id"] for _ in range(8)}
    assert len(by_metadata) == 1


def test_provider_over_its_budget_gets_no_more_traffic(gateway_factory, upstream):
    rows = group(upstream, "ok.a", input_cost_per_token=1.0, output_cost_per_token=1.0)
    gateway = start(gateway_factory, rows, {"provider_budget_config": {"openai": {"budget_limit": 1, "time_period": "1d"}}})
    assert gateway.chat("g").status_code == 200
    refused = gateway.chat("g")
    assert refused.status_code == 429
    assert "crossed budget" in refused.json()["error"]["message"]
    assert len(upstream.calls) == 1


def test_weighted_failover_tries_the_other_row(gateway_factory, upstream):
    gateway = start(gateway_factory, group(upstream, "status-400.a", "ok.b", weight=1), {"enable_weighted_failover": True})
    answers = [gateway.chat("g") for _ in range(12)]
    assert {a.status_code for a in answers} == {200}
    assert {a.headers["x-litellm-attempted-fallbacks"] for a in answers} == {"0", "1"}
