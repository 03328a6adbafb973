"""Callbacks and alerting: what arrives where, for which outcome, and what never leaves the gateway."""
import base64
import json
import re
import time

import pytest
import requests
import yaml

from gateway import PATIENCE, free_port, row
from rawhttp import Raw, chat_body, request
from receiver import Receiver, object_key, signature_is_right

NAMES = ("ok.a", "status-500.a", "status-500.fb", "status-400.a", "stream-3-5.a", "tools.a", "delay-1500.a", "hang.a")
SENT = "litellm_gw_telemetry_records_total"


@pytest.fixture
def receiver():
    with Receiver() as server:
        yield server


@pytest.fixture
def start(gateway_factory, upstream):
    def go(settings, *, env=None, general=None, **kw):
        config = {"model_list": [row(n, f"openai/{n}", upstream.v1, info={"id": f"id-{n}"}) for n in NAMES],
                  "litellm_settings": settings, "general_settings": general or {},
                  "router_settings": {"num_retries": 0, "disable_cooldowns": True,
                                      "fallbacks": [{"status-500.fb": ["ok.a"]}]}}
        env = {"DEFAULT_FLUSH_INTERVAL_SECONDS": "0.1", "DEFAULT_S3_FLUSH_INTERVAL_SECONDS": "0.1",
               "LANGFUSE_FLUSH_INTERVAL": "0.1", **(env or {})}
        return gateway_factory({**config, **kw}, env=env)
    return go


def generic(receiver, name="generic_api", **more):
    return {"callbacks": [name], **more}, {"GENERIC_LOGGER_ENDPOINT": receiver.url + "/log",
                                           "GENERIC_LOGGER_HEADERS": "x-from=gateway,authorization=Bearer secret-t"}


def of(events, status=None, model=None):
    return [e for e in events if status in (None, e["status"]) and model in (None, e["model_group"])]


def test_success_failure_and_fallback(start, receiver):
    settings, env = generic(receiver)
    gateway = start(settings, env=env)
    gateway.chat("ok.a", user="me", temperature=0.5, metadata={"tags": ["t1"], "trace_id": "tr"},
                 headers={"x-foo": "bar", "x-api-key-2": "conceal-me"})
    assert gateway.chat("status-500.a").status_code == 500
    assert gateway.chat("status-500.fb").status_code == 200
    assert gateway.chat("unknown").status_code == 400
    events = receiver.wait(lambda: len(e := receiver.events("/log")) >= 5 and e)
    time.sleep(0.2 * PATIENCE)
    assert len(receiver.events("/log")) == 5, "one event each, two where it fell back"

    head = receiver.messages[0].headers
    assert head["x-from"] == "gateway" and head["authorization"] == "Bearer secret-t"
    assert head["content-type"] == "application/json"

    good = of(events, "success", "ok.a")[0]
    assert good["call_type"] == "acompletion" and good["model"] == "openai/ok.a" and good["model_id"] == "id-ok.a"
    assert good["trace_id"] == "tr" and good["end_user"] == "me" and "t1" in good["request_tags"]
    assert good["messages"] == [{"role": "user", "content": "hi"}]
    assert good["response"]["choices"][0]["message"]["content"]
    assert good["total_tokens"] == good["response"]["usage"]["total_tokens"] > 0
    assert good["model_parameters"]["temperature"] == 0.5
    assert 0 < good["endTime"] - good["startTime"] < 30 and abs(time.time() - good["endTime"]) < 60
    assert good["metadata"]["requester_custom_headers"] == {"x-foo": "bar"}

    bad = of(events, "failure", "status-500.a")[0]
    assert bad["error_information"]["error_code"] == "500"
    assert bad["error_information"]["error_class"] == "InternalServerError" and bad["error_str"]
    fell = of(events, model="status-500.fb") + [e for e in events if e["litellm_call_id"] in
                                                {f["litellm_call_id"] for f in of(events, model="status-500.fb")}]
    assert {e["status"] for e in fell} == {"failure", "success"}
    refused = [e for e in events if e["model"] == "unknown"]
    assert len(refused) == 1 and refused[0]["status"] == "failure" and refused[0]["model_id"] == ""

    text = b"".join(m.body for m in receiver.messages).decode()
    for secret in (gateway.key, "sk-upstream", "conceal-me", "secret-t"):
        assert secret not in text
    assert "secret-t" not in gateway.log()


