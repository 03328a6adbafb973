"""inference-aware through the whole program: what engines say at /metrics decides who gets the next request."""
import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import yaml

from gateway import row


@pytest.fixture
def fleet(upstream_factory, gateway_factory):
    """fleet(loads, behaviour) -> (gateway, servers): one idle engine per load, all scraped once."""

    def start(loads, behaviour="ok", router=None, wait=True, **kw):
        servers = [upstream_factory() for _ in loads]
        for server, load in zip(servers, loads):
            server.engine = load
        rows = [row("g", f"hosted_vllm/{behaviour}.e{i}", s.v1, info={"id": f"e{i}"}) for i, s in enumerate(servers)]
        settings = {"num_retries": 0, "routing_strategy": "inference-aware",
                    "routing_strategy_args": {"scrape_interval": 0.1}, **(router or {})}
        gateway = gateway_factory({"model_list": rows, "router_settings": settings,
                                   "litellm_settings": {"callbacks": ["prometheus"]}}, workers=2, **kw)
        if wait:
            assert all(s.wait_for(lambda s: s.scrapes >= 2) for s in servers)
        return gateway, servers

    return start


def served_by(gateway, requests, **kw):
    answers = [gateway.chat("g", **kw) for _ in range(requests)]
    assert {a.status_code for a in answers} == {200}
    return Counter(a.headers["x-litellm-model-id"] for a in answers)


def at_once(gateway, requests):
    def ask(i):
        return gateway.chat("g", messages=[{"role": "user", "content": f"{i} " * 50}])

    with ThreadPoolExecutor(requests) as pool:
        answers = list(pool.map(ask, range(requests)))
    assert {a.status_code for a in answers} == {200}
    return Counter(a.headers["x-litellm-model-id"] for a in answers)


def test_a_loaded_engine_is_avoided_until_it_is_well_again(fleet):
    gateway, servers = fleet([{"waiting": 30, "running": 100, "kv_usage": 0.99}, {}, {}])
    assert served_by(gateway, 12).keys() <= {"e1", "e2"}
    servers[0].engine = {}
    for server in servers[1:]:
        server.engine = {"waiting": 30, "running": 100, "kv_usage": 0.99}
    seen = [s.scrapes for s in servers]
    assert all(s.wait_for(lambda s, n=n: s.scrapes >= n + 2) for s, n in zip(servers, seen))
    assert served_by(gateway, 12) == {"e0": 12}


def test_equal_engines_share_a_burst(fleet):
    gateway, _ = fleet([{}, {}, {}, {}], behaviour="delay-500")
    served = at_once(gateway, 16)
    assert len(served) == 4
    assert max(served.values()) <= 6, served


def test_an_engine_that_cannot_be_scraped_still_serves(fleet):
    gateway, servers = fleet([None, {"waiting": 20, "running": 50, "kv_usage": 0.97}], behaviour="delay-100")
    assert served_by(gateway, 6)["e0"] >= 5
    servers[1].engine = None  # and when none answers, the least busy one is taken
    time.sleep(2.5)
    assert at_once(gateway, 8) == {"e0": 4, "e1": 4}
    text = gateway.get("/metrics").text
    assert 'litellm_gw_engine_scrapes_total{outcome="error"}' in text
    assert "litellm_gw_engine_waiting_requests{" not in text  # an old number is not shown


def test_gauges_show_what_the_engines_said(fleet):
    gateway, _ = fleet([{"waiting": 3, "running": 7, "kv_usage": 0.25}])
    text = gateway.get("/metrics").text
    assert 'litellm_gw_engine_waiting_requests{model_id="e0"} 3.0' in text
    assert 'litellm_gw_engine_running_requests{model_id="e0"} 7.0' in text
    assert 'litellm_gw_engine_kv_cache_usage_ratio{model_id="e0"} 0.25' in text
    assert 'litellm_gw_engine_scrapes_total{outcome="success"}' in text


def test_a_conversation_returns_to_its_engine_whatever_worker_serves_it(fleet):
    gateway, _ = fleet([{}, {}, {}, {}])
    homes = set()
    for chat in range(6):
        messages = [{"role": "system", "content": f"{chat} " + "rules " * 3000}]
        served = set()
        for turn in range(6):
            messages += [{"role": "user", "content": f"question {turn}"}]
            served |= set(served_by(gateway, 1, messages=messages))
            messages += [{"role": "assistant", "content": f"answer {turn}"}]
        assert len(served) == 1, served
        homes |= served
    assert len(homes) > 1


def test_nothing_is_scraped_by_default(fleet):
    gateway, servers = fleet([{}, {}], router={"routing_strategy": "least-busy", "routing_strategy_args": {}}, wait=False)
    served_by(gateway, 4)
    time.sleep(0.5)
    assert [s.scrapes for s in servers] == [0, 0]


def test_a_routing_group_alone_is_scraped_and_balanced(upstream_factory, gateway_factory):
    inside, outside = upstream_factory(), upstream_factory()
    inside.engine = outside.engine = {}
    rows = [row("g", "hosted_vllm/ok.in", inside.v1), row("other", "hosted_vllm/ok.out", outside.v1)]
    gateway = gateway_factory({"model_list": rows, "router_settings": {"routing_groups": [
        {"group_name": "fleet", "models": ["g"], "routing_strategy": "inference-aware",
         "routing_strategy_args": {"scrape_interval": 0.1}}]}}, workers=2)
    assert inside.wait_for(lambda s: s.scrapes >= 3)
    assert outside.scrapes == 0
    assert gateway.chat("fleet").status_code == gateway.chat("other").status_code == 200


def test_a_hanging_engine_does_not_hold_up_the_others_or_the_end(upstream, gateway_factory):
    upstream.engine = {}
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:  # connects, and never says a word
        base = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        rows = [row("g", "hosted_vllm/ok.silent", base, info={"id": "silent"}),
                row("g", "hosted_vllm/ok.e0", upstream.v1, info={"id": "e0"})]
        gateway = gateway_factory({"model_list": rows, "router_settings": {
            "num_retries": 0, "routing_strategy": "inference-aware",
            "routing_strategy_args": {"scrape_interval": 0.1}}, "litellm_settings": {"callbacks": ["prometheus"]}})
        gateway.wait_metric(1, "litellm_gw_engine_scrapes_total", timeout=10, outcome="timeout")
        assert upstream.scrapes > 10  # while the silent one was waited for
        begin = time.monotonic()
        gateway.terminate()
        assert time.monotonic() - begin < 1.5  # a scrape may take 2 s, the end does not wait for it


def test_a_reload_switches_it_on_and_off(fleet):
    gateway, servers = fleet([{}, {}], router={"routing_strategy": "least-busy", "routing_strategy_args": {}}, wait=False)

    config = yaml.safe_load(gateway.config_file.read_text())

    def switch(settings):
        gateway.config_file.write_text(yaml.safe_dump({**config, "router_settings": settings}))
        assert gateway.post("/config/reload", {}).status_code == 200

    switch({"routing_strategy": "inference-aware", "routing_strategy_args": {"scrape_interval": 0.05}})
    assert all(s.wait_for(lambda s: s.scrapes >= 3) for s in servers)
    assert served_by(gateway, 4)
    switch({"routing_strategy": "least-busy"})
    time.sleep(0.3)
    seen = [s.scrapes for s in servers]
    time.sleep(0.5)
    assert [s.scrapes for s in servers] == seen
