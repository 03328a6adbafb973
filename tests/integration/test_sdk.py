"""Do the clients that people use work against the gateway? openai and ollama packages."""
import json

import ollama
import openai
import pytest

from gateway import row

MESSAGES = [{"role": "user", "content": "hi"}]
TOOLS = [{"type": "function", "function": {"name": "get_weather", "parameters": {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}]


@pytest.fixture
def gateway(gateway_factory, upstream, ollama_server):
    rows = [row(m, f"openai/{m}", upstream.v1) for m in ("ok", "tools", "echo")]
    rows += [row(f"fails-{code}", f"openai/status-{code}.x", upstream.v1)
             for code in (400, 401, 403, 404, 408, 422, 429, 500, 503)]
    rows += [row("hangs", "openai/hang", upstream.v1, timeout=1), row("emb", "openai/ok.emb", upstream.v1)]
    rows += [row("olla-chat", "ollama_chat/ok", ollama_server.base), row("olla", "ollama/ok", ollama_server.base),
             row("olla-tools", "ollama_chat/tools", ollama_server.base)]
    return gateway_factory({"model_list": rows, "router_settings": {"num_retries": 0, "disable_cooldowns": True}})


@pytest.fixture
def client(sdk, gateway):
    return sdk(gateway)


def streamed_text(chunks):
    return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)


def test_chat(client, upstream):
    answer = client.chat.completions.create(model="ok", messages=MESSAGES)
    assert answer.choices[0].message.content == "Hello from ok"
    assert answer.usage.total_tokens == 18
    assert answer.model == "ok"
    assert upstream.calls[0].headers["authorization"] == "Bearer sk-upstream"


def test_stream_arrives_in_chunks_with_usage(client):
    chunks = list(client.chat.completions.create(model="ok", messages=MESSAGES, stream=True,
                                                 stream_options={"include_usage": True}))
    assert streamed_text(chunks).strip() == "Hello from ok"
    assert len(chunks) > 3
    assert chunks[-1].usage.prompt_tokens == 11
    assert [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason] == ["stop"]


@pytest.mark.parametrize("model", ["tools", "olla-tools"])
def test_tools_round_trip(client, model):
    first = client.chat.completions.create(model=model, messages=MESSAGES, tools=TOOLS)
    message = first.choices[0].message
    assert first.choices[0].finish_reason == "tool_calls"
    assert json.loads(message.tool_calls[0].function.arguments) == {"city": "Paris"}
    history = [*MESSAGES, message.model_dump(exclude_none=True),
               {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "sunny"}]
    second = client.chat.completions.create(model=model, messages=history, tools=TOOLS)
    assert second.choices[0].message.content == "It is sunny"


@pytest.mark.parametrize("model", ["tools", "olla-tools"])
def test_streamed_tool_call_can_be_put_together(client, model):
    chunks = list(client.chat.completions.create(model=model, messages=MESSAGES, tools=TOOLS, stream=True))
    calls = [t for c in chunks for t in (c.choices[0].delta.tool_calls or [] if c.choices else [])]
    assert calls[0].function.name == "get_weather"
    assert json.loads("".join(t.function.arguments or "" for t in calls)) == {"city": "Paris"}
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


def test_embeddings(client):
    answer = client.embeddings.create(model="emb", input=["a", "b"])  # asks for base64, decodes it
    assert [e.index for e in answer.data] == [0, 1]
    assert answer.data[1].embedding == [1.5, -0.25, 0.125, 1.0]
    floats = client.embeddings.create(model="emb", input="a", encoding_format="float")
    assert floats.data[0].embedding == [0.5, -0.25, 0.125, 1.0]


@pytest.mark.parametrize("stream", [False, True])
def test_completions(client, stream):
    answer = client.completions.create(model="ok", prompt="hi", stream=stream)
    parts = list(answer) if stream else [answer]
    assert "".join(p.choices[0].text for p in parts if p.choices).strip() == "Hello from ok"


def test_models_list(client):
    assert {"ok", "olla-chat", "emb"} <= {m.id for m in client.models.list()}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model, error", [
    ("fails-400", openai.BadRequestError), ("fails-401", openai.AuthenticationError),
    ("fails-403", openai.PermissionDeniedError), ("fails-404", openai.NotFoundError),
    ("fails-422", openai.UnprocessableEntityError), ("fails-429", openai.RateLimitError),
    ("fails-500", openai.InternalServerError), ("fails-503", openai.InternalServerError),
    ("no-such-model", openai.BadRequestError)])
