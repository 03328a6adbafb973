"""Does it work in front of a real engine? llama.cpp's server with a tiny random model as tier one."""
import time

import pytest

from gateway import PATIENCE, ROOT, free_port, row
from rawhttp import Raw, chat_body, request

pytestmark = pytest.mark.slow
MESSAGES = [{"role": "user", "content": "Say something, please."}]


@pytest.fixture(scope="module")
def model():
    for package in ("xllamacpp", "gguf", "numpy"):
        pytest.importorskip(package, reason=f"{package} has no wheel for this machine", exc_type=ImportError)
    import tiny_model
    return tiny_model.write(ROOT / ".cache/tiny-llama-1.gguf")


@pytest.fixture
def engine(model, tmp_path):
    from engine import Engine
    running = Engine(model, free_port(), tmp_path / "engine.log").start()
    yield running
    running.kill()


@pytest.fixture
def gateway(gateway_factory, engine, upstream):
    rows = [row("local", "openai/tiny", engine.base + "/v1", {"id": "id-engine"}),
            row("local-vllm", "hosted_vllm/tiny", engine.base + "/v1", {"id": "id-engine-2"}),
            row("cloud", "openai/ok.cloud", upstream.v1, {"id": "id-cloud"})]
    return gateway_factory({"model_list": rows, "router_settings": {"num_retries": 0, "fallbacks": [{"local": ["cloud"]}]},
                            "litellm_settings": {"callbacks": ["prometheus"]}})


@pytest.mark.parametrize("name", ["local", "local-vllm"])
def test_chat(gateway, sdk, name):
    answer = sdk(gateway).chat.completions.create(model=name, messages=MESSAGES, max_tokens=16,
                                                  extra_body={"ignore_eos": True})
    assert answer.model == name
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage.completion_tokens == 16


def test_stream_with_usage(gateway, sdk):
    chunks = list(sdk(gateway).chat.completions.create(model="local", messages=MESSAGES, max_tokens=32, stream=True,
                                                       stream_options={"include_usage": True},
                                                       extra_body={"ignore_eos": True}))
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert len(text) >= 16
    assert chunks[-1].usage.completion_tokens == 32
    assert gateway.wait_metric(32, "litellm_output_tokens_metric_total", model_id="id-engine") == 32


def test_same_seed_gives_the_same_text_as_the_engine_itself(gateway, engine, sdk):
    import openai
    wish = {"model": "local", "messages": MESSAGES, "max_tokens": 24, "seed": 5, "temperature": 0,
            "extra_body": {"ignore_eos": True}}
    with openai.OpenAI(base_url=engine.base + "/v1", api_key="none") as direct:
        expected = direct.chat.completions.create(**wish).choices[0].message.content
    assert sdk(gateway).chat.completions.create(**wish).choices[0].message.content == expected
    chunks = sdk(gateway).chat.completions.create(**wish, stream=True)
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == expected


def test_completions(gateway, sdk):
    answer = sdk(gateway).completions.create(model="local", prompt="abc", max_tokens=8, extra_body={"ignore_eos": True})
    assert answer.choices[0].text
    assert answer.usage.completion_tokens == 8


def test_engine_error_is_told_or_falls_back(gateway, upstream):
    """A body that the engine refuses (400) goes to the next tier, as every error does."""
    answer = gateway.chat("local", tools=7, max_tokens=4)
    assert answer.status_code == 200
    assert answer.headers["x-litellm-model-id"] == "id-cloud"
    refused = gateway.chat("local-vllm", tools=7, max_tokens=4)
    assert refused.status_code in (400, 500)
    assert refused.json()["error"]["message"]


def wait_until(condition, timeout):
    end = time.monotonic() + timeout
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def test_engine_stops_generating_when_the_client_leaves(gateway, engine):
    with Raw(gateway.port, timeout=30) as raw:
        raw.send(request(gateway.key, chat_body("local", stream=True, max_tokens=60000, ignore_eos=True)))
        assert raw.read_some().startswith(b"HTTP/1.1 200")
        assert engine.metric("llamacpp:requests_processing") == 1
    left = time.monotonic()
    assert wait_until(lambda: engine.metric("llamacpp:requests_processing") == 0, 5 * PATIENCE)
    print(f"\nthe engine is idle {(time.monotonic() - left) * 1000:.0f} ms after the client left")


def test_next_tier_answers_when_the_engine_dies(gateway, engine):
    assert gateway.chat("local", max_tokens=4).headers["x-litellm-model-id"] == "id-engine"
    engine.kill()
    answer = gateway.chat("local", max_tokens=4)
    assert answer.status_code == 200
    assert answer.headers["x-litellm-model-id"] == "id-cloud"
    assert answer.headers["x-litellm-attempted-fallbacks"] == "1"


def test_engine_that_dies_in_mid_stream_ends_the_stream_with_an_error_event(gateway, engine):
    answer = gateway.chat("local", http_stream=True, stream=True, max_tokens=60000, ignore_eos=True)
    parts = answer.iter_content(None)
    text = next(parts)
    engine.kill()
    text += b"".join(parts)
    assert b'"error"' in text
    assert text.endswith(b"data: [DONE]\n\n")
