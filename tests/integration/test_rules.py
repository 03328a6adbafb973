"""Rules that decide before a call: tags, prompt length, mock answers and pretended failures."""
import json

import pytest

from gateway import PATIENCE, row

DOWN = "http://127.0.0.1:9/v1"  # discard: a call there would fail


def settings(rows, general=None, **router):
    return {"model_list": rows, "litellm_settings": {"callbacks": ["prometheus"]},
            "general_settings": general or {}, "router_settings": {"num_retries": 0, **router}}


def events_of(answer):
    return [line[6:] for line in answer.text.split("\n") if line.startswith("data: ")]


# ------------------------------------------------------------------ mock_response
@pytest.mark.parametrize("model", ["openai/m", "ollama_chat/m", "anthropic/m"])
def test_mock_response_answers_without_an_upstream(gateway_factory, model):
    gateway = gateway_factory(settings([row("m", model, DOWN, api_key="k", mock_response='so "it" is')]))
    answer = gateway.chat("m")
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["choices"][0]["message"] == {"role": "assistant", "content": 'so "it" is'}
    assert body["choices"][0]["finish_reason"] == "stop"
    usage = body["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) == (10, 20, 30)
    assert body["model"] == "m"
    assert answer.headers["x-litellm-model-group"] == "m"

    stream = gateway.chat("m", stream=True, stream_options={"include_usage": True})
    events = events_of(stream)
    assert events[-1] == "[DONE]"
    chunks = [json.loads(e) for e in events[:-1]]
    text = "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks if c["choices"])
    assert text == 'so "it" is'
    assert chunks[-1]["usage"]["total_tokens"] == 30
    assert gateway.wait_metric(60, "litellm_total_tokens_metric_total") == 60


def test_mock_response_on_the_other_endpoints(gateway_factory):
    gateway = gateway_factory(settings([row("m", "openai/m", DOWN, mock_response="yes"),
                                        row("e", "openai/e", DOWN, mock_response=[0.5, 1.5])]))
    message = gateway.post("/v1/messages", {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "q"}]})
    assert message.json()["content"][0]["text"] == "yes", message.text
    completion = gateway.post("/v1/completions", {"model": "m", "prompt": "q"})
    assert completion.json()["choices"][0]["text"] == "yes", completion.text
    stream = gateway.post("/v1/completions", {"model": "m", "prompt": "q", "stream": True})
    assert json.loads(events_of(stream)[0])["choices"][0]["text"] == "yes", stream.text
    embedding = gateway.post("/v1/embeddings", {"model": "e", "input": "q"})
    assert embedding.json()["data"][0]["embedding"] == [0.5, 1.5], embedding.text


@pytest.mark.parametrize("name,status", [("RateLimitError", 429), ("InternalServerError", 500),
                                         ("ContextWindowExceededError", 400), ("ContentPolicyViolationError", 400)])
def test_mock_response_may_name_an_error(gateway_factory, upstream, name, status):
    lists = {"fallbacks": [{"b": ["ok"]}], "context_window_fallbacks": [{"b": ["ok"]}],
             "content_policy_fallbacks": [{"b": ["ok"]}]}
    gateway = gateway_factory(settings([row("a", "openai/a", DOWN, mock_response=f"litellm.{name}"),
                                        row("b", "openai/b", DOWN, mock_response=f"litellm.{name}"),
                                        row("ok", "openai/ok", upstream.v1)], **lists))
    answer = gateway.chat("a")
    assert answer.status_code == status
    assert answer.json()["error"]["message"].startswith(f"litellm.{name}: this is a mock ")
    answer = gateway.chat("b")
    assert (answer.status_code, answer.headers["x-litellm-model-group"]) == (200, "ok")


def test_mock_response_of_the_client_is_ignored(gateway_factory, upstream):
    gateway = gateway_factory(settings([row("ok", "openai/ok", upstream.v1)]))
    assert gateway.chat("ok", mock_response="no").json()["choices"][0]["message"]["content"] != "no"
    assert "mock_response" not in upstream.wait_call("ok").body


