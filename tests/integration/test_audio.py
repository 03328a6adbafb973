"""Audio: a form with a file becomes text, text becomes audio; retries, fallbacks, cost and cache as elsewhere."""
import io
import os
import wave

import pytest
import requests

from gateway import row
from openai_protocol import AUDIO_SECONDS, SPEECH

FILE = os.urandom(600_000)  # large enough for the helper thread that reckons its digest


def config(upstream, *names, **sections):
    rows = [row(n, f"openai/{n}", upstream.v1, info={"id": f"id-{n}"}, input_cost_per_second=0.001) for n in names]
    return {"model_list": rows, "litellm_settings": {"callbacks": ["prometheus"], **sections.pop("litellm_settings", {})},
            "router_settings": {"num_retries": 0, **sections.pop("router_settings", {})}, **sections}


def transcribe(gateway, model, file=FILE, **fields):
    data = {"model": model, **fields} if model else fields
    files = {"file": ("talk.wav", io.BytesIO(file), "audio/wav")} if file is not None else {"other": ("x", b"y")}
    return requests.post(gateway.url + "/v1/audio/transcriptions", data=data, files=files, timeout=30,
                         headers={"authorization": "Bearer " + gateway.key})


def test_sdk_transcribes_and_speaks(gateway_factory, upstream, sdk):
    gateway = gateway_factory(config(upstream, "ok.a"))
    client = sdk(gateway)
    answer = client.audio.transcriptions.create(model="ok.a", file=("talk.wav", FILE), language="en",
                                                timestamp_granularities=["word", "segment"])
    assert answer.text == "Hello from ok.a"
    sent = upstream.calls[-1].body
    assert sent["file"] == ("talk.wav", FILE)
    assert sent["model"] == "ok.a" and sent["language"] == "en"
    assert sent["timestamp_granularities[]"] == ["word", "segment"]
    speech = client.audio.speech.create(model="ok.a", voice="alloy", input="hi")
    assert speech.content == SPEECH
    assert speech.response.headers["content-type"] == "audio/mpeg"
    assert upstream.calls[-1].body == {"model": "ok.a", "voice": "alloy", "input": "hi"}


def test_plain_text_formats_keep_their_type(gateway_factory, upstream):
    gateway = gateway_factory(config(upstream, "ok.a"))
    answer = transcribe(gateway, "ok.a", response_format="text")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text == "Hello from ok.a\n"


def test_cost_is_that_of_the_files_length(gateway_factory, upstream):
    gateway = gateway_factory(config(upstream, "ok.a"))
    answer = transcribe(gateway, "ok.a")
    assert float(answer.headers["x-litellm-response-cost"]) == pytest.approx(AUDIO_SECONDS * 0.001)
    assert gateway.metric("litellm_spend_metric_total") == pytest.approx(AUDIO_SECONDS * 0.001)
    assert gateway.metric("litellm_proxy_total_requests_metric_total", route="/v1/audio/transcriptions") == 1


@pytest.mark.parametrize("broken", ["status-500.x", "garbage.x", "cut.x", "empty.x"])
def test_failed_transcription_falls_back(gateway_factory, upstream, broken):
    gateway = gateway_factory(config(upstream, broken, "ok.b", router_settings={"fallbacks": [{broken: ["ok.b"]}]}))
    answer = transcribe(gateway, broken)
    assert answer.status_code == 200, answer.text
    assert answer.json()["text"] == "Hello from ok.b"
    assert answer.headers["x-litellm-attempted-fallbacks"] == "1"
    assert upstream.calls[-1].body["file"] == ("talk.wav", FILE)


def test_cut_speech_falls_back_instead_of_half_an_answer(gateway_factory, upstream):
    gateway = gateway_factory(config(upstream, "cut.x", "ok.b", router_settings={"fallbacks": [{"cut.x": ["ok.b"]}]}))
    answer = gateway.post("/v1/audio/speech", {"model": "cut.x", "voice": "a", "input": "hi"})
    assert answer.status_code == 200 and answer.content == SPEECH