def test_streams_are_put_together(start, receiver):
    settings, env = generic(receiver)
    gateway = start(settings, env=env)
    body = {"max_tokens": 9, "messages": [{"role": "user", "content": "hi"}], "stream": True}
    gateway.chat("stream-3-5.a", stream=True)
    gateway.chat("tools.a", stream=True, tools=[{"type": "function", "function": {"name": "f", "parameters": {}}}])
    gateway.post("/v1/completions", {"model": "ok.a", "prompt": "hi", "stream": True})
    gateway.post("/v1/messages", {"model": "ok.a", **body})
    events = receiver.wait(lambda: len(e := receiver.events("/log")) >= 4 and e)
    whole = {e["call_type"] + e["model_group"]: e for e in events}
    assert all(e["stream"] is True and e["status"] == "success" for e in events)
    chat = whole["acompletionstream-3-5.a"]
    plain = gateway.chat("stream-3-5.a").json()["choices"][0]["message"]["content"]
    assert chat["response"]["object"] == "chat.completion"
    assert len(chat["response"]["choices"][0]["message"]["content"]) > 0 and plain
    assert chat["startTime"] < chat["completionStartTime"] <= chat["endTime"]
    assert whole["acompletiontools.a"]["response"]["choices"][0]["message"]["tool_calls"][0]["function"]["name"]
    assert whole["atext_completionok.a"]["response"]["choices"][0]["text"]
    message = whole["anthropic_messagesok.a"]["response"]
    assert message["type"] == "message" and message["content"][0]["text"]


def test_cached_hits_redaction_and_no_log(start, receiver):
    settings, env = generic(receiver, turn_off_message_logging=True, redact_user_api_key_info=True, cache=True,
                            cache_params={"type": "local"})
    gateway = start(settings, env=env)
    for _ in range(2):
        gateway.chat("ok.a", messages=[{"role": "user", "content": "very private"}])
    gateway.chat("ok.a", messages=[{"role": "user", "content": "unlogged"}], **{"no-log": True})
    gateway.chat("ok.a", messages=[{"role": "user", "content": "unlogged" + "x" * (2 << 20)}], **{"no-log": True})
    gateway.chat("ok.a", messages=[{"role": "user", "content": "shown"}],
                 headers={"litellm-disable-message-redaction": "true"})
    events = receiver.wait(lambda: len(e := receiver.events("/log")) >= 3 and e)
    hit = [e for e in events if e["cache_hit"]]
    assert len(hit) == 1 and hit[0]["cache_key"] and "_cache_hit" in hit[0]["id"] and hit[0]["response_cost"] == 0
    text = json.dumps(events)
    assert "very private" not in text and "unlogged" not in text and "user_api_key_hash" not in text
    assert "shown" in text and "redacted-by-litellm" in text


def test_lists_decide_about_outcomes_and_formats(start, receiver):
    entry = {"callback_type": "generic_api", "headers": {"X-Token": "os.environ/TOKEN_X"}}
    named = {"fails": {**entry, "endpoint": receiver.url + "/fails", "log_format": "ndjson"},
             "wins": {**entry, "endpoint": receiver.url + "/wins", "log_format": "single"},
             "typed": {**entry, "endpoint": receiver.url + "/typed", "event_types": ["llm_api_failure"]}}
    gateway = start({"failure_callback": ["fails"], "success_callback": ["wins"], "callbacks": ["typed"]},
                    env={"TOKEN_X": "tok"}, callback_settings=named)
    for _ in range(2):
        gateway.chat("ok.a")
        gateway.chat("status-500.a")
    receiver.wait(lambda: sum(m.body.count(b"litellm_call_id") for m in receiver.messages) >= 6)
    lines = [json.loads(line) for m in receiver.at("/fails") for line in m.body.splitlines()]
    assert [e["status"] for e in lines] == ["failure"] * 2
    assert [m.json()["status"] for m in receiver.at("/wins")] == ["success"] * 2
    assert [e["status"] for e in receiver.events("/typed")] == ["failure"] * 2
    assert receiver.at("/fails")[0].headers["x-token"] == "tok"


