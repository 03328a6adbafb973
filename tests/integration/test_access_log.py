"""The access log: one JSON line per inference request, whatever becomes of it, and never in its way."""
import json
import os
import socket
import subprocess
import time

import pytest

from gateway import BINARY, PATIENCE, Gateway, row
from rawhttp import Raw, chat_body, request

SINK = {"sink": "access_log"}
RECORDS = "litellm_gw_telemetry_records_total"


def config_of(upstream, log, **sections):
    rows = [row("ok", "openai/ok.a", upstream.v1, info={"id": "row-ok"}, input_cost_per_token=0.001),
            row("bad", "openai/status-500.a", upstream.v1, info={"id": "row-bad"}),
            row("streaming", "openai/stream-5-5", upstream.v1),
            row("broken", "openai/midcut.a", upstream.v1), row("silent", "openai/hang.a", upstream.v1)]
    return {"model_list": rows, "litellm_settings": {"callbacks": ["prometheus"], "fallbacks": [{"bad": ["ok"]}]},
            "router_settings": {"num_retries": 1, "retry_after": 0, "disable_cooldowns": True},
            "general_settings": {"access_log": log, **sections}}


def lines_of(path, count):
    end = time.monotonic() + 10 * PATIENCE
    while True:
        lines = path.read_text().splitlines() if path.exists() else []
        if len(lines) >= count or time.monotonic() > end:
            assert len(lines) == count, lines
            return [json.loads(line) for line in lines]
        time.sleep(0.01)


@pytest.fixture
def log(tmp_path):
    return tmp_path / "access.jsonl"


def test_success_fallback_and_refusal(gateway_factory, upstream, log):
    gateway = gateway_factory(config_of(upstream, str(log)), env={"INTERTIE_TEST": "1"})
    assert gateway.chat("ok", headers={"x-litellm-call-id": "call-1"}, user="alice").status_code == 200
    assert gateway.chat("bad").status_code == 200
    assert gateway.chat("unknown").status_code == 400
    ok, fallback, refused = lines_of(log, 3)
    assert ok["call_id"] == "call-1" and ok["end_user"] == "alice"
    assert (ok["status"], ok["outcome"], ok["model"], ok["model_id"]) == (200, "success", "ok", "row-ok")
    assert ok["method"] == "POST" and ok["path"] == "/v1/chat/completions"
    assert ok["spend_usd"] == pytest.approx(0.001 * ok["prompt_tokens"]) and ok["prompt_tokens"] > 0
    assert ok["ms"] >= ok["upstream_ms"] >= 0 and ok["overhead_ms"] >= 0
    assert abs(time.time() - time.mktime(time.strptime(ok["time"][:19], "%Y-%m-%dT%H:%M:%S")) + time.timezone) < 60
    assert [a["outcome"] for a in fallback["attempts"]] == ["failed", "failed", "success"]
    assert [a["model_id"] for a in fallback["attempts"]] == ["row-bad", "row-bad", "row-ok"]
    assert [a["status"] for a in fallback["attempts"]] == [500, 500, 200]
    assert fallback["attempts"][0]["error_class"] == "InternalServerError"
    begins = [a["at_ms"] for a in fallback["attempts"]]
    assert begins == sorted(begins) and begins[-1] + fallback["attempts"][-1]["ms"] <= fallback["ms"] + 0.01
    assert fallback["model"] == "bad" and fallback["model_group"] == "ok" and fallback["fallbacks"] == 1
    assert (refused["status"], refused["outcome"], refused["attempts"]) == (400, "failure", [])
    assert "unknown" in refused["error"]
    assert gateway.wait_metric(3, RECORDS, outcome="delivered", **SINK) == 3
    assert gateway.key not in log.read_text() and "sk-upstream" not in log.read_text()


def test_streams(gateway_factory, upstream, log):
    gateway = gateway_factory(config_of(upstream, str(log)))
    assert gateway.chat("streaming", stream=True).text.endswith("data: [DONE]\n\n")
    assert gateway.chat("broken", stream=True).status_code == 200
    raw = Raw(gateway.port)
    raw.send(request(gateway.key, chat_body("silent", stream=True)))
    upstream.wait_call("hang.a")
    raw.sock.close()
    whole, broken, abandoned = lines_of(log, 3)
    assert whole["stream"] is True and 0 < whole["first_token_ms"] < whole["ms"]
    assert whole["attempts"][0]["first_token_ms"] > 0
    assert broken["outcome"] == "failure" and broken["attempts"][-1]["outcome"] == "broken"
    assert (abandoned["outcome"], abandoned["status"]) == ("abandoned", 499)
    assert abandoned["attempts"][-1]["outcome"] == "cancelled"


