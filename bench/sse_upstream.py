#!/usr/bin/env python3
"""An OpenAI-compatible upstream for the benchmark: answers of 1 KB, streams of N chunks, GAP ms apart.

    python3 bench/sse_upstream.py PORT         model names: fast, stream-NxGAP

Standard library only. What it costs is not measured: only the gateways' CPU time is.
"""
import asyncio
import json
import sys

WORD = "benchmark words "
PLAIN = json.dumps({"id": "chatcmpl-1", "object": "chat.completion", "created": 1700000000, "model": "fast",
                    "choices": [{"index": 0, "finish_reason": "stop",
                                 "message": {"role": "assistant", "content": WORD * 45}}],
                    "usage": {"prompt_tokens": 20, "completion_tokens": 180, "total_tokens": 200}}).encode()


def event(delta, finish=None):
    data = json.dumps({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000, "model": "stream",
                       "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
    return f"data: {data}\n\n".encode()


def framed(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


CHUNK = framed(event({"content": WORD}))
LAST = framed(event({}, "stop")) + framed(b"data: [DONE]\n\n") + b"0\r\n\r\n"
STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
PLAIN_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


async def stream(writer, count, gap_s):
    loop = asyncio.get_running_loop()
    start = loop.time()
    writer.write(STREAM_HEAD)
    for i in range(count):
        await asyncio.sleep(start + i * gap_s - loop.time())
        writer.write(CHUNK)
        await writer.drain()
    writer.write(LAST)
    await writer.drain()


async def serve(reader, writer):
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            size = int(head.split(b"content-length:")[1].split(b"\r\n")[0]) if b"content-length:" in head else 0
            body = json.loads(await reader.readexactly(size)) if size else {}
            model = body.get("model", "")
            if body.get("stream") and model.startswith("stream-"):
                count, gap_ms = model[len("stream-"):].split("x")
                await stream(writer, int(count), int(gap_ms) / 1000)
            else:
                writer.write(PLAIN_HEAD % len(PLAIN) + PLAIN)
                await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), backlog=4096)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        pass