def test_bad_forms_are_refused(gateway_factory, upstream):
    gateway = gateway_factory(config(upstream, "ok.a"))
    key = {"authorization": "Bearer " + gateway.key}
    assert transcribe(gateway, "ok.a", file=None).status_code == 422
    assert transcribe(gateway, "nobody").status_code == 400
    two = requests.post(gateway.url + "/v1/audio/transcriptions", data={"model": "ok.a"}, headers=key,
                        files=[("file", ("a.wav", b"a")), ("file", ("b.wav", b"b"))])
    assert two.status_code == 400 and "more than one file" in two.json()["error"]["message"]
    as_json = gateway.post("/v1/audio/transcriptions", {"model": "ok.a"})
    assert as_json.status_code == 400
    assert "multipart" in as_json.json()["error"]["message"]
    cut = requests.post(gateway.url + "/v1/audio/transcriptions", data=b"--b\r\nContent-Disposition: form-data; na",
                        headers={**key, "content-type": "multipart/form-data; boundary=b"})
    assert cut.status_code == 400
    assert gateway.post("/v1/audio/speech", {"model": "ok.a"}).status_code == 400
    assert requests.post(gateway.url + "/v1/audio/transcriptions", data=b"x").status_code == 401
    assert not upstream.calls


def test_equal_files_are_answered_from_the_cache(gateway_factory, upstream):
    settings = {"cache": True, "cache_params": {"type": "local", "supported_call_types": ["atranscription"]}}
    gateway = gateway_factory(config(upstream, "ok.a", litellm_settings=settings))
    first = transcribe(gateway, "ok.a", language="en")
    again = transcribe(gateway, "ok.a", language="en")
    assert again.json() == first.json()
    assert again.headers["x-litellm-cache-key"]
    assert float(again.headers["x-litellm-response-cost"]) == 0
    assert len(upstream.calls) == 1
    for other in ({"file": FILE[:-1] + b"!"}, {"language": "fr"}, {"temperature": "0.5"}):
        assert transcribe(gateway, "ok.a", **{"language": "en", **other}).status_code == 200
    assert len(upstream.calls) == 4
    for _ in range(2):  # plain text is not kept
        assert transcribe(gateway, "ok.a", response_format="text").text == "Hello from ok.a\n"
    assert len(upstream.calls) == 6


def test_other_dialects_say_that_they_cannot(gateway_factory, upstream):
    ollama = {"model_list": [row("talk", "ollama/ok", upstream.base)], "router_settings": {"num_retries": 0}}
    gateway = gateway_factory(ollama)
    answer = transcribe(gateway, "talk")
    assert answer.status_code == 400
    assert "transcriptions" in answer.json()["error"]["message"]


def test_mock_response_serves_a_transcription(gateway_factory, upstream):
    rows = [row("talk", "openai/talk", upstream.v1, mock_response="said")]
    gateway = gateway_factory({"model_list": rows})
    assert transcribe(gateway, "talk").json() == {"text": "said"}
    assert not upstream.calls


def test_audio_rows_are_probed_with_audio(gateway_factory, upstream):
    rows = [row("hear", "openai/ok.hear", upstream.v1, info={"mode": "audio_transcription"}),
            row("say", "openai/ok.say", upstream.v1, info={"mode": "audio_speech", "health_check_voice": "echo"}),
            row("broken", "openai/status-500.x", upstream.v1, info={"mode": "audio_transcription"})]
    health = gateway_factory({"model_list": rows}).get("/health").json()
    assert health["healthy_count"] == 2 and health["unhealthy_count"] == 1
    by_model = {c.model: c for c in upstream.calls}
    name, wav = by_model["ok.hear"].body["file"]
    assert by_model["ok.hear"].path == "/v1/audio/transcriptions"
    with wave.open(io.BytesIO(wav)) as probe:
        assert (probe.getnchannels(), probe.getframerate(), probe.getnframes()) == (1, 8000, 800)
    assert by_model["ok.say"].path == "/v1/audio/speech"
    assert by_model["ok.say"].body["voice"] == "echo"
