"""A changed configuration comes into force without a restart, and nothing that runs is cut."""
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
import requests
import yaml

from gateway import PATIENCE, SANITIZED, row
from rawhttp import Raw, chat_body, request

WAIT_S = 8 * PATIENCE  # files are looked at every 2 s


def config_of(upstream, *names, **sections):
    return {"model_list": [row(n, f"openai/{n}", upstream.v1, info={"id": f"id-{n}"}) for n in names],
            "litellm_settings": {"callbacks": ["prometheus"]}, **sections}


def write(gateway, config):
    gateway.config_file.write_text(config if isinstance(config, str) else yaml.safe_dump(config, sort_keys=False))


def wait_for(test, what, limit=WAIT_S):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if test():
            return
        time.sleep(0.01)
    raise AssertionError(f"not within {limit} s: {what}")


def models(gateway):
    return {m["id"] for m in gateway.get("/v1/models").json()["data"]}


def reload(gateway):
    return gateway.post("/config/reload", {})


def test_sighup_adds_and_removes_models(gateway_factory, upstream):
    gateway = gateway_factory(config_of(upstream, "ok.a", "ok.b", general_settings={"reload_on_file_change": False}), workers=2)
    assert gateway.chat("ok.a").status_code == 200
    write(gateway, config_of(upstream, "ok.b", "ok.c", general_settings={"reload_on_file_change": False}))
    time.sleep(2.5)  # the setting holds: nothing is read without being asked
    assert models(gateway) == {"ok.a", "ok.b"}
    gateway.process.send_signal(signal.SIGHUP)
    wait_for(lambda: models(gateway) == {"ok.b", "ok.c"}, "the new list")
    assert gateway.chat("ok.c").status_code == 200
    assert gateway.chat("ok.a").status_code == 400
    for line in ("deployment added: id-ok.c", "deployment removed: id-ok.a"):
        assert line in gateway.said(line)
    assert gateway.metric("litellm_gw_config_reloads_total", outcome="applied") == 1


def test_edited_file_and_swapped_configmap_are_seen(gateway_factory, upstream, tmp_path):
    """A ConfigMap volume: config.yaml -> ..data/config.yaml, and ..data is swapped as a whole."""
    volume = tmp_path / "volume"
    for version, names in (("v1", ["ok.a"]), ("v2", ["ok.a", "ok.new"])):
        (volume / version).mkdir(parents=True)
        (volume / version / "config.yaml").write_text(yaml.safe_dump(config_of(upstream, *names)))
    os.symlink("v1", volume / "..data")
    os.symlink("..data/config.yaml", volume / "config.yaml")
    gateway = gateway_factory(None, config_file=volume / "config.yaml")
    assert models(gateway) == {"ok.a"}
    os.symlink("v2", volume / "..data_tmp")
    os.replace(volume / "..data_tmp", volume / "..data")
    wait_for(lambda: models(gateway) == {"ok.a", "ok.new"}, "the swapped volume")
    (volume / "v2" / "config.yaml").write_text(yaml.safe_dump(config_of(upstream, "ok.third")))
    wait_for(lambda: models(gateway) == {"ok.third"}, "the edited file")


@pytest.mark.parametrize("broken, says", [
    ("model_list: [\n", "config.yaml"),
    ("model_list: []\nrouter_settings: {routing_strategy: nonsense}\n", "nonsense"),
    ("model_list: []\nrouter_settings: {num_retries: many}\n", "num_retries"),
])
def test_broken_file_changes_nothing(gateway_factory, upstream, broken, says):
    gateway = gateway_factory(config_of(upstream, "ok.a", general_settings={"reload_on_file_change": False}))
    write(gateway, broken)
    answer = reload(gateway)
    assert answer.status_code == 400
    assert answer.json()["status"] == "rejected"
    assert any(says in detail for detail in answer.json()["details"]), answer.text
    assert gateway.chat("ok.a").status_code == 200
    assert gateway.metric("litellm_gw_config_reloads_total", outcome="rejected") == 1
    write(gateway, config_of(upstream, "ok.a", "ok.b"))
    assert reload(gateway).json()["status"] == "applied"
    assert reload(gateway).json() == {"status": "unchanged", "message": "configuration in force: 2 deployments", "details": []}