def test_receiver_down_then_up(start):
    port = free_port()
    down = Receiver(port=port)
    settings, env = generic(down)
    env["GENERIC_LOGGER_ENDPOINT"] = f"http://127.0.0.1:{port}/log"
    gateway = start(settings, env=env)
    assert gateway.chat("ok.a").status_code == 200, "a receiver that is away harms nobody"
    time.sleep(0.5)
    with down as receiver:
        receiver.status = 503
        time.sleep(0.5)
        receiver.status = 200
        gateway.chat("ok.a")
        receiver.wait(lambda: len(receiver.events("/log")) >= 2, seconds=15)


def test_what_waits_is_sent_at_the_end(start, receiver):
    settings, env = generic(receiver)
    gateway = start(settings, env={**env, "DEFAULT_FLUSH_INTERVAL_SECONDS": "3600"})
    gateway.chat("ok.a")
    gateway.terminate()
    assert len(receiver.events("/log")) == 1


def test_s3_objects_are_signed_and_named(start, receiver):
    params = {"s3_bucket_name": "logs", "s3_region_name": "eu-central-1", "s3_endpoint_url": receiver.url,
              "s3_path": "pre/fix", "s3_aws_access_key_id": "AKID", "s3_aws_secret_access_key": "os.environ/S3_SECRET"}
    gateway = start({"callbacks": ["s3_v2"], "s3_callback_params": params}, env={"S3_SECRET": "very-secret"})
    gateway.chat("ok.a")
    gateway.chat("status-500.a")
    receiver.wait(lambda: len(receiver.messages) >= 2)
    for message in receiver.messages:
        assert message.method == "PUT" and signature_is_right(message, "very-secret")
        assert "AKID/" in message.headers["authorization"]
        assert re.fullmatch(r"/logs/pre/fix/\d{4}-\d\d-\d\d/time-\d\d-\d\d-\d\d-\d{6}_\S+\.json", object_key(message))
    assert {m.json()["status"] for m in receiver.messages} == {"success", "failure"}
    assert "very-secret" not in gateway.log()


def test_s3_signs_each_attempt(start, receiver):
    receiver.status = 503
    params = {"s3_bucket_name": "logs", "s3_region_name": "eu-central-1", "s3_endpoint_url": receiver.url,
              "s3_aws_access_key_id": "AKID", "s3_aws_secret_access_key": "s"}
    gateway = start({"callbacks": ["s3_v2"], "s3_callback_params": params})
    gateway.chat("ok.a")
    receiver.wait(lambda: len(receiver.refused) >= 3)
    receiver.status = 200
    receiver.wait(lambda: receiver.messages)
    attempts = receiver.refused + receiver.messages
    assert all(signature_is_right(m, "s") for m in attempts)
    assert len({m.headers["x-amz-date"] for m in attempts}) > 1
    assert len({m.headers["x-amz-content-sha256"] for m in attempts}) == 1


def test_s3_batch_files_with_a_session_token(start, receiver):
    params = {"s3_bucket_name": "logs", "s3_endpoint_url": receiver.url, "s3_batch_file_upload": True,
              "s3_log_prompts_only": True}
    gateway = start({"success_callback": ["s3_v2"], "s3_callback_params": params},
                    env={"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "token",
                         "AWS_REGION": "us-east-1"})
    for _ in range(3):
        gateway.chat("ok.a")
    receiver.wait(lambda: sum(len(m.body.splitlines()) for m in receiver.messages) == 3)
    for message in receiver.messages:
        assert message.path.endswith(".jsonl") and signature_is_right(message, "s")
        assert message.headers["x-amz-security-token"] == "token"
        assert all(json.loads(line)["response"] is None for line in message.body.splitlines())


