"""How an OpenAI-compatible server words its answers (used by upstreams.py)."""
import base64
import json
import math
import re
import struct
import zlib
from dataclasses import dataclass, field

STREAM_TYPE = "text/event-stream"
PROMPT_TOKENS, COMPLETION_TOKENS = 11, 7
TOOL_ARGUMENTS = {"city": "Paris"}


@dataclass
class Answer:
    """The content of an answer, whatever the protocol."""
    text: str
    tools: list = field(default_factory=list)  # [(id, name, arguments)]
    usage: bool = True
    detailed: bool = False  # usage tells the kinds of tokens

    @staticmethod
    def of(behaviour, call):
        messages = call.body.get("messages") or []
        if behaviour == "tools" and not any(m.get("role") == "tool" for m in messages):
            return Answer("", [("call_1", "get_weather", TOOL_ARGUMENTS)])
        if behaviour == "tools":
            return Answer("It is " + str(messages[-1].get("content")))
        if behaviour == "echo":
            return Answer(json.dumps({"headers": call.headers, "body": call.body, "path": call.path}))
        return Answer("Hello from " + call.model, usage=behaviour != "nousage", detailed=behaviour == "detailed")

    @property
    def pieces(self):
        return [w + " " for w in self.text.split(" ")] if self.text else []

    @property
    def finish(self):
        return "tool_calls" if self.tools else "stop"


def listing(path):
    if path.rstrip("/").endswith("/models"):
        return {"object": "list", "data": [{"id": "ok", "object": "model", "created": 1, "owned_by": "scripted"}]}
    return None


def streams(call):
    return call.body.get("stream") is True


KINDS = {400: ("invalid_request_error", None), 401: ("invalid_request_error", "invalid_api_key"),
         404: ("invalid_request_error", "model_not_found"), 429: ("rate_limit_error", "rate_limit_exceeded")}


def error(code):
    kind, name = KINDS.get(code, ("server_error", None))
    return {"error": {"message": f"Scripted failure {code}.", "type": kind, "param": None, "code": name}}


def usage(completion_tokens=COMPLETION_TOKENS):
    return {"prompt_tokens": PROMPT_TOKENS, "completion_tokens": completion_tokens,
            "total_tokens": PROMPT_TOKENS + completion_tokens}


def detailed_usage():
    return {**usage(), "prompt_tokens_details": {"cached_tokens": 4, "cache_creation_tokens": 3, "audio_tokens": 2},
            "completion_tokens_details": {"reasoning_tokens": 5, "audio_tokens": 1}}


def _is(call, name):
    return call.path.split("?")[0].rstrip("/").endswith(name)


def _tool_calls(answer, indexed):
    return [{**({"index": i} if indexed else {}), "id": call_id, "type": "function",
             "function": {"name": name, "arguments": json.dumps(arguments)}}
            for i, (call_id, name, arguments) in enumerate(answer.tools)]


SPEECH = bytes(range(256)) * 64  # no text in any encoding
AUDIO_SECONDS = 12.5


def media_type(call):
    return "audio/mpeg" if _is(call, "/audio/speech") else "text/plain; charset=utf-8"


def transcription(call, answer):
    if call.body.get("response_format") in ("text", "srt", "vtt"):
        return answer.text.encode() + b"\n"
    seconds = {"usage": {"type": "duration", "seconds": AUDIO_SECONDS}} if answer.usage else {}
    return {"text": answer.text, **seconds}


def whole(call, answer):
    if _is(call, "/embeddings"):
        return embeddings(call)
    if _is(call, "/audio/speech"):
        return SPEECH
    if _is(call, "/audio/transcriptions"):
        return transcription(call, answer)
    text_route = not _is(call, "/chat/completions")
    out = {"id": "scripted-1", "object": "text_completion" if text_route else "chat.completion",
           "created": 1700000000, "model": call.model}
    if text_route:
        choice = {"text": answer.text}
    else:
        choice = {"message": {"role": "assistant", "content": answer.text or None}}
        if answer.tools:
            choice["message"]["tool_calls"] = _tool_calls(answer, False)
    out["choices"] = [{"index": 0, "logprobs": None, "finish_reason": answer.finish, **choice}]
    if answer.usage:
        out["usage"] = detailed_usage() if answer.detailed else usage()
    return out


def words_vector(text, dimensions=64):
    """An embedding by the words of a text: texts that share words are similar."""
    vector = [0.0] * dimensions
    for word in re.findall(r"\w+", text.lower()):
        vector[zlib.crc32(word.encode()) % dimensions] += 1
    return vector


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b)) / (math.sqrt(sum(x * x for x in a)) * math.sqrt(sum(y * y for y in b)))


def embeddings(call):
    given = call.body.get("input")
    items = given if isinstance(given, list) else [given]
    rows = []
    for i, item in enumerate(items):
        # "ok.words": by the words of the text, so that likeness means something.
        by_words = call.model.endswith(".words")
        vector = words_vector(item) if by_words else [0.5 + i, -0.25, 0.125, 1.0]
        if call.body.get("encoding_format") == "base64":
            vector = base64.b64encode(struct.pack("<4f", *vector)).decode()
        rows.append({"object": "embedding", "index": i, "embedding": vector})
    return {"object": "list", "model": call.model, "data": rows, "usage": {"prompt_tokens": 9, "total_tokens": 9}}


def _event(call, choices, **more):
    chat = _is(call, "/chat/completions")
    kind = "chat.completion.chunk" if chat else "text_completion"
    chunk = {"id": "scripted-1", "object": kind, "created": 1700000000, "model": call.model, "choices": choices, **more}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def _choice(call, delta, finish=None):
    value = {"delta": delta} if _is(call, "/chat/completions") else {"text": delta.get("content", "")}
    return [{"index": 0, **value, "finish_reason": finish}]


def start_of_stream():
    return b'data: {"id": "scripted-1", "obj'


def opening(call, answer):
    if not _is(call, "/chat/completions"):
        return
    yield _event(call, _choice(call, {"role": "assistant", "content": ""}))
    for tool in _tool_calls(answer, True):
        yield _event(call, _choice(call, {"tool_calls": [tool]}))


def content(call, piece):
    return _event(call, _choice(call, {"content": piece}))


def closing(call, answer, pieces):
    yield _event(call, _choice(call, {}, answer.finish))
    if answer.usage and (call.body.get("stream_options") or {}).get("include_usage"):
        yield _event(call, [], usage=usage(pieces))
    yield b"data: [DONE]\n\n"


def stream_error():
    return b'data: {"error": {"message": "Scripted failure in the stream.", "type": "server_error", "code": 500}}\n\n'


def malformed_event():
    return b'data: {"id": nonsense\n\n'
