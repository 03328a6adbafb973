"""A second deployment is called when the first is late: who answers, who is aborted, what is counted."""
import time

import pytest

from gateway import PATIENCE, row
from rawhttp import Raw, chat_body, request

LATE_S = 0.1  # hedge_delay_max: what counts as late for rows without a history
ABORT_S = 0.1 * PATIENCE


@pytest.fixture
def race(gateway_factory, upstream):
    """race(first, second): a gateway whose group "g" asks `first` and, when that is late, `second`."""

    def start(first, second, *, first_row=None, settings=None, rows=(), litellm=None):
        return gateway_factory({
            # The weights decide who is first; neither is zero.
            "model_list": [row("g", f"openai/{first}", upstream.v1, weight=1_000_000, info={"id": "first"}, **(first_row or {})),
                           row("g", f"openai/{second}", upstream.v1, weight=0.000001, info={"id": "second"}),
                           *rows],
            "litellm_settings": {"callbacks": ["prometheus"], **(litellm or {})},
            "router_settings": {"num_retries": 0, "disable_cooldowns": True, "hedging": True,
                                "hedge_delay_min": 0.01, "hedge_delay_max": LATE_S, **(settings or {})}})

    return start


def hedges(gateway, outcome):
    return gateway.metric("litellm_gw_hedges_total", outcome=outcome, model_group="g")


def attempts(gateway, outcome, wanted):
    return gateway.wait_metric(wanted, "litellm_gw_deployment_attempts_total", outcome=outcome)


def closed_by(upstream, model, moment):
    """Seconds from `moment` to the end of the connection of the (only) call of `model`."""
    call = upstream.wait_call(model)
    assert upstream.wait_for(lambda _: not call.connection.is_open, 5), "the loser's connection stays open"
    return call.connection.closed - moment


@pytest.mark.parametrize("slow, stream", [("hang.a", False), ("hang.a", True), ("stall-0.a", True)])
def test_a_late_first_is_overtaken_and_aborted_at_once(race, upstream, slow, stream):
    gateway = race(slow, "ok.b")
    begin = time.monotonic()
    answer = gateway.chat("g", stream=stream)
    assert answer.status_code == 200 and time.monotonic() - begin < 1 * PATIENCE
    assert answer.headers["x-litellm-model-id"] == "second"
    if stream:
        assert "[DONE]" in answer.text
    second = upstream.wait_call("ok.b")
    assert second.at - begin >= LATE_S
    assert closed_by(upstream, slow, second.at) < ABORT_S
    assert (upstream.count(slow), upstream.count("ok.b")) == (1, 1)
    assert attempts(gateway, "success", 1) == 1 and attempts(gateway, "hedged_away", 1) == 1
    assert (hedges(gateway, "won"), hedges(gateway, "lost")) == (1, 0)
    assert gateway.metric("litellm_deployment_failure_responses_total") == 0
    assert gateway.metric("litellm_proxy_total_requests_metric_total") == 1


@pytest.mark.parametrize("stream", [False, True])
def test_the_first_may_still_win(race, upstream, stream):
    gateway = race("delay-400.a", "hang.b")
    answer = gateway.chat("g", stream=stream)
    assert answer.status_code == 200 and answer.headers["x-litellm-model-id"] == "first"
    assert closed_by(upstream, "hang.b", upstream.wait_call("delay-400.a").at + 0.4) < ABORT_S
    assert attempts(gateway, "success", 1) == 1 and attempts(gateway, "hedged_away", 1) == 1
    assert (hedges(gateway, "won"), hedges(gateway, "lost")) == (0, 1)


def test_a_quick_first_runs_alone(race, upstream):
    gateway = race("ok.a", "ok.b")
    for _ in range(5):
        assert gateway.chat("g").status_code == 200
    assert upstream.count("ok.b") == 0 and hedges(gateway, "won") + hedges(gateway, "lost") == 0


def test_the_slots_come_back(race, upstream):
    gateway = race("hang.a", "ok.b", first_row={"max_parallel_requests": 1})
    for n in range(1, 6):
        assert gateway.chat("g").status_code == 200
        assert upstream.count("hang.a") == n, "the first row's slot was not given back"


def test_the_cost_cap_holds(race, upstream):
    gateway = race("delay-300.a", "ok.b", settings={"hedge_cost_cap": 0, "hedge_burst": 2})
    for _ in range(5):
        assert gateway.chat("g").status_code == 200
    assert upstream.count("ok.b") == 2
    assert hedges(gateway, "won") == 2 and hedges(gateway, "refused_by_cap") == 3


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_ends_both(race, upstream, stream):
    gateway = race("hang.a", "hang.b")
    raw = Raw(gateway.port).send(request(gateway.key, chat_body("g", stream=stream)))
    upstream.wait_call("hang.b")
    left_at = time.monotonic()
    raw.sock.close()
    assert closed_by(upstream, "hang.a", left_at) < ABORT_S
    assert closed_by(upstream, "hang.b", left_at) < ABORT_S
    assert attempts(gateway, "cancelled", 2) == 2
    assert gateway.metric("litellm_proxy_failed_requests_metric_total", exception_status="499") == 1
    assert gateway.wait_metric(1, "litellm_in_flight_requests") == 1  # the scrape itself


def test_the_second_goes_on_as_the_retry_of_a_first_that_fails(race, upstream):
    gateway = race("hang.a", "delay-600.b", first_row={"timeout": 0.3})
    answer = gateway.chat("g")
    assert answer.status_code == 200 and answer.headers["x-litellm-model-id"] == "second"
    assert (upstream.count("hang.a"), upstream.count("delay-600.b")) == (1, 1)
    assert attempts(gateway, "timeout", 1) == 1 and attempts(gateway, "success", 1) == 1
    assert hedges(gateway, "won") == 1


def test_both_fail_then_the_fallback_answers(race, upstream):
    gateway = race("hang.a", "status-500.b", first_row={"timeout": 0.4}, rows=[row("f", "openai/ok.f", upstream.v1)],
                   litellm={"fallbacks": [{"g": ["f"]}]})
    answer = gateway.chat("g")
    assert answer.status_code == 200 and answer.headers["x-litellm-attempted-fallbacks"] == "1"
    assert [upstream.count(m) for m in ("hang.a", "status-500.b", "ok.f")] == [1, 1, 1]
    assert attempts(gateway, "timeout", 1) == 1 and attempts(gateway, "error", 1) == 1
    assert hedges(gateway, "lost") == 1


def test_an_overtaking_stream_that_breaks_is_continued(race, upstream):
    gateway = race("hang.a", "words-6-cut-3.b", rows=[row("f", "openai/words-6.f", upstream.v1, info={"supports_assistant_prefill": True})],
                   litellm={"fallbacks": [{"g": ["f"]}]},
                   settings={"enable_mid_stream_fallback_continuation": True})
    text = gateway.chat("g", stream=True).text
    assert all(text.count(f'"w{i} "') == 1 for i in range(6)), text
    assert text.rstrip().endswith("[DONE]")


def test_the_response_cache_keeps_what_the_winner_said(race, upstream):
    gateway = race("hang.a", "ok.b", litellm={"cache": True, "cache_params": {"type": "local"}})
    first = gateway.chat("g")
    second = gateway.chat("g")
    assert first.status_code == second.status_code == 200
    assert first.json()["choices"] == second.json()["choices"]
    assert upstream.count("ok.b") == 1


def test_it_is_off_by_default(race, upstream):
    gateway = race("delay-500.a", "ok.b", settings={"hedging": False})
    assert gateway.chat("g").headers["x-litellm-model-id"] == "first"
    assert upstream.count("ok.b") == 0
