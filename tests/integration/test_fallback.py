"""What happens when an upstream fails: the next tier answers, rows cool down, attempts are counted."""
import json
import time

import pytest

from gateway import PATIENCE, free_port, row

# What tier one does -> (behaviour of its model, status when nothing helps)
FAILURES = {
    "400": ("status-400.t1", 400), "401": ("status-401.t1", 401), "404": ("status-404.t1", 404),
    "408": ("status-408.t1", 408), "429": ("status-429.t1", 429), "500": ("status-500.t1", 500),
    "503": ("status-503.t1", 503), "refused": (None, 500), "reset": ("reset.t1", 500), "close": ("close.t1", 500),
    "hang": ("hang.t1", 408), "garbage": ("garbage.t1", 500), "empty": ("empty.t1", 500), "cut": ("cut.t1", 500)}


def tier_one(name, upstream):
    model, _ = FAILURES[name]
    base = upstream.v1 if model else f"http://127.0.0.1:{free_port()}/v1"
    return row("tier1", f"openai/{model or 'ok.never'}", base, {"id": "id-tier1"}, timeout=0.5 * PATIENCE)


def settings(**router):
    return {"model_list": [], "litellm_settings": {"callbacks": ["prometheus"], "num_retries": 0},
            "router_settings": {"fallbacks": [{"tier1": ["tier2", "tier3"]}], **router}}


def text_of(answer, stream):
    if not stream:
        return answer.json()["choices"][0]["message"]["content"]
    events = [line[6:] for line in answer.text.split("\n") if line.startswith("data: ")]
    assert events[-1] == "[DONE]"
    chunks = [json.loads(e) for e in events[:-1]]
    assert not any("error" in c for c in chunks), chunks
    return "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks if c.get("choices"))


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("failure", FAILURES)
def test_second_tier_answers(gateway_factory, upstream, ollama_server, failure, stream):
    config = settings()
    config["model_list"] = [tier_one(failure, upstream),
                            row("tier2", "ollama_chat/ok.t2", ollama_server.base, {"id": "id-tier2"}),
                            row("tier3", "openai/ok.t3", upstream.v1, {"id": "id-tier3"})]
    gateway = gateway_factory(config)
    answer = gateway.chat("tier1", stream=stream)
    assert answer.status_code == 200, answer.text
    assert text_of(answer, stream).strip() == "Hello from ok.t2"
    assert answer.headers["x-litellm-model-id"] == "id-tier2"
    assert answer.headers["x-litellm-model-group"] == "tier2"
    assert answer.headers["x-litellm-attempted-fallbacks"] == "1"
    assert upstream.count(FAILURES[failure][0]) == (0 if failure == "refused" else 1)
    assert (ollama_server.count("ok.t2"), upstream.count("ok.t3")) == (1, 0)
    name = "litellm_deployment_successful_fallbacks_total"
    assert gateway.wait_metric(1, name, requested_model="tier1", fallback_model="tier2") == 1


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("failure", FAILURES)
def test_when_all_tiers_fail_the_first_error_is_told(gateway_factory, upstream, ollama_server, failure, stream):
    config = settings(disable_cooldowns=True)
    config["model_list"] = [tier_one(failure, upstream),
                            row("tier2", "ollama_chat/status-500.t2", ollama_server.base),
                            row("tier3", "openai/status-418.t3", upstream.v1)]
    answer = gateway_factory(config).chat("tier1", stream=stream)
    assert answer.status_code == FAILURES[failure][1], answer.text
    assert answer.json()["error"]["code"] == str(FAILURES[failure][1])
    assert (ollama_server.count("status-500.t2"), upstream.count("status-418.t3")) == (1, 1)


@pytest.fixture
def third_tier_answer(gateway_factory, upstream):
    config = settings()
    config["model_list"] = [row("tier1", "openai/status-500.t1", upstream.v1), row("tier2", "openai/reset.t2", upstream.v1),
                            row("tier3", "openai/ok.t3", upstream.v1)]
    return gateway_factory(config).chat("tier1")


def test_third_tier_answers_when_two_fail(third_tier_answer, upstream):
    assert text_of(third_tier_answer, False) == "Hello from ok.t3"
    assert third_tier_answer.headers["x-litellm-model-group"] == "tier3"
    assert [c.model for c in upstream.calls] == ["status-500.t1", "reset.t2", "ok.t3"]


def test_header_says_that_a_fallback_answered_not_how_many(third_tier_answer):
    """As the reference, whose outermost hop overwrites the count (docs/compat.md)."""
    assert third_tier_answer.headers["x-litellm-attempted-fallbacks"] == "1"


def test_cut_after_content_is_an_error_event_not_a_fallback(gateway_factory, upstream):
    config = settings()
    config["model_list"] = [row("tier1", "openai/midcut.t1", upstream.v1), row("tier2", "openai/ok.t2", upstream.v1),
                            row("tier3", "openai/ok.t3", upstream.v1)]
    answer = gateway_factory(config).chat("tier1", stream=True)
    events = [line[6:] for line in answer.text.split("\n") if line.startswith("data: ")]
    assert answer.status_code == 200
    assert json.loads(events[-2])["error"]["code"] == "500"
    assert events[-1] == "[DONE]"
    assert upstream.count("ok.t2") == 0


def test_request_can_switch_fallbacks_off(gateway_factory, upstream):
    config = settings()
    config["model_list"] = [row("tier1", "openai/status-503.t1", upstream.v1), row("tier2", "openai/ok.t2", upstream.v1),
                            row("tier3", "openai/ok.t3", upstream.v1)]
    assert gateway_factory(config).chat("tier1", disable_fallbacks=True).status_code == 503
    assert [c.model for c in upstream.calls] == ["status-503.t1"]


