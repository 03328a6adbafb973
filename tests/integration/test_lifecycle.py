"""Start, check, drain, stop: what an operator and an init system see of the process."""
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

import pytest
import requests

from gateway import BINARY, PATIENCE, Gateway, free_port, row
from rawhttp import Raw, chat_body, request

KEY = "sk-0123456789abcdef0123456789abcdef"


def run(*arguments, env=None, timeout=60):
    env = {"PATH": "/usr/bin:/bin", "LITELLM_MODE": "PRODUCTION", **(env or {})}
    return subprocess.run([str(BINARY), *map(str, arguments)], env=env, capture_output=True, text=True, timeout=timeout)


@pytest.fixture
def config_file(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text("model_list: []\n")
    return file


# ------------------------------------------------------------------ start
def test_exec_to_first_200(tmp_path, upstream):
    """Best of three: how fast a pod is ready."""
    config = {"model_list": [row(f"m{i}", f"openai/ok.{i}", upstream.v1) for i in range(100)]}
    times = []
    for n in range(3):
        gateway = Gateway(tmp_path / str(n), config, workers=2)
        started = time.monotonic()
        gateway.start()
        times.append(time.monotonic() - started)
        gateway.finish()
    print("\nexec to first 200: " + ", ".join(f"{t * 1000:.0f} ms" for t in times))
    assert min(times) < 0.5 * PATIENCE


@pytest.mark.parametrize("key, code", [(None, 3), ("", 3), ("sk-1234", 3)])
def test_missing_or_weak_master_key_is_exit_3(config_file, key, code):
    result = run("--config", config_file, "--host", "127.0.0.1", "--port", free_port(),
                 env={} if key is None else {"LITELLM_MASTER_KEY": key})
    assert result.returncode == code, result.stderr
    assert "master key" in result.stderr


def test_unknown_routing_strategy_is_exit_3(config_file):
    config_file.write_text("model_list: []\nrouter_settings: {routing_strategy: no-such-strategy}\n")
    result = run("--config", config_file, "--port", free_port(), env={"LITELLM_MASTER_KEY": KEY})
    assert result.returncode == 3
    assert "no-such-strategy" in result.stderr


def test_missing_file_is_exit_1(tmp_path):
    result = run("--config", tmp_path / "none.yaml", "--port", free_port(), env={"LITELLM_MASTER_KEY": KEY})
    assert result.returncode == 1
    assert "none.yaml" in result.stderr


def test_broken_yaml_names_the_line(config_file):
    config_file.write_text("model_list:\n  - model_name: a\n   bad: [\n")
    result = run("--config", config_file, "--port", free_port(), env={"LITELLM_MASTER_KEY": KEY})
    assert result.returncode != 0
    assert re.search(r"config\.yaml:\d+|line \d+", result.stderr), result.stderr


def test_port_in_use_is_exit_1(config_file):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = run("--config", config_file, "--host", "127.0.0.1", "--port", port, env={"LITELLM_MASTER_KEY": KEY})
    assert result.returncode == 1
    assert f"127.0.0.1:{port}" in result.stderr and "in use" in result.stderr


def test_second_gateway_on_the_same_port_is_exit_1(gateway_factory, config_file):
    gateway = gateway_factory({"model_list": []})
    result = run("--config", config_file, "--host", "127.0.0.1", "--port", gateway.port, env={"LITELLM_MASTER_KEY": KEY})
    assert result.returncode == 1


def test_wrong_flag_is_exit_2():
    assert run("--no-such-flag").returncode == 2


def test_version_and_help():
    assert "intertie" in run("--version").stdout
    assert "--config" in run("--help").stdout


# ------------------------------------------------------------------ check
BAD_CONFIG = """\
model_list:
  - model_name: a
    litellm_params:
      model: openai/gpt
      api_key: os.environ/NO_SUCH_VARIABLE_HERE
      timeout: [1]
  - model_name: b
    model_name: c
    litellm_params: {model: openai/gpt, api_key: k}
router_settings:
  num_retrys: 2
  fallbacks: [{a: [zzz]}]
"""


def test_check_prints_file_and_line_of_every_finding(config_file):
    config_file.write_text(BAD_CONFIG)
    result = run("check", config_file, env={"LITELLM_MASTER_KEY": KEY})
    assert result.returncode == 1
    lines = [line for line in result.stdout.splitlines() if "[effective]" not in line]

    def finding(line, *words):
        start = f"{config_file}:{line}:"
        assert any(found.startswith(start) and all(w in found for w in words) for found in lines), (line, words, lines)

    finding(5, "warning", "NO_SUCH_VARIABLE_HERE")
    finding(6, "error", "timeout", "number")
    finding(8, "model_name", "twice")
    finding(11, "num_retrys", "num_retries")
    finding(12, "zzz")


def test_check_of_a_good_file_is_exit_0(config_file):
    config_file.write_text("model_list:\n  - model_name: a\n    litellm_params: {model: openai/gpt, api_key: k}\n")
    result = run("check", config_file, env={"LITELLM_MASTER_KEY": KEY})
    assert result.returncode == 0, result.stdout
    assert "error" not in result.stdout


def test_check_of_a_missing_file_is_exit_1(tmp_path):
    result = run("check", tmp_path / "none.yaml")
    assert result.returncode == 1
    assert "none.yaml" in result.stdout + result.stderr


def test_check_never_prints_a_key(config_file):
    config_file.write_text("general_settings: {master_key: sk-secret-991177}\nmodel_list:\n  - model_name: a\n"
                           "    litellm_params: {model: openai/gpt, api_key: sk-secret-882266, timeout: x}\n")
    result = run("check", config_file)
    assert "sk-secret" not in result.stdout + result.stderr


# ------------------------------------------------------------------ drain and stop
def lifecycle_gateway(gateway_factory, upstream, callbacks=(), **kw):
    models = ("ok", "stream-20-50", "hang", "delay-500")
    return gateway_factory({"model_list": [row(m, f"openai/{m}", upstream.v1) for m in models],
                            "litellm_settings": {"callbacks": list(callbacks)},
                            "router_settings": {"num_retries": 0}}, workers=2, **kw)


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_stream_is_finished_and_new_connections_are_refused(gateway_factory, upstream, sent):
    gateway = lifecycle_gateway(gateway_factory, upstream)
    idle = Raw(gateway.port)  # an idle keep-alive connection must not hold the process up
    idle.send(request(gateway.key, method="GET", path="/health/liveliness")).answer()
    with Raw(gateway.port, timeout=30) as raw:
        raw.send(request(gateway.key, chat_body("stream-20-50", stream=True)))
        call = upstream.wait_call("stream-20-50")
        first = raw.read_some()
        assert first.startswith(b"HTTP/1.1 200")
        gateway.process.send_signal(sent)
        refused_at = None
        while refused_at is None and not call.finished:
            try:
                socket.create_connection(("127.0.0.1", gateway.port), 1).close()
            except ConnectionResetError:
                pass  # the handshake crossed the closing of the port
            except ConnectionRefusedError:
                refused_at = time.monotonic()
            time.sleep(0.01)
        assert refused_at, "the port stays open during the drain"
        assert not call.finished
        rest = first + raw.until_closed()
    assert rest.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
    assert rest.count(b'"content"') >= 20
    assert gateway.process.wait(10 * PATIENCE) == 0
    idle.sock.close()


def test_ordinary_request_is_finished_during_the_drain(gateway_factory, upstream):
    gateway = lifecycle_gateway(gateway_factory, upstream)
    with Raw(gateway.port) as raw:
        raw.send(request(gateway.key, chat_body("delay-500")))
        upstream.wait_call("delay-500")
        gateway.process.send_signal(signal.SIGTERM)
        answer = raw.answer()
        assert answer.status == 200
        assert answer.headers["connection"] == "close"
    assert gateway.process.wait(10 * PATIENCE) == 0


def test_stop_without_work_is_immediate(gateway_factory, upstream):
    gateway = lifecycle_gateway(gateway_factory, upstream)
    started = time.monotonic()
    assert gateway.terminate() == 0
    took = time.monotonic() - started
    print(f"\nSIGTERM to exit: {took * 1000:.0f} ms")
    assert took < 1.0 * PATIENCE


def test_second_signal_ends_the_drain(gateway_factory, upstream):
    gateway = lifecycle_gateway(gateway_factory, upstream)
    with Raw(gateway.port) as raw:
        raw.send(request(gateway.key, chat_body("hang")))
        upstream.wait_call("hang")
        gateway.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        assert gateway.process.poll() is None
        gateway.process.send_signal(signal.SIGTERM)
        assert gateway.process.wait(8 * PATIENCE) == 0


# ------------------------------------------------------------------ health and slow models
def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def test_readiness_under_load(gateway_factory, upstream):
    gateway = lifecycle_gateway(gateway_factory, upstream)
    stop = threading.Event()

    def load():
        with Raw(gateway.port, timeout=30) as raw:
            while not stop.is_set():
                assert raw.send(request(gateway.key, chat_body("ok"))).answer().status == 200

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    times = []
    with Raw(gateway.port, timeout=30) as probe:
        for _ in range(300):
            started = time.monotonic()
            assert probe.send(request("", method="GET", path="/health/readiness")).answer().status == 200
            times.append(time.monotonic() - started)
    stop.set()
    for thread in threads:
        thread.join()
    print(f"\nreadiness under load: p50 {percentile(times, .5) * 1000:.1f} ms, p99 {percentile(times, .99) * 1000:.1f} ms")
    assert percentile(times, 0.99) < 0.25 * PATIENCE


def test_ollama_cold_load_is_an_ordinary_request(gateway_factory, upstream, ollama_server):
    seconds = 8
    gateway = gateway_factory({
        "model_list": [row("cold", f"ollama_chat/delay-{seconds * 1000}.cold", ollama_server.base, timeout=120),
                       row("cold", f"ollama_chat/delay-{seconds * 1000}.cold", ollama_server.base, timeout=120),
                       row("warm", "ollama_chat/ok.warm", ollama_server.base), row("ok", "openai/ok", upstream.v1)],
        "litellm_settings": {"callbacks": ["prometheus"]}, "router_settings": {"num_retries": 2}})
    answers, times = [], []

    def cold(stream):
        with requests.Session() as http:
            answers.append(http.post(gateway.url + "/v1/chat/completions", timeout=60, headers=gateway.http.headers, json={
                "model": "cold", "stream": stream, "messages": [{"role": "user", "content": "hi"}]}))

    threads = [threading.Thread(target=cold, args=(stream,)) for stream in (False, True)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    while time.monotonic() - started < seconds - 1:
        for call in (lambda: gateway.chat("warm"), lambda: gateway.chat("ok"), lambda: gateway.get("/health/readiness")):
            before = time.monotonic()
            assert call().status_code == 200
            times.append(time.monotonic() - before)
        time.sleep(0.02)
    for thread in threads:
        thread.join()
    print(f"\nduring a cold load: {len(times)} other requests, slowest {max(times) * 1000:.1f} ms")
    assert max(times) < 0.5 * PATIENCE
    assert [a.status_code for a in answers] == [200, 200]
    assert ollama_server.count(f"delay-{seconds * 1000}.cold") == 2  # no retry
    assert gateway.metric("litellm_deployment_cooled_down_total") == 0
    assert gateway.metric("litellm_deployment_failure_responses_total") == 0


def test_readiness_needs_no_key_and_no_upstream(gateway_factory):
    gateway = gateway_factory({"model_list": [row("gone", "openai/ok", f"http://127.0.0.1:{free_port()}/v1")]})
    for path in ("/health/readiness", "/health/liveliness", "/health/liveness"):
        answer = requests.get(gateway.url + path, timeout=10)
        assert answer.status_code == 200
        json.loads(answer.text)


def test_sighup_does_not_end_the_process(gateway_factory, upstream):
    gateway = lifecycle_gateway(gateway_factory, upstream)
    gateway.process.send_signal(signal.SIGHUP)
    time.sleep(0.2)
    assert gateway.chat("ok").status_code == 200


def test_descriptors_do_not_leak(gateway_factory, upstream):
    """Once failed on a busy machine: the count was taken before the gateway had accepted anybody (then it is low),
    and again while all of them were open. So first every one of them must have been accounted."""
    gateway = lifecycle_gateway(gateway_factory, upstream, callbacks=["prometheus"])

    def descriptors():
        return len(os.listdir(f"/proc/{gateway.process.pid}/fd"))

    gateway.chat("ok")
    gateway.samples()
    before = descriptors()
    for _ in range(100):
        with Raw(gateway.port) as raw:
            raw.send(request(gateway.key, chat_body("ok"))).answer()
    for _ in range(50):
        Raw(gateway.port).send(request(gateway.key, chat_body("hang"))).sock.close()
    labels = {"exception_status": "499"}
    assert gateway.wait_metric(50, "litellm_proxy_failed_requests_metric_total", timeout=30, **labels) == 50
    end = time.monotonic() + 10
    while (count := descriptors()) > before + 4 and time.monotonic() < end:
        time.sleep(0.05)
    assert count <= before + 4