def test_changed_setting_is_no_unchanged_file(gateway_factory, upstream):
    """A setting that is no deployment: it is in force, and the answer says that something changed."""
    gateway = gateway_factory(config_of(upstream, "status-500.a", router_settings={"num_retries": 0}))
    assert gateway.chat("status-500.a").status_code == 500
    assert upstream.count("status-500.a") == 1
    write(gateway, config_of(upstream, "status-500.a", router_settings={"num_retries": 1}))
    assert reload(gateway).json()["status"] == "applied"
    assert reload(gateway).json()["status"] == "unchanged"
    wait_for(lambda: gateway.chat("status-500.a").status_code == 500 and upstream.count("status-500.a") >= 3, "a retry", 30)


def test_reload_needs_the_master_key(gateway_factory, upstream):
    gateway = gateway_factory(config_of(upstream, "ok.a"))
    assert requests.post(gateway.url + "/config/reload").status_code == 401
    assert requests.get(gateway.url + "/config/reload").status_code == 405


def test_cooldown_and_counters_stay_with_the_deployment_that_stays(gateway_factory, upstream):
    names = ["status-401.a", "ok.b"]
    settings = {"router_settings": {"num_retries": 0, "cooldown_time": 600}}
    gateway = gateway_factory(config_of(upstream, *names, **settings))
    assert gateway.chat("status-401.a").status_code == 401
    assert gateway.chat("status-401.a").status_code == 429  # cooling down
    before = gateway.metric("litellm_deployment_failure_responses_total")
    write(gateway, config_of(upstream, *names, "ok.c", **settings))
    assert reload(gateway).json()["status"] == "applied"
    wait_for(lambda: "ok.c" in models(gateway), "the new list")
    assert gateway.chat("status-401.a").status_code == 429
    assert gateway.metric("litellm_deployment_failure_responses_total") >= before > 0
    # Another address is another upstream: it begins anew.
    changed = config_of(upstream, *names, **settings)
    changed["model_list"][0]["litellm_params"]["api_base"] += "/"
    changed["model_list"][0]["litellm_params"]["model"] = "openai/ok.a"
    write(gateway, changed)
    assert reload(gateway).json()["status"] == "applied"
    assert gateway.chat("status-401.a").status_code == 200


def test_slots_are_counted_across_the_change(gateway_factory, upstream):
    config = config_of(upstream, "delay-1500", router_settings={"num_retries": 0})
    config["model_list"][0]["litellm_params"]["max_parallel_requests"] = 1
    gateway = gateway_factory(config)
    with Raw(gateway.port, timeout=30) as raw:
        raw.send(request(gateway.key, chat_body("delay-1500")))
        upstream.wait_call("delay-1500")
        config["model_list"] += config_of(upstream, "ok.b")["model_list"]
        write(gateway, config)
        assert reload(gateway).json()["status"] == "applied"
        assert gateway.chat("delay-1500").status_code == 429  # the old request still holds the slot
        assert raw.answer().status == 200
    assert gateway.chat("delay-1500").status_code == 200


def test_new_key_holds_for_new_requests(gateway_factory, upstream):
    gateway = gateway_factory(config_of(upstream, "ok.a", general_settings={"master_key": "sk-old-0123456789abcdef"}),
                              key="sk-old-0123456789abcdef")
    write(gateway, config_of(upstream, "ok.a", general_settings={"master_key": "sk-new-0123456789abcdef"}))
    assert reload(gateway).json()["details"] == ["the master key changed"]
    wait_for(lambda: gateway.chat("ok.a").status_code == 401, "the old key to be refused")
    gateway.http.headers["Authorization"] = "Bearer sk-new-0123456789abcdef"
    assert gateway.chat("ok.a").status_code == 200
    assert "sk-new" not in gateway.log()