def test_row_of_a_pair_is_left_alone_after_429(gateway_factory, upstream):
    config = {"model_list": [row("pair", "openai/status-429.a", upstream.v1), row("pair", "openai/ok.b", upstream.v1)],
              "router_settings": {"num_retries": 0, "cooldown_time": 60}}
    gateway = gateway_factory(config)
    codes = [gateway.chat("pair").status_code for _ in range(30)]
    assert upstream.count("status-429.a") <= 1
    assert codes.count(200) == upstream.count("ok.b") >= 29


def test_cooldown_ends_after_its_time(gateway_factory, upstream):
    config = {"model_list": [row("pair", "openai/status-429.a", upstream.v1), row("pair", "openai/status-429.b", upstream.v1)],
              "router_settings": {"num_retries": 0, "cooldown_time": 1}}
    gateway = gateway_factory(config)
    codes = {gateway.chat("pair").status_code for _ in range(6)}
    assert codes == {429}
    assert len(upstream.calls) == 2  # one each, then both are cooling down
    refused = gateway.chat("pair")
    assert refused.json()["error"]["type"] == "all_deployments_in_cooldown"
    assert refused.headers["retry-after"] == "1"
    time.sleep(1.1)
    gateway.chat("pair")
    assert len(upstream.calls) == 3


def test_single_row_is_not_cooled_by_429(gateway_factory, upstream):
    config = {"model_list": [row("solo", "openai/status-429.s", upstream.v1)], "router_settings": {"num_retries": 0}}
    gateway = gateway_factory(config)
    assert [gateway.chat("solo").status_code for _ in range(3)] == [429] * 3
    assert upstream.count("status-429.s") == 3


@pytest.mark.parametrize("code, attempts", [(500, 3), (503, 3), (408, 3), (429, 3), (400, 1), (401, 1), (404, 1)])
def test_retries_depend_on_the_error(gateway_factory, upstream, code, attempts):
    config = {"model_list": [row("solo", f"openai/status-{code}.s", upstream.v1)],
              "router_settings": {"num_retries": 2, "disable_cooldowns": True}}
    gateway = gateway_factory(config)
    started = time.monotonic()
    assert gateway.chat("solo").status_code == code
    took = time.monotonic() - started
    assert upstream.count(f"status-{code}.s") == attempts
    # Pauses of .5-1.25 s and 1-1.75 s between three attempts, none after the last.
    assert took < 3.5 * PATIENCE
    assert took > 1.4 if attempts == 3 else took < 0.5 * PATIENCE


def test_retry_honours_retry_after(gateway_factory, upstream):
    config = {"model_list": [row("solo", "openai/status-429-after-2.s", upstream.v1)], "router_settings": {"num_retries": 1}}
    gateway_factory(config).chat("solo")
    first, second = upstream.calls
    assert 1.95 < second.at - first.at < 2.9 * PATIENCE


def test_request_can_set_its_retries(gateway_factory, upstream):
    config = {"model_list": [row("pair", "openai/status-500.a", upstream.v1), row("pair", "openai/status-500.b", upstream.v1)],
              "router_settings": {"num_retries": 0, "disable_cooldowns": True}}
    gateway = gateway_factory(config)
    gateway.chat("pair", num_retries=2)
    assert len(upstream.calls) == 3
    gateway.chat("pair", headers={"x-litellm-num-retries": "1"})
    assert len(upstream.calls) == 5
    answer = gateway.chat("pair", fallbacks=["none-such"])
    assert answer.status_code == 500


def test_tier_recovers_when_its_server_comes_back(gateway_factory, upstream, upstream_factory):
    port = free_port()
    config = settings(disable_cooldowns=True)
    config["model_list"] = [row("tier1", "openai/ok.t1", f"http://127.0.0.1:{port}/v1"),
                            row("tier2", "openai/ok.t2", upstream.v1), row("tier3", "openai/ok.t3", upstream.v1)]
    gateway = gateway_factory(config)
    assert text_of(gateway.chat("tier1"), False) == "Hello from ok.t2"
    upstream_factory(port=port)
    assert text_of(gateway.chat("tier1"), False) == "Hello from ok.t1"


def test_stale_pooled_connection_is_not_a_failure(gateway_factory, upstream):
    """A keep-alive connection that the upstream closed between two requests costs nothing."""
    config = {"model_list": [row("solo", "openai/ok.s", upstream.v1)], "router_settings": {"num_retries": 0}}
    gateway = gateway_factory(config)
    for _ in range(5):
        assert gateway.chat("solo").status_code == 200
        upstream.close_idle()
    assert upstream.count("ok.s") == 5


@pytest.mark.parametrize("path, body", [
    ("/v1/messages", {"max_tokens": 50, "system": "s", "messages": [{"role": "user", "content": "hi"}]}),
    ("/v1/completions", {"prompt": "hi"}),
])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("provider", ["openai", "hosted_vllm", "ollama", "ollama_chat"])
def test_every_schema_reaches_every_upstream(gateway_factory, upstream, provider, path, body, stream):
    """A request that is wrapped in another schema is spliced by its own members, not the client's."""
    base = upstream.base if provider.startswith("ollama") else upstream.v1
    gateway = gateway_factory({"model_list": [row("g", f"{provider}/ok", base)]})
    answer = gateway.post(path, {"model": "g", "stream": stream, **body})
    assert answer.status_code == 200, answer.text
    assert "Hello" in answer.text
