"""What does an upstream do? Scripted OpenAI-compatible and Ollama servers on 127.0.0.1.

One server speaks both protocols (the path decides). The model name up to the first '.' is the
behaviour, the rest keeps callers apart ("ok.a" and "ok.b" are counted separately):

  ok  tools  echo  nousage       a good answer (stream or not, as asked)
  detailed                       a good answer whose usage tells cached, audio and reasoning tokens, and whose
                                 headers tell what is left of the rate limits
  delay-MS                       a good answer after MS milliseconds
  stream-N-GAP                   N content chunks (stream), GAP milliseconds between them
  big-MB                         a stream of MB megabytes as fast as the reader takes it
  status-CODE[-after-SECONDS]    an error in the protocol's own form (with Retry-After)
  hang                           the request is read, nothing is ever answered
  stall-N                        N content chunks, then silence for ever
  reset  close                   the connection is reset / closed without an answer
  garbage  empty                 200 with something that is not JSON / with nothing
  cut                            cut in the first bytes of the body, before any content
  midcut                         cut after two content chunks
  words-N[-FAULT-K]              the words w0 .. wN-1, one a chunk, beginning behind those that the request
                                 ends with already; a request that brings none meets FAULT before chunk K:
                                 cut, reset, stall, error (event), garbage (one malformed event, then on)

Every connection and request is recorded with monotonic times.
"""
import asyncio
import email
import json
import re
import socket
import struct
import threading
import time
from dataclasses import dataclass, field

import ollama_protocol
import openai_protocol
from openai_protocol import Answer

SILENCE_S = 3600


class Drop(Exception):
    """Ends the connection at once; reset says whether with RST."""

    def __init__(self, reset=False):
        self.reset = reset


@dataclass
class Connection:
    opened: float
    closed: float | None = None  # when the peer's FIN or RST arrived, or we closed

    @property
    def is_open(self):
        return self.closed is None


@dataclass
class Call:
    """One request, as the upstream saw it."""
    path: str
    headers: dict
    body: object
    model: str
    connection: Connection
    at: float
    sent_bytes: int = 0
    finished: bool = False


@dataclass
class _Reply:
    """The writing side of one answer."""
    writer: asyncio.StreamWriter
    call: Call
    chunked: bool = False

    def head(self, status, headers=(), length=None):
        self.chunked = length is None
        lines = [f"HTTP/1.1 {status} Scripted", *(f"{k}: {v}" for k, v in headers)]
        lines.append("Transfer-Encoding: chunked" if self.chunked else f"Content-Length: {length}")
        self.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())

    async def part(self, data):
        self.writer.write(b"%x\r\n%s\r\n" % (len(data), data) if self.chunked else data)
        await self.writer.drain()
        self.call.sent_bytes += len(data)

    async def end(self):
        if self.chunked:
            self.writer.write(b"0\r\n\r\n")
        await self.writer.drain()
        self.call.finished = True

    async def whole(self, status, payload, headers=(), media=None):
        data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.head(status, [("Content-Type", media or "application/json"), *headers], len(data))
        await self.part(data)
        await self.end()


class _Protocol(asyncio.StreamReaderProtocol):
    """Notes when the peer's end arrives, whatever the handler is doing at that moment."""

    def __init__(self, server, loop):
        self.record = Connection(time.monotonic())
        server.connections.append(self.record)
        super().__init__(asyncio.StreamReader(loop=loop, limit=2**27),
                         lambda r, w: server._serve(r, w, self.record), loop=loop)

    def eof_received(self):
        self._note()
        super().eof_received()
        return False  # close our side as well: writes must fail from now on

    def connection_lost(self, error):
        self._note()
        super().connection_lost(error)

    def _note(self):
        if self.record.closed is None:
            self.record.closed = time.monotonic()


