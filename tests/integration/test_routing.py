"""What the router decides, seen from outside: mock answers, tags, windows, mirrors, explanations."""
import json
import subprocess

import pytest

from gateway import BINARY, PATIENCE, row
from test_fallback import text_of


def config(rows, general=None, litellm=None, **router):
    return {"model_list": rows, "general_settings": general or {}, "litellm_settings": litellm or {},
            "router_settings": {"num_retries": 0, **router}}


# ------------------------------------------------------------------ mock_response
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_mock_response_answers_without_an_upstream(gateway_factory, upstream, stream):
    gateway = gateway_factory(config([row("m", "openai/ok.m", upstream.v1, mock_response="Grüße aus der Attrappe")]))
    answer = gateway.chat("m", stream=stream)
    assert answer.status_code == 200, answer.text
    assert text_of(answer, stream) == "Grüße aus der Attrappe"
    assert upstream.count("ok.m") == 0
    if not stream:
        usage = answer.json()["usage"]
        assert (usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]) == (10, 20, 30)
        assert answer.json()["model"] == "m"


def test_mock_response_speaks_every_endpoint(gateway_factory, upstream):
    gateway = gateway_factory(config([row("m", "openai/ok.m", upstream.v1, mock_response="hello")]))
    assert gateway.post("/v1/completions", {"model": "m", "prompt": "x"}).json()["choices"][0]["text"] == "hello"
    message = gateway.post("/v1/messages", {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "x"}]})
    assert message.json()["content"][0]["text"] == "hello"
    assert gateway.post("/v1/embeddings", {"model": "m", "input": "x"}).status_code == 200


@pytest.mark.parametrize("name,status", [("RateLimitError", 429), ("InternalServerError", 500),
                                         ("ContextWindowExceededError", 400), ("ContentPolicyViolationError", 400)])
def test_mock_errors_fail_like_the_real_ones(gateway_factory, upstream, name, status):
    gateway = gateway_factory(config([row("m", "openai/ok.m", upstream.v1, mock_response=f"litellm.{name}"),
                                      row("f", "openai/ok.f", upstream.v1)], fallbacks=[{"m": ["f"]}]))
    assert gateway.chat("m").status_code == 200
    answer = gateway.chat("m", disable_fallbacks=True)
    assert answer.status_code == status
    assert name in answer.json()["error"]["message"] or status == 429
    assert upstream.count("ok.m") == 0


# ------------------------------------------------------------------ guarded parameters
def test_mock_testing_parameters_are_refused_unless_allowed(gateway_factory, upstream):
    rows = [row("m", "openai/ok.m", upstream.v1), row("f", "openai/ok.f", upstream.v1)]
    answer = gateway_factory(config(rows, fallbacks=[{"m": ["f"]}])).chat("m", mock_testing_fallbacks=True)
    assert answer.status_code == 400
    assert "Mock testing request params are disabled on this proxy: mock_testing_fallbacks" in answer.text
    assert upstream.count("ok.m") == 0


@pytest.fixture
def mock_gateway(gateway_factory, upstream):
    rows = [row(m, f"openai/ok.{m}", upstream.v1) for m in ("m", "f", "window")]
    return gateway_factory(config(rows, general={"dangerously_allow_mock_testing_request_params": True},
                                  fallbacks=[{"m": ["f"]}], context_window_fallbacks=[{"m": ["window"]}]))


def test_mock_testing_parameters_lead_to_their_list(mock_gateway, upstream):
    assert text_of(mock_gateway.chat("m", mock_testing_fallbacks=True), False) == "Hello from ok.f"
    assert text_of(mock_gateway.chat("m", mock_testing_context_fallbacks=True), False) == "Hello from ok.window"
    assert upstream.count("ok.m") == 0
    assert mock_gateway.chat("m", mock_testing_rate_limit_error=True, num_retries=1).status_code == 200
    assert upstream.count("ok.m") == 1


def test_mock_timeout_takes_the_timeout(mock_gateway, upstream):
    answer = mock_gateway.chat("m", mock_timeout=True, timeout=0.3, disable_fallbacks=True)
    assert answer.status_code == 408
    assert "This is a mock timeout error" in answer.json()["error"]["message"]
    assert 0.3 <= answer.elapsed.total_seconds() < 0.3 + 2 * PATIENCE
    assert upstream.count("ok.m") == 0


# ------------------------------------------------------------------ tags, windows, parameters
def test_tags_and_user_agents_choose_the_row(gateway_factory, upstream):
    rows = [row("g", "openai/ok.paid", upstream.v1, tags=["paid"]),
            row("g", "openai/ok.code", upstream.v1, tag_regex=["^User-Agent: claude-code/"]),
            row("g", "openai/ok.base", upstream.v1, tags=["default"])]
    gateway = gateway_factory(config(rows, enable_tag_filtering=True))
    assert text_of(gateway.chat("g", metadata={"tags": ["paid"]}), False) == "Hello from ok.paid"
    assert text_of(gateway.chat("g", headers={"x-litellm-tags": "x, paid"}), False) == "Hello from ok.paid"
    assert text_of(gateway.chat("g", headers={"User-Agent": "claude-code/2.0"}), False) == "Hello from ok.code"
    assert text_of(gateway.chat("g"), False) == "Hello from ok.base"
    assert gateway.chat("g", metadata={"tags": ["&nobody"]}).status_code == 401


