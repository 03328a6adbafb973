"""A stream that breaks off after content goes on elsewhere: the text is the reference text, or the error is clean."""
import json
import time

import pytest

from gateway import row

WORDS = 5
TEXT = "".join(f"w{i} " for i in range(WORDS))
FAULTS = ["cut", "reset", "stall", "error", "garbage"]


def events_of(answer):
    out = []
    for line in answer.iter_lines():
        if line.startswith(b"data: ") and line != b"data: [DONE]":
            out.append(json.loads(line[6:]))
        elif line == b"data: [DONE]":
            out.append("DONE")
    return out


def text_of(events):
    text = ""
    for event in events:
        for choice in event.get("choices", []) if isinstance(event, dict) else []:
            text += choice.get("text") or (choice.get("delta") or {}).get("content") or ""
    return text


def errors_of(events):
    return [e for e in events if isinstance(e, dict) and "error" in e]


def gateway_of(gateway_factory, upstream, first, second, continued=True, **router):
    """Group `g` = [first], falling back to `f` = [second]; rows as (model, extra params, model_info)."""
    def entry(name, spec):
        model, params, info = spec
        base = upstream.base if model.startswith("ollama") else upstream.v1
        return row(name, model, base, info=info, **params)
    return gateway_factory({
        "model_list": [entry("g", first), entry("f", second)],
        "litellm_settings": {"callbacks": ["prometheus"]},
        "router_settings": {"num_retries": 0, "fallbacks": [{"g": ["f"]}], "stream_timeout": 1,
                            "enable_mid_stream_fallback_continuation": continued, **router}})


def stream_chat(gateway, model="g", **body):
    answer = gateway.chat(model, http_stream=True, stream=True, **body)
    assert answer.status_code == 200, answer.text
    return events_of(answer)


def vllm(model):
    return (f"hosted_vllm/{model}", {}, None)


@pytest.mark.parametrize("second", ["hosted_vllm", "ollama_chat"])
@pytest.mark.parametrize("first", ["hosted_vllm", "ollama_chat"])
@pytest.mark.parametrize("fault", FAULTS)
def test_text_is_whole_at_every_position(gateway_factory, upstream, first, second, fault):
    rows = [row(f"g{k}", f"{first}/words-{WORDS}-{fault}-{k}", upstream.base if "ollama" in first else upstream.v1)
            for k in range(WORDS + 1)]
    gateway = gateway_factory({
        "model_list": rows + [row("f", f"{second}/words-{WORDS}", upstream.base if "ollama" in second else upstream.v1)],
        "litellm_settings": {"callbacks": ["prometheus"], "default_fallbacks": ["f"]},
        "router_settings": {"num_retries": 0, "stream_timeout": 0.3, "enable_mid_stream_fallback_continuation": True}})
    for k in range(WORDS + 1):
        events = stream_chat(gateway, f"g{k}")
        assert text_of(events) == TEXT, (k, events)
        assert errors_of(events) == []
        assert events[-1] == "DONE" and events.count("DONE") == 1
        assert len({e["id"] for e in events[:-1]}) == 1, "one stream has one id"
        roles = [c["delta"].get("role") for e in events[:-1] for c in e["choices"] if c.get("delta", {}).get("role")]
        assert len(roles) <= 1
        finishes = [c["finish_reason"] for e in events[:-1] for c in e["choices"] if c.get("finish_reason")]
        assert finishes == ["stop"]
    assert gateway.wait_metric(0, "litellm_gw_active_streams") == 0


def test_same_group_is_asked_before_the_fallbacks(gateway_factory, upstream):
    config = {"model_list": [row("g", f"hosted_vllm/words-{WORDS}-cut-2", upstream.v1, order=1),
                             row("g", f"hosted_vllm/words-{WORDS}", upstream.v1, order=2)],
              "router_settings": {"num_retries": 0, "enable_mid_stream_fallback_continuation": True}}
    gateway = gateway_factory(config)
    assert text_of(stream_chat(gateway)) == TEXT


def test_request_that_continues_is_what_vllm_wants(gateway_factory, upstream):
    gateway = gateway_of(gateway_factory, upstream, vllm(f"words-{WORDS}-cut-3"), vllm(f"words-{WORDS}"))
    stream_chat(gateway, max_tokens=100)
    body = upstream.calls_of(f"words-{WORDS}")[0].body
    assert body["messages"] == [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "w0 w1 w2 "}]
    assert body["continue_final_message"] is True and body["add_generation_prompt"] is False
    assert 1 <= body["max_tokens"] < 100


