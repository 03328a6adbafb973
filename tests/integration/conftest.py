"""Fixtures: scripted upstreams and gateways, each stopped (and checked) at the end of its test."""
import contextlib
import itertools
import time

import openai
import pytest

from gateway import SANITIZED, Gateway
from redis_server import Redis, running, wait
from upstreams import Upstream


@pytest.fixture
def upstream():
    """An OpenAI-compatible server (it answers Ollama's paths as well)."""
    with Upstream() as server:
        yield server


@pytest.fixture
def ollama_server():
    with Upstream() as server:
        yield server


@pytest.fixture
def upstream_factory():
    with contextlib.ExitStack() as stack:
        yield lambda **kw: stack.enter_context(Upstream(**kw))


@pytest.fixture
def gateway_factory(tmp_path):
    """start(config, ...) -> a ready Gateway; every one must end cleanly."""
    count = itertools.count()
    with contextlib.ExitStack() as stack:  # a gateway that ends badly does not keep the others running

        def start(config, **kw):
            gateway = Gateway(tmp_path / f"gateway{next(count)}", config, **kw)
            gateway.spawn()
            stack.callback(gateway.finish)
            gateway.wait_ready()
            return gateway

        yield start


@pytest.fixture
def sdk():
    """sdk(gateway) -> an openai client without retries of its own."""
    clients = []

    def make(gateway, **kw):
        client = openai.OpenAI(base_url=gateway.url + "/v1", api_key=kw.pop("api_key", gateway.key), max_retries=0, **kw)
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def redis(tmp_path):
    with running(Redis(tmp_path / "redis")) as (server,):
        yield server


@pytest.fixture
def pair(gateway_factory):
    """Two gateways with the same configuration, connected to Redis."""

    def start(config, **kw):
        gateways = [gateway_factory(config, **kw) for _ in range(2)]
        for gateway in gateways:
            wait(lambda g=gateway: "Redis is away" not in g.log() or "Redis is back" in g.log())
        time.sleep(1.5 if SANITIZED else 0.3)  # connections of each worker
        return gateways

    return start