# ------------------------------------------------------------------ pretended failures
ALLOWED = {"dangerously_allow_mock_testing_request_params": True}


@pytest.mark.parametrize("param,group", [("mock_testing_fallbacks", "f"), ("mock_testing_context_fallbacks", "c"),
                                         ("mock_testing_content_policy_fallbacks", "p"),
                                         ("mock_testing_rate_limit_error", "ok")])
def test_pretended_failures_take_the_way_of_real_ones(gateway_factory, upstream, param, group):
    rows = [row(name, "openai/ok", upstream.v1) for name in ("ok", "f", "c", "p")]
    lists = {"fallbacks": [{"ok": ["f"]}], "context_window_fallbacks": [{"ok": ["c"]}],
             "content_policy_fallbacks": [{"ok": ["p"]}], "num_retries": 1}
    gateway = gateway_factory(settings(rows, general=ALLOWED, **lists))
    answer = gateway.chat("ok", **{param: True})
    assert (answer.status_code, answer.headers["x-litellm-model-group"]) == (200, group), answer.text
    assert upstream.count("ok") == 1

    refused = gateway_factory(settings(rows)).chat("ok", **{param: True})
    assert refused.status_code == 400
    assert param in refused.json()["error"]["message"]


def test_mock_timeout_waits_and_fails_every_attempt(gateway_factory, upstream):
    gateway = gateway_factory(settings([row("ok", "openai/ok", upstream.v1)], general=ALLOWED))
    answer = gateway.chat("ok", mock_timeout=True, timeout=0.2)
    assert answer.status_code == 408
    assert "This is a mock timeout error" in answer.json()["error"]["message"]
    assert upstream.count("ok") == 0
    assert answer.elapsed.total_seconds() >= 0.2


# ------------------------------------------------------------------ filters
def test_tags_and_user_agent_choose_the_row(gateway_factory, upstream):
    rows = [row("g", "openai/ok.code", upstream.v1, tag_regex=["^User-Agent: claude-code/"]),
            row("g", "openai/ok.paid", upstream.v1, tags=["paid"]),
            row("g", "openai/ok.rest", upstream.v1, tags=["default"])]
    gateway = gateway_factory(settings(rows, enable_tag_filtering=True))
    for _ in range(5):
        gateway.chat("g", metadata={"tags": ["paid"]})
        gateway.chat("g")
        gateway.chat("g", headers={"User-Agent": "claude-code/2.1"})
    assert [upstream.count(f"ok.{name}") for name in ("code", "paid", "rest")] == [5, 5, 5]


def test_a_prompt_that_fits_nowhere_is_not_sent(gateway_factory, upstream):
    rows = [row("small", "openai/ok.small", upstream.v1, {"max_input_tokens": 50}),
            row("large", "openai/ok.large", upstream.v1, {"max_input_tokens": 5000}),
            row("alone", "openai/ok.alone", upstream.v1, {"max_input_tokens": 50})]
    gateway = gateway_factory(settings(rows, enable_pre_call_checks=True,
                                       context_window_fallbacks=[{"small": ["large"]}]))
    long = [{"role": "user", "content": "word " * 300}]
    answer = gateway.post("/v1/chat/completions", {"model": "small", "messages": long})
    assert answer.headers["x-litellm-model-group"] == "large", answer.text
    answer = gateway.post("/v1/chat/completions", {"model": "alone", "messages": long})
    assert answer.status_code == 400
    assert "Context Window exceeded for given call" in answer.json()["error"]["message"]
    assert [upstream.count(f"ok.{name}") for name in ("small", "large", "alone")] == [0, 1, 0]
    assert gateway.chat("alone").status_code == 200


def test_a_request_may_wait_for_the_end_of_a_cooldown(gateway_factory, upstream):
    gateway = gateway_factory(settings([row("g", "openai/status-401.x", upstream.v1)], cooldown_time=1 * PATIENCE,
                                       cooldown_wait_max=10 * PATIENCE))
    assert gateway.chat("g").status_code == 401
    answer = gateway.chat("g")
    assert answer.status_code == 401, "called again, not 429"
    assert upstream.count("status-401.x") == 2