PROBE = """
import socket, sys, time
port, data = int(sys.argv[1]), bytes.fromhex(sys.argv[2])
sock = socket.create_connection(("127.0.0.1", port))
while True:
    begin = time.perf_counter()
    sock.sendall(data)
    answer = b""
    while b"\\r\\n\\r\\n" not in answer or len(answer) < answer.index(b"\\r\\n\\r\\n") + 4 + int(
            answer.lower().split(b"content-length: ")[1].split(b"\\r\\n")[0]):
        answer += sock.recv(65536)
    assert answer.startswith(b"HTTP/1.1 200"), answer[:200]
    print(time.perf_counter() - begin, flush=True)
    time.sleep(0.004)
"""


class Prober:
    """A client in a process of its own, one request after the other; the model's answer is a mock, so that only the
    gateway is measured."""

    def __init__(self, gateway):
        self.data = request(gateway.key, chat_body("probe")).hex()
        self.port, self.times = gateway.port, []

    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, "-c", PROBE, str(self.port), self.data], stdout=subprocess.PIPE)
        threading.Thread(target=lambda: [self.times.append(float(line) * 1000) for line in self.process.stdout],
                         daemon=True).start()
        return self

    def __exit__(self, *_):
        assert self.process.poll() is None, "the prober met an error"
        self.process.kill()
        self.process.wait()

    def collect(self, seconds):
        """Milliseconds of every request since the last call and for so long."""
        time.sleep(seconds)
        times, self.times = self.times, []
        assert times
        return times


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def test_thousand_deployments_change_under_500_streams(gateway_factory, upstream):
    """None is cut, each is whole, and the change is in force at once."""
    streams, others = (60, 100) if SANITIZED else (500, 1000)

    def config(generation):
        others_now = [f"ok.{generation}-{i}" for i in range(others)]
        made = config_of(upstream, "stream-20-500", *others_now, general_settings={"reload_on_file_change": False})
        made["model_list"].append(row("probe", "openai/probe", upstream.v1, mock_response="here"))
        return made

    gateway = gateway_factory(config(0), workers=2)
    body = request(gateway.key, chat_body("stream-20-500", stream=True))
    open_streams = [Raw(gateway.port, timeout=60) for _ in range(streams)]
    for raw in open_streams:
        raw.send(body)
    wait_for(lambda: gateway.metric("litellm_gw_active_streams") == streams, "all streams", 20 * PATIENCE)
    results = []
    readers = [threading.Thread(target=lambda r=raw: results.append(r.answer())) for raw in open_streams]
    for reader in readers:
        reader.start()
    took = []
    with Prober(gateway) as prober:
        for _ in range(6):  # this process works as much as it will below; only the reload is missing
            write(gateway, config(0))
            for name in ("ok.0-7", "ok.0-8"):
                assert gateway.chat(name).status_code == 200
        before = prober.collect(0.3)
        for generation in range(1, 7):
            write(gateway, config(generation))
            started = time.monotonic()
            assert reload(gateway).json()["status"] == "applied"
            took.append(time.monotonic() - started)
            wait_for(lambda g=generation: gateway.chat(f"ok.{g}-7").status_code == 200, "the new generation")
            assert gateway.chat(f"ok.{generation - 1}-7").status_code == 400
        during = prober.collect(0.3)
    for reader in readers:
        reader.join(60)
    for raw in open_streams:
        raw.sock.close()
    print(f"\nreload of {others} deployments: " + ", ".join(f"{t * 1000:.0f} ms" for t in took))
    print("other requests, p50 / p99 / most: " + "; ".join(
        f"{name} {quantile(values, 0.5):.2f} / {quantile(values, 0.99):.2f} / {max(values):.2f} ms of {len(values)}"
        for name, values in (("before", before), ("while reloading", during))))
    if not SANITIZED:  # one machine carries clients, upstream and gateway: what is left is for its noise
        assert quantile(during, 0.99) <= 2 * quantile(before, 0.99) + 5
    assert len(results) == streams
    for answer in results:
        assert answer.status == 200
        assert answer.body.endswith(b"data: [DONE]\n\n")
        assert answer.body.count(b'"content"') >= 20
    assert gateway.metric("litellm_gw_stream_aborted_total") == 0