def test_langfuse(start, receiver):
    gateway = start({"success_callback": ["langfuse"], "failure_callback": ["langfuse"], "langfuse_default_tags": ["team"]},
                    env={"LANGFUSE_PUBLIC_KEY": "pk", "LANGFUSE_SECRET_KEY": "sk", "LANGFUSE_HOST": receiver.url})
    gateway.chat("ok.a", metadata={"session_id": "s", "trace_id": "my-trace", "team": "red"},
                 headers={"langfuse_trace_user_id": "somebody"})
    gateway.chat("status-500.a")

    def events():
        return [e for m in receiver.at("/api/public/ingestion") for e in m.json()["batch"]]
    receiver.wait(lambda: len(events()) >= 4)
    assert receiver.messages[0].headers["authorization"] == "Basic " + base64.b64encode(b"pk:sk").decode()
    assert len({e["id"] for e in events()}) == 4
    trace = [e["body"] for e in events() if e["type"] == "trace-create"][0]
    assert trace["id"] == "my-trace" and trace["sessionId"] == "s" and trace["userId"] == "somebody"
    assert "team:red" in trace["tags"]
    first, failed = [e["body"] for e in events() if e["type"] == "generation-create"]
    assert first["traceId"] == "my-trace" and first["level"] == "DEFAULT" and first["usageDetails"]["total"] > 0
    assert failed["level"] == "ERROR" and failed["statusMessage"]


def test_datadog_logs_and_series(start, receiver):
    gateway = start({"callbacks": ["datadog", "datadog_metrics"]},
                    env={"DD_API_KEY": "dd-secret", "DD_SITE": "nowhere.example", "DD_BASE_URL": receiver.url,
                         "DD_ENV": "test", "DD_SOURCE": "src", "DD_SERVICE": "svc"})
    gateway.chat("ok.a", metadata={"tags": ["Some Tag"]})
    gateway.chat("status-500.a")
    receiver.wait(lambda: len(receiver.events("/api/v2/logs")) >= 2)
    assert receiver.messages[0].headers["dd-api-key"] == "dd-secret"
    assert receiver.messages[0].headers["content-encoding"] == "gzip"
    good, bad = receiver.events("/api/v2/logs")
    assert good["status"] == "info" and bad["status"] == "error" and good["ddsource"] == "src"
    assert "env:test" in good["ddtags"] and "request_tag:some_tag" in good["ddtags"]
    assert json.loads(good["message"])["model_group"] == "ok.a"
    series = receiver.wait(lambda: [s for m in receiver.at("/api/v2/series") for s in m.json()["series"]])
    receiver.wait(lambda: sum(len(m.json()["series"]) for m in receiver.at("/api/v2/series")) >= 6)
    assert {"litellm.request.total_latency", "litellm.llm_api.request_count"} <= {s["metric"] for s in series}
    assert any("status_code:200" in s["tags"] for s in series)
    assert "dd-secret" not in gateway.log()


def test_alerts(start, receiver):
    gateway = start({}, general={"alerting": ["slack", "ms_teams"], "alerting_threshold": 0.5,
                                 "alerting_args": {"minor_outage_alert_threshold": 3},
                                 "alert_to_webhook_url": {"outage_alerts": ["os.environ/OTHER", receiver.url + "/third"]}},
                    env={"SLACK_WEBHOOK_URL": receiver.url + "/slack", "OTHER": receiver.url + "/other",
                         "MS_TEAMS_WEBHOOK_URL": receiver.url + "/teams"})
    for _ in range(3):
        gateway.chat("status-500.a")
    gateway.chat("delay-1500.a", messages=[{"role": "user", "content": "private words"}])
    with pytest.raises(requests.Timeout):
        gateway.post("/v1/chat/completions", {"model": "hang.a", "messages": []}, timeout=1.5 * PATIENCE)

    def alerts(kind, path="/slack"):
        return [t for m in receiver.at(path) if (t := m.json().get("text", "")).startswith(f"Alert type: `{kind}`")
                or f"\n\nAlert type: `{kind}`" in t]
    receiver.wait(lambda: alerts("llm_too_slow") and len(alerts("llm_requests_hanging")) >= 2)
    assert "Request Model: `delay-1500.a`" in alerts("llm_too_slow")[0]
    assert "Level: `Medium`" in alerts("llm_requests_hanging")[0]
    assert any("Request Model: `hang.a`" in t for t in alerts("llm_requests_hanging"))
    assert alerts("llm_exceptions")
    for path in ("/other", "/third"):
        assert "Minor Service Outage" in alerts("outage_alerts", path)[0]
    assert not alerts("outage_alerts")
    assert receiver.at("/teams")[0].json()["attachments"][0]["content"]["type"] == "AdaptiveCard"
    assert b"private words" not in b"".join(m.body for m in receiver.messages)