def test_completions_go_on_behind_the_prompt(gateway_factory, upstream):
    gateway = gateway_of(gateway_factory, upstream, (f"openai/words-{WORDS}-reset-2", {}, None), (f"openai/words-{WORDS}", {}, None))
    answer = gateway.post("/v1/completions", {"model": "g", "prompt": "Say: ", "stream": True}, stream=True)
    assert text_of(events_of(answer)) == TEXT
    assert upstream.calls_of(f"words-{WORDS}")[0].body["prompt"] == "Say: w0 w1 "


@pytest.mark.parametrize("why, first, second, continued, body", [
    ("the setting is off", vllm(f"words-{WORDS}-cut-2"), vllm(f"words-{WORDS}"), False, {}),
    ("nobody continues it", vllm(f"words-{WORDS}-cut-2"), (f"openai/words-{WORDS}", {}, None), True, {}),
    ("the next one fails as well", vllm(f"words-{WORDS}-cut-2"), vllm("status-500"), True, {}),
    ("the client forbids fallbacks", vllm(f"words-{WORDS}-cut-2"), vllm(f"words-{WORDS}"), True, {"disable_fallbacks": True}),
    ("several choices", vllm(f"words-{WORDS}-cut-2"), vllm(f"words-{WORDS}"), True, {"n": 2}),
])
def test_otherwise_the_error_is_clean(gateway_factory, upstream, why, first, second, continued, body):
    gateway = gateway_of(gateway_factory, upstream, first, second, continued)
    events = stream_chat(gateway, **body)
    assert text_of(events) == "w0 w1 ", why
    assert len(errors_of(events)) == 1
    assert events[-1] == "DONE"
    assert upstream.count(f"words-{WORDS}") == 0
    assert gateway.wait_metric(1, "litellm_proxy_failed_requests_metric_total") == 1


def test_prefill_fact_makes_an_openai_row_continue(gateway_factory, upstream):
    second = (f"openai/words-{WORDS}", {}, {"supports_assistant_prefill": True})
    gateway = gateway_of(gateway_factory, upstream, vllm(f"words-{WORDS}-cut-2"), second)
    assert text_of(stream_chat(gateway)) == TEXT
    assert "continue_final_message" not in upstream.calls_of(f"words-{WORDS}")[0].body


def test_every_attempt_is_counted_and_billed_once(gateway_factory, upstream):
    price = {"input_cost_per_token": 0.0, "output_cost_per_token": 1.0}
    first, second = vllm(f"words-{WORDS}-cut-3"), vllm(f"words-{WORDS}")
    gateway = gateway_of(gateway_factory, upstream, (first[0], price, None), (second[0], price, None))
    stream_chat(gateway)
    assert gateway.wait_metric(1, "litellm_gw_deployment_attempts_total", outcome="success") == 1
    assert gateway.metric("litellm_gw_deployment_attempts_total") == 2
    assert gateway.metric("litellm_deployment_successful_fallbacks_total") == 1
    assert gateway.metric("litellm_proxy_failed_requests_metric_total") == 0
    # The second attempt reports the two words it wrote; the first one's three are estimated.
    spend = float(gateway.chat("f").headers["x-litellm-key-spend"]) - gateway_cost_of_one(gateway)
    assert spend > 2


def gateway_cost_of_one(gateway):
    return float(gateway.chat("f").headers["x-litellm-response-cost"])


def test_late_first_token_falls_back(gateway_factory, upstream):
    """first_token_timeout: the head comes, the content does not."""
    gateway = gateway_of(gateway_factory, upstream, vllm("stall-0"), vllm("ok"), first_token_timeout=0.3, stream_timeout=60)
    began = time.monotonic()
    events = stream_chat(gateway)
    assert "Hello" in text_of(events)
    assert 0.25 < time.monotonic() - began < 5
    hang = gateway_of(gateway_factory, upstream, vllm("hang"), vllm("ok"), first_token_timeout=0.3, stream_timeout=60)
    assert "Hello" in text_of(stream_chat(hang))