@dataclass
class Upstream:
    """A running server; use as a context manager."""
    ssl: object = None
    port: int = 0
    calls: list = field(default_factory=list)
    connections: list = field(default_factory=list)
    engine: dict | None = None  # served at /metrics as vLLM would; None: 404
    scrapes: int = 0
    healed: bool = False  # every model is answered as "ok" is
    _writers: set = field(default_factory=set)

    def __enter__(self):
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(10), "the scripted upstream did not start"
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    # -------------------------------------------------------------- what a test asks
    @property
    def scheme(self):
        return "https" if self.ssl else "http"

    @property
    def base(self):
        return f"{self.scheme}://127.0.0.1:{self.port}"

    @property
    def v1(self):
        return self.base + "/v1"

    def calls_of(self, model):
        return [c for c in self.calls if c.model == model]

    def count(self, model):
        return len(self.calls_of(model))

    def wait_for(self, condition, timeout=10.0):
        """Polls condition(self) until it is true; says whether it became true."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if condition(self):
                return True
            time.sleep(0.002)
        return bool(condition(self))

    def wait_call(self, model, n=1, timeout=10.0):
        assert self.wait_for(lambda s: s.count(model) >= n, timeout), f"no call of {model} arrived"
        return self.calls_of(model)[n - 1]

    def reset(self):
        self.calls.clear()

    def close_idle(self):
        """Closes every connection from this side, as a server does with keep-alive ones."""
        self._loop.call_soon_threadsafe(lambda: [writer.close() for writer in list(self._writers)])
        assert self.wait_for(lambda s: not any(c.is_open for c in s.connections), 5)
        turned = threading.Event()  # asyncio closes the socket just after it has told us
        self._loop.call_soon_threadsafe(turned.set)
        assert turned.wait(5)

    # -------------------------------------------------------------- the server
    def _run(self, ready):
        self._loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self._loop)
        self._loop.set_exception_handler(lambda *_: None)

        async def start():
            server = await self._loop.create_server(
                lambda: _Protocol(self, self._loop), "127.0.0.1", self.port, ssl=self.ssl, backlog=2048)
            self.port = server.sockets[0].getsockname()[1]
            ready.set()
            return server

        server = self._loop.run_until_complete(start())
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _serve(self, reader, writer, record):
        self._writers.add(writer)
        try:
            while await self._one_request(reader, writer, record):
                pass
        except Drop as drop:
            if drop.reset:
                sock = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    async def _one_request(self, reader, writer, record):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ", 2)
        headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
        raw = await reader.readexactly(int(headers.get("content-length", 0)))
        is_form = headers.get("content-type", "").startswith("multipart/form-data")
        body = form_fields(headers, raw) if is_form else json.loads(raw) if raw else None
        model = str(body.get("model", "")) if isinstance(body, dict) else ""
        if self.healed:
            model = "ok." + model
        call = Call(path, headers, body, model, record, time.monotonic())
        reply = _Reply(writer, call)
        if path == "/metrics":
            self.scrapes += 1
            status, text = (200, engine_metrics(**self.engine)) if self.engine is not None else (404, "not found")
            await reply.whole(status, text.encode())
            return True
        self.calls.append(call)
        protocol = ollama_protocol if path.startswith("/api/") else openai_protocol
        if method == "GET":
            listing = protocol.listing(path)
            await reply.whole(200 if listing else 404, listing or {"error": "not found"})
        else:
            await _behave(protocol, reply, call)
        return headers.get("connection", "").lower() != "close"


def form_fields(headers, raw):
    """The fields of a multipart body; files as (name, bytes), a field that comes twice as a list."""
    message = email.message_from_bytes(b"content-type: " + headers["content-type"].encode() + b"\r\n\r\n" + raw)
    fields = {}
    for part in message.get_payload():
        name, file = part.get_param("name", header="content-disposition"), part.get_filename()
        value = part.get_payload(decode=True)
        value = (file, value) if file is not None else value.decode()
        fields[name] = [*fields[name], value] if isinstance(fields.get(name), list) else \
            [fields[name], value] if name in fields else value
    return fields


def engine_metrics(waiting=0, running=0, kv_usage=0.0, model="m", blocks=27_000):
    """What a vLLM server shows of its load."""
    labels = f'{{engine="0",model_name="{model}"}}'
    return (f"# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running{labels} {float(running)}\n"
            f"# TYPE vllm:num_requests_waiting gauge\nvllm:num_requests_waiting{labels} {float(waiting)}\n"
            f"# TYPE vllm:kv_cache_usage_perc gauge\nvllm:kv_cache_usage_perc{labels} {kv_usage}\n"
            f'vllm:cache_config_info{{block_size="16",num_gpu_blocks="{blocks}"}} 1.0\n')


# ------------------------------------------------------------------ behaviours
async def _behave(protocol, reply, call):
    behaviour, *arguments = call.model.split(":")[0].split(".")[0].split("-")
    if behaviour == "status":
        code = int(arguments[0])
        headers = [("Retry-After", arguments[2])] if "after" in arguments else []
        return await reply.whole(code, protocol.error(code), headers)
    if behaviour == "hang":
        await asyncio.sleep(SILENCE_S)
    if behaviour in ("reset", "close"):
        raise Drop(reset=behaviour == "reset")
    if behaviour == "delay":
        await asyncio.sleep(int(arguments[0]) / 1000)
    if behaviour == "garbage":
        return await reply.whole(200, b"<html>surely not what you asked for")
    if behaviour == "empty":
        return await reply.whole(200, b"")
    answer = Answer.of(behaviour, call)
    if not protocol.streams(call):
        return await _whole_answer(protocol, reply, call, behaviour, answer)
    await _stream(protocol, reply, call, behaviour, [int(a) for a in arguments if re.fullmatch(r"\d+", a)], answer)


async def _whole_answer(protocol, reply, call, behaviour, answer):
    payload = protocol.whole(call, answer)
    audio = call.path.endswith(("/audio/speech", "/audio/transcriptions")) and isinstance(payload, bytes)
    if behaviour in ("cut", "midcut"):
        reply.head(200, [("Content-Type", "application/json")], 5000)
        await reply.part(payload[:30] if audio else json.dumps(payload).encode()[:30])
        raise Drop()
    limits = [("x-ratelimit-remaining-requests", "99"), ("x-ratelimit-remaining-tokens", "9999")] if answer.detailed else []
    await reply.whole(200, payload, limits, media=openai_protocol.media_type(call) if audio else None)


async def _stream(protocol, reply, call, behaviour, numbers, answer):
    reply.head(200, [("Content-Type", protocol.STREAM_TYPE)])
    if behaviour == "cut":
        await reply.part(protocol.start_of_stream())
        raise Drop()
    pieces, gap = answer.pieces, 0.0
    if behaviour == "stream":
        pieces, gap = [f"w{i} " for i in range(numbers[0])], (numbers[1] if len(numbers) > 1 else 0) / 1000
    elif behaviour == "stall":
        pieces = [f"w{i} " for i in range(numbers[0])]
    elif behaviour == "big":
        pieces = ["x" * 16384] * (numbers[0] * 64)
    fault = None
    if behaviour == "words":
        begun = _words_so_far(call)
        pieces = [f"w{i} " for i in range(begun, numbers[0])]
        words = re.findall(r"cut|reset|stall|error|garbage", call.model)
        fault = (words[0], numbers[1]) if words and not begun else None
    for frame in protocol.opening(call, answer):
        await reply.part(frame)
    for i, piece in enumerate(pieces):
        if fault and i == fault[1]:
            await _fault(protocol, reply, fault[0])
        if gap and i:
            await asyncio.sleep(gap)
        await reply.part(protocol.content(call, piece))
        if behaviour == "midcut" and i == 1:
            raise Drop()
    if behaviour == "stall":
        await asyncio.sleep(SILENCE_S)
    if fault and fault[1] == len(pieces):
        await _fault(protocol, reply, fault[0])
    for frame in protocol.closing(call, answer, len(pieces)):
        await reply.part(frame)
    await reply.end()


def _words_so_far(call):
    """How many words end the request: a last assistant message, or the end of the prompt."""
    messages = call.body.get("messages") or []
    text = call.body.get("prompt") or ""
    if messages and messages[-1].get("role") == "assistant":
        text = messages[-1]["content"]
    return len(re.findall(r"w\d+ ", str(text)))


async def _fault(protocol, reply, kind):
    if kind in ("cut", "reset"):
        raise Drop(reset=kind == "reset")
    if kind == "stall":
        await asyncio.sleep(SILENCE_S)
    if kind == "error":
        await reply.part(protocol.stream_error())
    if kind == "garbage":
        await reply.part(protocol.malformed_event())