# A reload began alerting anew: what hung was forgotten, an outage counted from nothing.
def test_alerts_remember_what_was_before_a_reload(start, receiver):
    gateway = start({"callbacks": ["prometheus"]}, general={
        "alerting": ["slack"], "alerting_threshold": 1 + 0.2 * PATIENCE,
        "alert_types": ["llm_requests_hanging", "outage_alerts"], "alerting_args": {"minor_outage_alert_threshold": 3}},
        env={"SLACK_WEBHOOK_URL": receiver.url + "/slack"})

    def texts():
        return [m.json()["text"] for m in receiver.at("/slack")]
    with Raw(gateway.port) as client:
        client.send(request(gateway.key, chat_body("hang.a")))
        for _ in range(2):
            gateway.chat("status-500.a")
        assert gateway.wait_metric(2, "litellm_proxy_failed_requests_metric_total") == 2
        for seconds in (61, 62):
            config = yaml.safe_load(gateway.config_file.read_text())
            config["router_settings"]["cooldown_time"] = seconds
            gateway.config_file.write_text(yaml.safe_dump(config))
            assert gateway.post("/config/reload", {}).json()["status"] == "applied"
        assert not texts()
        gateway.chat("status-500.a")
        receiver.wait(lambda: len(texts()) >= 2)
    assert sorted("outage" in t for t in texts()) == [False, True]
    assert any("Minor Service Outage" in t and "API Errors: 3" in t for t in texts())
    assert any("Requests are hanging" in t and "Request Model: `hang.a`" in t for t in texts())


def test_a_missing_credential_is_named_and_the_start_goes_on(start):
    gateway = start({"callbacks": ["generic_api", "datadog", "s3_v2", "langfuse"]}, general={"alerting": ["slack"]})
    for name in ("GENERIC_LOGGER_ENDPOINT", "DD_API_KEY", "s3_bucket_name", "LANGFUSE_PUBLIC_KEY", "SLACK_WEBHOOK_URL"):
        assert name in gateway.said(name), name
    assert gateway.get("/health/services", params={"service": "slack"}).status_code == 422
    assert gateway.chat("ok.a").status_code == 200


def test_deliveries_are_counted(start, receiver):
    settings, env = generic(receiver)
    settings["callbacks"].append("prometheus")
    gateway = start(settings, env=env)
    gateway.chat("ok.a")
    receiver.wait(lambda: receiver.events("/log"))
    assert gateway.wait_metric(1, SENT, sink="generic_api", outcome="delivered") == 1


def test_health_services_sends_a_test_event(start, receiver):
    settings, env = generic(receiver)
    gateway = start(settings, general={"alerting": ["slack", "ms_teams"]},
                    env={**env, "SLACK_WEBHOOK_URL": receiver.url + "/slack",
                         "MS_TEAMS_WEBHOOK_URL": receiver.url + "/teams"})

    def ask(service):
        return gateway.get("/health/services", params={"service": service})
    assert ask("generic_api").json()["status"] == ask("slack").json()["status"] == "success"
    event = receiver.wait(lambda: receiver.events("/log"))[0]
    assert event["status"] == "success" and event["end_user"] == "litellm:/health/services"
    receiver.wait(lambda: receiver.at("/slack"))
    assert not receiver.at("/teams")
    assert ask("ms_teams").json()["status"] == "success"
    receiver.wait(lambda: receiver.at("/teams"))
    assert len(receiver.at("/slack")) == 1, "each test goes to its own chat"
    assert ask("langfuse").status_code == 400
    assert gateway.http.get(gateway.url + "/health/services?service=slack", headers={"Authorization": "no"}).status_code == 401