def test_prompt_that_is_too_long_takes_the_context_window_fallback(gateway_factory, upstream):
    rows = [row("g", "openai/ok.small", upstream.v1, {"max_input_tokens": 100}), row("big", "openai/ok.big", upstream.v1)]
    gateway = gateway_factory(config(rows, enable_pre_call_checks=True, context_window_fallbacks=[{"g": ["big"]}]))
    long = [{"role": "user", "content": "word " * 400}]
    assert text_of(gateway.chat("g"), False) == "Hello from ok.small"
    assert text_of(gateway.chat("g", messages=long), False) == "Hello from ok.big"
    refused = gateway.chat("g", messages=long, disable_fallbacks=True)
    assert refused.status_code == 400
    assert "litellm._pre_call_checks: Context Window exceeded for given call" in refused.json()["error"]["message"]
    assert upstream.count("ok.small") == 1


def test_priority_is_an_order_to_us_and_stays_here(gateway_factory, upstream):
    gateway = gateway_factory(config([row("g", "openai/echo.g", upstream.v1)]))
    answer = gateway.chat("g", priority=2, allowed_model_region="eu")
    assert answer.status_code == 200
    assert "priority" not in answer.text and "allowed_model_region" not in answer.text


def test_probes_that_fail_take_a_row_out(gateway_factory, upstream):
    rows = [row("g", "openai/ok.well", upstream.v1, {"id": "well"}),
            row("g", "openai/ok.ill", upstream.v1, {"id": "ill", "health_check_model": "status-500.probe"})]
    gateway = gateway_factory(config(
        rows, general={"background_health_checks": True, "health_check_interval": 5,
                       "enable_health_check_routing": True}))
    upstream.wait_call("status-500.probe")
    upstream.wait_for(lambda _: gateway.get("/health").json().get("unhealthy_count") == 1)
    assert {gateway.chat("g").headers["x-litellm-model-id"] for _ in range(20)} == {"well"}


# ------------------------------------------------------------------ mirrors
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_silent_model_gets_a_copy_that_changes_nothing(gateway_factory, upstream, stream):
    rows = [row("g", "openai/ok.g", upstream.v1, silent_model="shadow"),
            row("shadow", "openai/status-500.shadow", upstream.v1)]
    answer = gateway_factory(config(rows)).chat("g", stream=stream)
    assert text_of(answer, stream).strip() == "Hello from ok.g"
    upstream.wait_call("status-500.shadow")
    assert upstream.count("status-500.shadow") == 1


# ------------------------------------------------------------------ explanations
def explain_rows(upstream):
    return [row("g", "openai/status-429.a", upstream.v1, {"id": "a"}), row("g", "openai/ok.b", upstream.v1, {"id": "b"}),
            row("f", "openai/ok.f", upstream.v1, {"id": "f"})]


def test_explain_endpoint_uses_the_live_state_and_changes_nothing(gateway_factory, upstream):
    gateway = gateway_factory(config(explain_rows(upstream), cooldown_time=60, fallbacks=[{"g": ["f"]}]))
    for _ in range(20):  # until a was called and is taken out
        gateway.chat("g")
    before = len(upstream.calls_of("ok.b"))
    answer = gateway.post("/router/explain", {"model": "g", "fail": {"b": 503}})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    cooled = [s for s in told["steps"] if s["step"] == "filter" and s["text"] == "cooldown"]
    assert cooled and cooled[0]["rows"][0]["id"] == "a" and "cools down for" in cooled[0]["rows"][0]["why"]
    assert (told["status"], told["deployment"]) == (200, "f")
    assert len(upstream.calls_of("ok.b")) == before
    assert gateway.chat("g").headers["x-litellm-model-id"] == "b"


def test_explain_endpoint_needs_the_key_and_a_question(gateway_factory, upstream):
    gateway = gateway_factory(config(explain_rows(upstream), general={"public_routes": ["/*"]}))
    assert gateway.post("/router/explain", {"model": "g"}, headers={"Authorization": "Bearer sk-no"}).status_code == 401
    assert gateway.post("/router/explain", {}).status_code == 400
    assert gateway.post("/router/explain", {"model": "g", "fail": {"a": "perhaps"}}).status_code == 400
    assert gateway.post("/router/explain", {"model": "nowhere"}).json()["status"] == 400


def test_explain_command(tmp_path, upstream):
    file = tmp_path / "config.yaml"
    file.write_text(json.dumps(config(explain_rows(upstream), general={"dangerously_permit_weak_or_unset_master_key": True},
                                      fallbacks=[{"g": ["f"]}])))

    def run(*arguments):
        return subprocess.run([BINARY, "explain", "--config", file, "--model", "g", *arguments], capture_output=True, text=True)

    told = run("--fail", "g=503", "--seed", "7")
    assert told.returncode == 0, told.stderr
    for part in ("resolve   g: a model group", "outcome   g: 503 ServiceUnavailableError", "fallback  g: -> f", "200 from f"):
        assert part in told.stdout
    assert told.stdout.split("resolve")[0] == run("--fail", "g=503", "--seed", "7").stdout.split("resolve")[0]
    assert json.loads(run("--json", "--fail", "a=429", "--fail", "b=500").stdout)["deployment"] == "f"
    assert run("--fail", "g=perhaps").returncode == 2


def test_the_model_of_a_wildcard_row_becomes_one_short_header_line(gateway_factory, upstream):
    gateway = gateway_factory({"model_list": [row("any/*", "openai/ok.*", upstream.v1)]})
    answer = gateway.chat("any/a\r\nx-injected: 1\r\n\r\nbody")
    assert answer.status_code == 200 and "x-injected" not in answer.headers
    assert answer.headers["x-litellm-model-group"] == "any/a  x-injected: 1    body"
    answer = gateway.chat("any/" + "m" * 1_000_000)
    assert answer.status_code == 200 and len(answer.headers["x-litellm-model-group"]) == 1024
