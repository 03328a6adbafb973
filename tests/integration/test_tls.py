"""TLS on both sides: whom the gateway trusts, and how it serves HTTPS itself."""
import socket
import ssl
import threading
import time

import pytest
import requests

from certificates import Authority
from gateway import row
from rawhttp import chat_body, request

UPSTREAM_KEY = "sk-upstream-very-secret-7391"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def chat_over_tls(gateway_factory, upstream_factory, authority):
    """chat(context, row parameters, litellm_settings) -> (answer, gateway, upstream)"""
    def chat(context, params=None, settings=None, stream=False, host="127.0.0.1", env=None):
        upstream = upstream_factory(ssl=context)
        base = f"https://{host}:{upstream.port}/v1"
        config = {"model_list": [row("secure", "openai/ok", base, api_key=UPSTREAM_KEY, **(params or {}))],
                  "litellm_settings": settings or {}, "router_settings": {"num_retries": 0}}
        gateway = gateway_factory(config, env=env)
        return gateway.chat("secure", stream=stream), gateway, upstream
    return chat


def assert_refused(result, why="certificate"):
    answer, gateway, upstream = result
    assert answer.status_code == 500, answer.text
    message = answer.json()["error"]["message"]
    assert "litellm.InternalServerError" in message
    assert why in message.lower()
    assert upstream.calls == []
    assert UPSTREAM_KEY not in gateway.log()
    assert UPSTREAM_KEY not in answer.text


def test_unknown_authority_is_refused_by_default(chat_over_tls, authority):
    assert_refused(chat_over_tls(authority.server_context()))


def test_ca_file_of_the_row(chat_over_tls, authority):
    answer, _, upstream = chat_over_tls(authority.server_context(), {"ssl_verify": str(authority.ca)})
    assert answer.status_code == 200, answer.text
    assert upstream.calls[0].headers["authorization"] == f"Bearer {UPSTREAM_KEY}"


def test_ca_file_of_litellm_settings(chat_over_tls, authority):
    answer, *_ = chat_over_tls(authority.server_context(), settings={"ssl_verify": str(authority.ca)})
    assert answer.status_code == 200, answer.text


def test_ca_file_of_the_environment(chat_over_tls, authority):
    answer, *_ = chat_over_tls(authority.server_context(), env={"SSL_VERIFY": str(authority.ca)})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("where", ["row", "global"])
def test_verification_can_be_switched_off(chat_over_tls, authority, where):
    switch = {"ssl_verify": False}
    answer, *_ = chat_over_tls(authority.server_context(), switch if where == "row" else None,
                               switch if where == "global" else None)
    assert answer.status_code == 200, answer.text


def test_wrong_name_is_refused_though_the_authority_is_known(chat_over_tls, authority):
    context = authority.server_context("other", alternatives="DNS:other.example")
    assert_refused(chat_over_tls(context, {"ssl_verify": str(authority.ca)}), "mismatch")


def test_name_is_checked_for_host_names_as_well(chat_over_tls, authority):
    context = authority.server_context("named", alternatives="DNS:localhost")
    answer, *_ = chat_over_tls(context, {"ssl_verify": str(authority.ca)}, host="localhost")
    assert answer.status_code == 200, answer.text


def test_tls_1_2_upstream(chat_over_tls, authority):
    context = authority.server_context("old", maximum=ssl.TLSVersion.TLSv1_2)
    answer, *_ = chat_over_tls(context, {"ssl_verify": str(authority.ca)})
    assert answer.status_code == 200, answer.text


def test_stream_over_tls(chat_over_tls, authority):
    answer, *_ = chat_over_tls(authority.server_context(), {"ssl_verify": str(authority.ca)}, stream=True)
    assert answer.text.endswith("data: [DONE]\n\n")


def test_connection_is_reused(chat_over_tls, authority):
    _, gateway, upstream = chat_over_tls(authority.server_context(), {"ssl_verify": str(authority.ca)})
    for _ in range(4):
        assert gateway.chat("secure").status_code == 200
    assert len(upstream.connections) == 1