def test_errors_become_the_sdk_exceptions(client, model, error, stream):
    with pytest.raises(error) as caught:
        client.chat.completions.create(model=model, messages=MESSAGES, stream=stream)
    assert caught.value.body["message"]
    assert caught.value.body["code"] == str(caught.value.status_code)


@pytest.mark.parametrize("stream", [False, True])
def test_upstream_timeout_is_408(client, stream):
    with pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(model="hangs", messages=MESSAGES, stream=stream)
    assert caught.value.status_code == 408


def test_client_side_timeout(sdk, gateway, upstream):
    impatient = sdk(gateway, timeout=0.3)
    with pytest.raises(openai.APITimeoutError):
        impatient.chat.completions.create(model="hangs", messages=MESSAGES)


def test_wrong_key_is_an_authentication_error(sdk, gateway, upstream):
    with pytest.raises(openai.AuthenticationError):
        sdk(gateway, api_key="sk-wrong").chat.completions.create(model="ok", messages=MESSAGES)
    assert upstream.calls == []


def test_unknown_parameters_reach_the_upstream(client):
    answer = client.chat.completions.create(model="echo", messages=MESSAGES, temperature=0.25,
                                            extra_body={"top_k": 7, "guided_regex": "a+"})
    body = json.loads(answer.choices[0].message.content)["body"]
    assert (body["temperature"], body["top_k"], body["guided_regex"], body["model"]) == (0.25, 7, "a+", "echo")


# ------------------------------------------------------------------ ollama
def test_scripted_ollama_server_speaks_the_protocol(ollama_server):
    client = ollama.Client(host=ollama_server.base)
    assert client.chat(model="ok", messages=MESSAGES).message.content == "Hello from ok"
    parts = list(client.chat(model="ok", messages=MESSAGES, stream=True))
    assert "".join(p.message.content for p in parts).strip() == "Hello from ok"
    assert parts[-1].done and parts[-1].prompt_eval_count == 11
    assert client.generate(model="ok", prompt="hi").response == "Hello from ok"
    assert client.embed(model="ok", input=["a", "b"]).embeddings[1][0] == 1.5
    assert client.chat(model="tools", messages=MESSAGES, tools=TOOLS).message.tool_calls[0].function.name == "get_weather"
    assert client.list().models[0].model == "ok:latest"
    with pytest.raises(ollama.ResponseError):
        client.chat(model="status-404.x", messages=MESSAGES)


@pytest.mark.parametrize("model, path", [("olla-chat", "/api/chat"), ("olla", "/api/generate")])
def test_ollama_through_the_gateway(client, ollama_server, model, path):
    answer = client.chat.completions.create(model=model, messages=MESSAGES)
    assert answer.choices[0].message.content == "Hello from ok"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (11, 7)
    assert ollama_server.calls[-1].path == path


@pytest.mark.parametrize("model", ["olla-chat", "olla"])
def test_ollama_stream_through_the_gateway(client, model):
    chunks = list(client.chat.completions.create(model=model, messages=MESSAGES, stream=True,
                                                 stream_options={"include_usage": True}))
    assert streamed_text(chunks).strip() == "Hello from ok"
    assert [c.usage.prompt_tokens for c in chunks if c.usage] == [11]
    assert [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason] == ["stop"]
