"""How an Ollama server words its answers (used by upstreams.py)."""
import json

from openai_protocol import COMPLETION_TOKENS, PROMPT_TOKENS

STREAM_TYPE = "application/x-ndjson"
CREATED = "2024-01-01T00:00:00.000000Z"


def listing(path):
    if path == "/api/tags":
        return {"models": [{"name": "ok:latest", "model": "ok:latest", "modified_at": CREATED, "size": 1,
                            "digest": "0" * 64, "details": {"family": "scripted", "format": "gguf"}}]}
    if path == "/api/version":
        return {"version": "0.6.0"}
    return {"models": []} if path == "/api/ps" else None


def streams(call):
    # Ollama streams unless it is told not to.
    return call.path in ("/api/chat", "/api/generate") and call.body.get("stream", True)


def error(code):
    return {"error": f"scripted failure {code}"}


def _wrap(call, text, tools=()):
    if call.path == "/api/generate":
        return {"response": text}
    message = {"role": "assistant", "content": text}
    if tools:
        message["tool_calls"] = [{"function": {"name": n, "arguments": a}} for _, n, a in tools]
    return {"message": message}


def _last(completion_tokens):
    return {"done": True, "done_reason": "stop", "total_duration": 5, "load_duration": 1,
            "prompt_eval_count": PROMPT_TOKENS, "prompt_eval_duration": 2,
            "eval_count": completion_tokens, "eval_duration": 2}


def whole(call, answer):
    if call.path in ("/api/embed", "/api/embeddings"):
        return embeddings(call)
    if call.path == "/api/show":
        return {"modelfile": "", "details": {"family": "scripted"}, "model_info": {"general.architecture": "llama"},
                "template": "", "capabilities": ["completion", "tools"]}
    return {"model": call.model, "created_at": CREATED, **_wrap(call, answer.text, answer.tools),
            **_last(COMPLETION_TOKENS)}


def embeddings(call):
    if call.path == "/api/embeddings":
        return {"embedding": [0.5, -0.25, 0.125, 1.0]}
    given = call.body.get("input")
    items = given if isinstance(given, list) else [given]
    return {"model": call.model, "embeddings": [[0.5 + i, -0.25, 0.125, 1.0] for i, _ in enumerate(items)],
            "prompt_eval_count": 9}


def _line(call, fields):
    return json.dumps({"model": call.model, "created_at": CREATED, **fields}).encode() + b"\n"


def start_of_stream():
    return b'{"model": "x", "crea'


def opening(call, answer):
    if answer.tools:
        yield _line(call, {**_wrap(call, "", answer.tools), "done": False})


def content(call, piece):
    return _line(call, {**_wrap(call, piece), "done": False})


def closing(call, answer, pieces):
    yield _line(call, {**_wrap(call, ""), **_last(pieces)})


def stream_error():
    return b'{"error": "scripted failure in the stream"}\n'


def malformed_event():
    return b'{"model": nonsense\n'