def test_plain_http_behind_https_address_is_an_error_at_once(gateway_factory):
    with socket.create_server(("127.0.0.1", 0)) as plain:
        def answer_in_clear():
            connection, _ = plain.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=answer_in_clear)
        thread.start()
        base = f"https://127.0.0.1:{plain.getsockname()[1]}/v1"
        gateway = gateway_factory({"model_list": [row("secure", "openai/ok", base)], "router_settings": {"num_retries": 0}})
        answer = gateway.chat("secure")
        thread.join()
    assert answer.status_code == 500
    assert "tls" in answer.json()["error"]["message"].lower()


def test_upstream_that_never_finishes_its_handshake_is_a_timeout(gateway_factory):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        base = f"https://127.0.0.1:{silent.getsockname()[1]}/v1"
        gateway = gateway_factory({"model_list": [row("secure", "openai/ok", base, timeout=1)],
                                   "router_settings": {"num_retries": 0}})
        started = time.monotonic()
        assert gateway.chat("secure").status_code in (408, 500)
        assert time.monotonic() - started < 8


# ------------------------------------------------------------------ the gateway's own HTTPS
@pytest.fixture
def https_gateway(gateway_factory, upstream, authority):
    certificate, key = authority.issue("gateway")
    config = {"model_list": [row("ok", "openai/ok", upstream.v1), row("flow", "openai/stream-200-0", upstream.v1)]}
    return gateway_factory(config, scheme="https", verify=str(authority.ca),
                           args=["--ssl_certfile_path", str(certificate), "--ssl_keyfile_path", str(key)])


def test_gateway_serves_https(https_gateway):
    assert https_gateway.chat("ok").status_code == 200
    answer = https_gateway.chat("flow", stream=True)
    assert answer.text.count("data: ") >= 200
    assert answer.text.endswith("data: [DONE]\n\n")


def test_gateway_https_is_verifiable_only_with_its_authority(https_gateway):
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(https_gateway.url + "/health/liveliness", timeout=10)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
@pytest.mark.parametrize("version, accepted", [("TLSv1_1", False), ("TLSv1_2", True), ("TLSv1_3", True)])
def test_gateway_accepts_only_modern_tls(https_gateway, authority, version, accepted):
    context = ssl.create_default_context(cafile=str(authority.ca))
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, version)
    with socket.create_connection(("127.0.0.1", https_gateway.port), 10) as plain:
        if not accepted:
            with pytest.raises((ssl.SSLError, ConnectionError)):
                context.wrap_socket(plain, server_hostname="127.0.0.1")
            return
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
            assert secure.version() == version.replace("_", ".")


def test_plain_http_on_the_https_port_is_dropped(https_gateway):
    with socket.create_connection(("127.0.0.1", https_gateway.port), 10) as plain:
        plain.sendall(request(https_gateway.key, chat_body("ok")))
        try:
            assert b"HTTP/1.1 200" not in plain.recv(4096)
        except ConnectionResetError:
            pass
    assert https_gateway.chat("ok").status_code == 200


def test_silent_handshakes_do_not_hinder_others(https_gateway):
    silent = [socket.create_connection(("127.0.0.1", https_gateway.port), 10) for _ in range(100)]
    assert https_gateway.chat("ok").status_code == 200
    for plain in silent:
        plain.close()


def test_client_of_https_that_leaves_releases_the_upstream(gateway_factory, upstream, authority):
    certificate, key = authority.issue("gateway2")
    gateway = gateway_factory({"model_list": [row("silent", "openai/hang", upstream.v1)]}, scheme="https",
                              verify=str(authority.ca),
                              args=["--ssl_certfile_path", str(certificate), "--ssl_keyfile_path", str(key)])
    context = ssl.create_default_context(cafile=str(authority.ca))
    plain = socket.create_connection(("127.0.0.1", gateway.port), 10)
    secure = context.wrap_socket(plain, server_hostname="127.0.0.1")
    secure.sendall(request(gateway.key, chat_body("silent")))
    call = upstream.wait_call("hang")
    secure.close()
    assert upstream.wait_for(lambda _: not call.connection.is_open, 5)