def test_bytes_that_are_no_text(gateway_factory, upstream, log):
    gateway = gateway_factory(config_of(upstream, str(log)))
    raw = Raw(gateway.port)
    raw.send(request("", b"{}", headers=[("authorization", None), ("user-agent", '\xff\xfe"\\')]))
    assert raw.answer().status == 401
    (line,) = lines_of(log, 1)
    assert line["user_agent"] == '??"\\' and line["status"] == 401


def test_rotation_and_reload(gateway_factory, upstream, log):
    gateway = gateway_factory(config_of(upstream, str(log)))
    gateway.chat("ok")
    lines_of(log, 1)
    os.rename(log, str(log) + ".1")
    end = time.monotonic() + 10 * PATIENCE
    while not log.exists() and time.monotonic() < end:
        time.sleep(0.02)
    gateway.chat("ok")
    lines_of(log, 1)
    gateway.config_file.write_text(gateway.config_file.read_text().replace(str(log), "false"))
    assert gateway.post("/config/reload", {}).status_code == 200
    for _ in range(3):
        gateway.chat("ok")
    assert gateway.metric(RECORDS, **SINK) == 2
    lines_of(log, 1)


def test_the_last_lines_are_written_at_the_end(tmp_path, upstream, log):
    gateway = Gateway(tmp_path / "g", config_of(upstream, str(log))).start()
    for _ in range(20):
        gateway.chat("ok")
    gateway.finish()
    assert len(log.read_text().splitlines()) == 20


def test_a_reader_that_stalls_delays_nobody(tmp_path, upstream):
    """Standard output is a pipe that nobody reads: requests go on, the end of the process too."""
    gateway = Gateway(tmp_path / "g", config_of(upstream, True))
    read_end, write_end = os.pipe()
    with open(gateway.log_file, "ab") as errors:
        gateway.process = subprocess.Popen(gateway.command(), stdout=write_end, stderr=errors, env=gateway.env,
                                           cwd=gateway.folder)
    os.close(write_end)
    gateway.wait_ready()
    for i in range(200):  # some 800 bytes a line: more than a pipe of 64 KiB takes
        assert gateway.chat("ok", user="u" * 200).status_code == 200
    begin = time.monotonic()
    gateway.finish()
    assert time.monotonic() - begin < 8 * PATIENCE
    taken = os.read(read_end, 1 << 20)
    os.close(read_end)
    assert json.loads(taken.split(b"\n")[0])["status"] == 200


def test_a_file_that_cannot_be_opened_is_said_and_counted(gateway_factory, upstream, tmp_path):
    gateway = gateway_factory(config_of(upstream, str(tmp_path / "no" / "such" / "folder")))
    assert gateway.chat("ok").status_code == 200
    assert gateway.wait_metric(1, RECORDS, outcome="dropped_error", **SINK) == 1
    assert gateway.metric("litellm_callback_logging_failures_metric_total", callback_name="access_log") == 1
    assert "the access log cannot be opened" in gateway.said("the access log cannot be opened")


def test_what_clients_choose_stays_json(gateway_factory, upstream, log):
    """Bytes that are no UTF-8 in a header that names the user and in a model of the path; a model of a megabyte."""
    config = config_of(upstream, str(log), user_header_name="x-user")
    config["model_list"].append(row("any/*", "openai/ok.*", upstream.v1))
    gateway = gateway_factory(config)
    raw = Raw(gateway.port)
    raw.send(request(gateway.key, chat_body("ok"), headers=[("x-user", "caf\xe9")]))
    assert raw.answer().status == 200
    raw.send(request(gateway.key, b'{"messages":[]}', path="/engines/any%2F%FF%FE/chat/completions"))
    raw.answer()
    gateway.chat("any/" + "m" * 1_000_000)
    named, path, long = lines_of(log, 3)
    assert named["end_user"] == "caf?" and path["model"] == "any/??"
    assert len(json.dumps(long)) < 8000


def test_a_fifo_without_a_reader_delays_nobody(gateway_factory, upstream, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    gateway = gateway_factory(config_of(upstream, str(tmp_path / "fifo")))
    assert gateway.chat("ok").status_code == 200
    assert gateway.wait_metric(1, RECORDS, outcome="dropped_error", **SINK) == 1


def test_a_slow_name_server_does_not_outlive_the_gateway(gateway_factory, upstream, log):
    """The name of an upstream is still being looked up when the process ends."""
    config = config_of(upstream, str(log))
    config["model_list"].append(row("nowhere", "openai/x", "http://nowhere.invalid/v1"))
    gateway = gateway_factory(config)
    raw = Raw(gateway.port)
    raw.send(request(gateway.key, chat_body("nowhere")))
    raw.sock.close()
