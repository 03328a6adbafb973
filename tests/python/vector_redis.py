"""Redis with vector search, for tests: a real redis-server, and before it a process of ours that adds FT.*.

Debian's redis-server has no query engine. Here FT.CREATE, FT.INFO and FT.SEARCH (KNN with a tag, by cosine) are
answered from the hashes that really lie in Redis, so that expiry, transactions and keys are the real ones; every
other command goes through as it is. The layout of replies and errors is that of Redis' query engine.

Where there is a real one (a server of version 7.2 or later and its module), it takes the place of both:
  INTERTIE_SEARCH_SERVER=/path/redis-server INTERTIE_SEARCH_MODULE=/path/redisearch.so
"""
import contextlib
import os
import re
import socket
import struct
import threading

from openai_protocol import cosine
from redis_server import Redis

MODULE = os.environ.get("INTERTIE_SEARCH_MODULE")
QUERY = re.compile(rb"\(@(\w+):\{(\w+)\}\)=>\[KNN (\d+) @(\w+) \$(\w+) AS (\w+)\]")


class ReplyError(Exception):
    pass


class _Wire:
    """Commands and replies on a blocking socket."""

    def __init__(self, sock):
        self.sock, self.file = sock, sock.makefile("rb")

    def _line(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError
        return line

    def raw(self):
        """The bytes of one reply or command, and what it says."""
        line = self._line()
        kind, rest = line[:1], line[1:-2]
        if kind == b"$" and int(rest) >= 0:
            data = self.file.read(int(rest) + 2)
            return line + data, data[:-2]
        if kind == b"*":
            parts = [self.raw() for _ in range(int(rest))]
            return line + b"".join(p[0] for p in parts), [p[1] for p in parts]
        if kind == b"-":
            return line, ReplyError(rest.decode())
        return line, None if kind == b"$" else int(rest) if kind == b":" else rest

    def call(self, *words):
        words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
        self.sock.sendall(encode(words))
        value = self.raw()[1]
        if isinstance(value, ReplyError):
            raise value
        return value


def encode(value):
    if isinstance(value, list):
        return b"*%d\r\n" % len(value) + b"".join(encode(v) for v in value)
    if isinstance(value, int):
        return b":%d\r\n" % value
    if isinstance(value, ReplyError):
        return b"-%s\r\n" % str(value).encode()
    value = value if isinstance(value, bytes) else value.encode()
    return b"$%d\r\n%s\r\n" % (len(value), value)


class VectorRedis:
    """`server`: a running redis_server.Redis. Use as a context manager; the port is `port`."""

    def __init__(self, server):
        self.server, self.password = server, server.password
        self.indexes = {}   # name -> {"prefix", "vector", "dimension", "metric", "tags"}
        self.calls = []     # names of the FT commands, in order
        self.delay = 0.0    # of FT.SEARCH, seconds
        self._wake = threading.Event()
        self._sockets = []
        if MODULE:
            self.server = Redis(server.folder / "search", program=os.environ["INTERTIE_SEARCH_SERVER"],
                                options=[f"loadmodule {MODULE}"])

    def __enter__(self):
        if MODULE:
            self.server.start()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._wake.set()
        for sock in [self.listener, *self._sockets]:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        if MODULE:
            self.server.kill()

    def command(self, *words):
        """One that the gateway has not sent."""
        with socket.create_connection(("127.0.0.1", self.port)) as sock:
            answer = _Wire(sock).call(*words)
        self.calls.clear()
        return answer

    def make_index(self, name, dimension, metric="COSINE", more=()):
        self.command("FT.CREATE", name, "ON", "HASH", "PREFIX", 1, f"{name}:", "SCHEMA", "prompt_vector", "VECTOR",
                     "FLAT", 6, "TYPE", "FLOAT32", "DIM", dimension, "DISTANCE_METRIC", metric,
                     "litellm_cache_key", "TAG", *more)

    def cli(self, *words):
        return self.server.cli(*words)

    def entries(self, index="litellm_semantic_cache_index"):
        return [k for k in self.cli("keys", f"{index}:*").split("\n") if k]

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with contextlib.suppress(ConnectionError, OSError, ValueError):
            behind = socket.create_connection(("127.0.0.1", self.server.port))
            self._sockets += [client, behind]
            for sock in (client, behind):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            here, there = _Wire(client), _Wire(behind)
            while True:
                bytes_, words = here.raw()
                name = words[0].upper()
                if name.startswith(b"FT."):
                    self.calls.append(name.decode())
                    self._wake.wait(self.delay if name == b"FT.SEARCH" else 0)
                if name.startswith(b"FT.") and not MODULE:
                    client.sendall(self._search(there, name.decode(), words[1:]))
                    continue
                behind.sendall(bytes_)
                if name in (b"SUBSCRIBE", b"MONITOR"):
                    self._pump(behind, client)
                    continue
                client.sendall(there.raw()[0])
        client.close()

    @staticmethod
    def _pump(source, target):
        def run():
            with contextlib.suppress(OSError):
                while data := source.recv(65536):
                    target.sendall(data)
        threading.Thread(target=run, daemon=True).start()

    # ---------------------------------------------------------------- FT.*
    def _search(self, there, name, words):
        known = {"FT.CREATE": self._create, "FT.INFO": self._info, "FT.SEARCH": self._nearest,
                 "FT.DROPINDEX": self._drop}
        try:
            return known[name](there, words)
        except ReplyError as error:
            return encode(error)

    def _create(self, _, words):
        name, *rest = [w.decode() for w in words]
        if name in self.indexes:
            raise ReplyError("Index already exists")
        shape = re.fullmatch(r"ON HASH PREFIX 1 (\S+) SCHEMA (\w+) VECTOR FLAT 6 TYPE FLOAT32 DIM (\d+) "
                             r"DISTANCE_METRIC (COSINE|L2|IP)((?: \w+ (?:TAG|TEXT|NUMERIC))*)", " ".join(rest))
        if not shape:
            raise ReplyError("Bad arguments for FT.CREATE")
        self.indexes[name] = {"prefix": shape[1].encode(), "vector": shape[2].encode(), "dimension": int(shape[3]),
                              "metric": shape[4], "tags": shape[5].split()[::2]}
        return b"+OK\r\n"

    def _index(self, words):
        name = words[0].decode()
        if name not in self.indexes:
            raise ReplyError(f"{name}: no such index")
        return self.indexes[name]

    def _drop(self, _, words):
        self._index(words)
        del self.indexes[words[0].decode()]
        return b"+OK\r\n"

    def _info(self, _, words):
        index = self._index(words)
        vector = ["identifier", index["vector"], "attribute", index["vector"], "type", "VECTOR", "algorithm", "FLAT",
                  "data_type", "FLOAT32", "dim", index["dimension"], "distance_metric", index["metric"]]
        tags = [["identifier", tag, "attribute", tag, "type", "TAG", "SEPARATOR", ","] for tag in index["tags"]]
        return encode(["index_name", words[0], "index_options", [], "index_definition",
                       ["key_type", "HASH", "prefixes", [index["prefix"]]], "attributes", [vector, *tags]])

    def _nearest(self, there, words):
        index = self._index(words)
        query = QUERY.fullmatch(words[1])
        options = words[2:]
        named = {options[i].upper(): options[i + 1] for i in range(len(options) - 1)}
        if not query or named.get(b"DIALECT") != b"2" or query[1].decode() not in index["tags"]:
            raise ReplyError(f"Syntax error at offset 1 near {words[1].decode()}")
        tag_field, tag, count, field, parameter, alias = query.groups()
        at = options.index(b"PARAMS")
        blob = dict(zip(options[at + 2::2], options[at + 3::2]))[parameter]
        if len(blob) != 4 * index["dimension"]:
            raise ReplyError(f"Error parsing vector similarity query: query vector blob size ({len(blob)}) does not "
                             f"match index's expected size ({4 * index['dimension']}).")
        wanted = struct.unpack(f"<{index['dimension']}f", blob)
        found = []
        for key in there.call("KEYS", index["prefix"] + b"*"):
            flat = there.call("HGETALL", key)
            entry = dict(zip(flat[::2], flat[1::2]))
            if entry.get(tag_field) == tag and len(entry.get(field, b"")) == len(blob):
                distance = 1 - cosine(wanted, struct.unpack(f"<{index['dimension']}f", entry[field]))
                found.append((distance, key, entry))
        found.sort(key=lambda f: f[0])
        at = options.index(b"RETURN")
        names = options[at + 2:at + 2 + int(options[at + 1])]
        reply = [min(len(found), int(count))]
        for distance, key, entry in found[:int(count)]:
            entry[alias] = f"{distance:.12g}"
            reply += [key, [part for name in names if name in entry for part in (name, entry[name])]]
        return encode(reply)
