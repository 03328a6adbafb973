"""Do the settings decide which metrics and labels there are? prometheus_*, custom_prometheus_*, service_callback."""
import json
import subprocess
import time

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families as parse_text

from gateway import BINARY, PATIENCE, SANITIZED, row

TOTAL = "litellm_proxy_total_requests_metric_total"
FAILED = "litellm_proxy_failed_requests_metric_total"
LATENCY = "litellm_request_total_latency_metric_count"


def config(upstream, **litellm):
    rows = [row("ok", "openai/ok", upstream.v1, {"id": "id-ok"}),
            row("busy", "openai/status-429", upstream.v1, {"id": "id-busy"})]
    return {"model_list": rows, "litellm_settings": {"callbacks": ["prometheus"], **litellm},
            "router_settings": {"num_retries": 0, "disable_cooldowns": True}}


def chat(gateway, model="ok", agent="test/1.0", headers=(), **body):
    return requests.post(gateway.url + "/v1/chat/completions", timeout=20,
                         headers={"Authorization": f"Bearer {gateway.key}", "User-Agent": agent, **dict(headers)},
                         json={"model": model, "messages": [{"role": "user", "content": "hi"}], **body})


def labels_of(gateway, name):
    return [labels for sample, labels, _ in gateway.samples() if sample == name]


def test_only_selected_metrics_with_only_their_labels(gateway_factory, upstream):
    gateway = gateway_factory(config(upstream, prometheus_metrics_config=[
        {"group": "a", "metrics": ["litellm_proxy_total_requests_metric", "litellm_requests_metric"],
         "include_labels": ["requested_model"]},
        {"group": "b", "metrics": ["litellm_proxy_total_requests_metric"],
         "include_labels": ["status_code", "requested_model"]}]), workers=2)
    for _ in range(3):
        assert chat(gateway).status_code == 200
    assert gateway.wait_metric(3, TOTAL) == 3
    names = {f.name for f in parse_text(gateway.get("/metrics").text)}
    litellm = {n for n in names if n.startswith("litellm_") and not n.startswith(("litellm_gw_", "litellm_build_info"))}
    assert litellm == {"litellm_proxy_total_requests_metric", "litellm_proxy_total_requests_metric_created",
                       "litellm_requests_metric", "litellm_requests_metric_created", "litellm_in_flight_requests"}
    assert labels_of(gateway, TOTAL) == [{"status_code": "200", "requested_model": "ok"}]
    assert labels_of(gateway, "litellm_requests_metric_total") == [{"requested_model": "ok"}]


def test_excluded_metrics_and_labels_merge_exactly(gateway_factory, upstream):
    gateway = gateway_factory(config(upstream, prometheus_exclude_metrics=["litellm_spend_metric"],
                                     prometheus_exclude_labels=["user_agent", "client_ip", "model_id"]), workers=2)
    for n in range(6):
        assert chat(gateway, agent=f"agent/{n}").status_code == 200
    assert gateway.wait_metric(6, TOTAL) == 6
    text = gateway.get("/metrics").text
    assert "litellm_spend_metric" not in text
    for family in parse_text(text):
        seen = [(s.name, frozenset(s.labels.items())) for s in family.samples]
        assert len(seen) == len(set(seen)), family.name
        for sample in family.samples:
            if family.name != "litellm_gw_deployment_cooldown_seconds":
                assert not {"user_agent", "client_ip", "model_id"} & set(sample.labels), sample.name
    assert len(labels_of(gateway, "litellm_requests_metric_total")) == 1


def test_wrong_names_refuse_the_start_and_are_all_named(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text("""general_settings: {master_key: sk-something}
litellm_settings:
  callbacks: [prometheus]
  prometheus_metrics_config:
    - metrics: [litellm_no_such_metric]
      include_labels: [model]
    - metrics: [litellm_spend_metric]
      include_labels: [model, status_code]
  prometheus_exclude_labels: [nothing]
""")
    ran = subprocess.run([str(BINARY), "check", str(file)], capture_output=True, text=True, timeout=30)
    said = ran.stdout + ran.stderr
    assert ran.returncode != 0
    for part in (":5:", "litellm_no_such_metric", ":8:", "status_code", ":9:", "nothing"):
        assert part in said, (part, said)


def test_custom_labels_on_success_and_failure(gateway_factory, upstream):
    gateway = gateway_factory(config(
        upstream, custom_prometheus_metadata_labels=["metadata.team", "metadata.cost.centre", "user_api_key_user_id"],
        custom_prometheus_tags=["prod", "User-Agent: curl/*", "User-Agent: test"]))
    metadata = {"team": "red", "cost": {"centre": "c-1"}, "tags": ["prod"]}
    assert chat(gateway, metadata=metadata, agent="curl/8.1").status_code == 200
    assert chat(gateway, "busy", metadata={"team": 7}, headers={"x-litellm-tags": "prod"}).status_code == 429
    assert chat(gateway, "no-such", metadata={"team": "blue"}).status_code == 400
    assert gateway.wait_metric(3, TOTAL) == 3
    red = {"metadata_team": "red", "metadata_cost_centre": "c-1", "user_api_key_user_id": "default_user_id",
           "tag_prod": "true", "tag_User_Agent__curl__": "true", "tag_User_Agent__test": "false"}
    for name in (TOTAL, LATENCY, "litellm_spend_metric_total", "litellm_deployment_success_responses_total"):
        assert gateway.metric(name, **red) == 1 or name == "litellm_spend_metric_total", name
        assert any(red.items() <= labels.items() for labels in labels_of(gateway, name)), name
    failed = {"metadata_team": "None", "tag_prod": "true", "tag_User_Agent__test": "true"}
    for name in (FAILED, "litellm_deployment_failure_responses_total"):
        assert gateway.metric(name, **failed) == 1, name
    assert gateway.metric(FAILED, metadata_team="blue", tag_prod="false") == 1
    assert all("metadata_team" not in labels for labels in labels_of(gateway, "litellm_deployment_state"))


def test_the_header_of_spend_logs_and_the_user_of_metadata_count(gateway_factory, upstream):
    gateway = gateway_factory(config(upstream, custom_prometheus_metadata_labels=["metadata.team"],
                                     enable_end_user_cost_tracking_prometheus_only=True))
    logged = {"x-litellm-spend-logs-metadata": '{"team": "header"}'}
    assert chat(gateway, metadata={"team": "body", "user_id": "u-1"}, headers=logged).status_code == 200
    assert chat(gateway, headers={"x-litellm-spend-logs-metadata": "{no json"}, user="u-2").status_code == 200
    assert gateway.wait_metric(2, TOTAL) == 2
    assert gateway.metric(TOTAL, metadata_team="header", end_user="u-1") == 1
    assert gateway.metric(TOTAL, metadata_team="None", end_user="u-2") == 1


def test_many_metadata_values_stay_bounded(gateway_factory, upstream):
    gateway = gateway_factory(config(upstream, custom_prometheus_metadata_labels=["metadata.team"],
                                     prometheus_metrics_max_series_per_metric=5))
    for n in range(12):
        assert chat(gateway, metadata={"team": "x" * 5000 + str(n)} if n == 0 else {"team": f"t{n}"}).status_code == 200
    assert gateway.wait_metric(12, TOTAL) == 12
    teams = {labels["metadata_team"] for labels in labels_of(gateway, TOTAL)}
    assert "other" in teams and len(teams) == 6
    assert max(map(len, teams)) <= 256
    assert gateway.metric("litellm_gw_metric_overflow_total", family=TOTAL) > 0


def test_optional_labels(gateway_factory, upstream):
    gateway = gateway_factory(config(upstream, prometheus_emit_stream_label=True, prometheus_emit_rate_limit_labels=True,
                                     prometheus_emit_input_sequence_length_label=True,
                                     prometheus_deployment_and_latency_caller_identity="user_email",
                                     prometheus_user_budget_label_include_email_alias=True))
    assert chat(gateway).status_code == 200
    assert chat(gateway, stream=False).status_code == 200
    assert chat(gateway, "busy").status_code == 429
    assert gateway.wait_metric(3, TOTAL) == 3
    assert gateway.metric(TOTAL, stream="None", status_code="200") == 1
    assert gateway.metric(TOTAL, stream="False", status_code="200") == 1
    assert gateway.metric(FAILED, rate_limit_category="vendor_rate_limit", rate_limit_type="None") == 1
    assert gateway.metric(LATENCY, input_sequence_length="0-1k") == 2
    assert all("api_key_alias" not in x and "user_email" in x for x in labels_of(gateway, LATENCY))
    assert all({"user", "user_email", "user_alias"} == set(x)
               for x in labels_of(gateway, "litellm_remaining_user_budget_metric"))


def test_own_rate_limits_are_told_from_the_vendors(gateway_factory, upstream):
    settings = config(upstream, prometheus_emit_rate_limit_labels=True)
    settings["model_list"][0]["litellm_params"]["rpm"] = 1
    settings["router_settings"].update(routing_strategy="usage-based-routing-v2", enable_pre_call_checks=True,
                                       optional_pre_call_checks=["enforce_model_rate_limits"])
    gateway = gateway_factory(settings, workers=1)
    statuses = [chat(gateway).status_code for _ in range(3)]
    assert statuses == [200, 429, 429]
    assert gateway.wait_metric(2, FAILED) == 2
    assert gateway.metric(FAILED, rate_limit_category="litellm_rate_limit") == 2


def test_services(gateway_factory, upstream):
    gateway = gateway_factory(config(upstream, service_callback=["prometheus_system"]))
    assert chat(gateway).status_code == 200
    wrong = requests.post(gateway.url + "/v1/chat/completions", headers={"Authorization": "Bearer sk-no"}, timeout=10, json={})
    assert wrong.status_code == 401
    assert gateway.wait_metric(1, "litellm_self_latency_count") == 1
    assert labels_of(gateway, "litellm_self_latency_count") == [{"self": "self"}]
    assert gateway.metric("litellm_router_latency_count", router="router") == 1
    assert gateway.metric("litellm_auth_total_requests_total") == 2
    assert gateway.metric("litellm_auth_failed_requests_total", error_class="ProxyException") == 1
    assert gateway.metric("litellm_proxy_pre_call_latency_count") == 1
    assert "litellm_postgres" not in gateway.get("/metrics").text


def test_older_names_behind_their_flag(gateway_factory, upstream):
    assert "litellm_total_tokens_total" not in gateway_factory(config(upstream)).get("/metrics").text
    gateway = gateway_factory(config(upstream, prometheus_legacy_metric_names=True))
    assert chat(gateway).status_code == 200
    assert gateway.wait_metric(1, TOTAL) == 1
    for name in ("litellm_total_tokens_total", "litellm_requests_metric", "litellm_total_tokens", "litellm_total_tokens_metric"):
        assert gateway.metric(name) == gateway.metric("litellm_total_tokens_metric_total" if "tokens" in name else TOTAL), name
    text = gateway.get("/metrics", params={"name[]": "deployment_state"}).text
    assert {f.name for f in parse_text(text)} == {"deployment_state"}


def test_provider_budget_is_read_from_the_live_state(gateway_factory, upstream):
    settings = config(upstream)
    settings["router_settings"]["provider_budget_config"] = {"openai": {"budget_limit": 5, "time_period": "1d"}}
    settings["model_list"][0]["litellm_params"].update(input_cost_per_token=0.01, output_cost_per_token=0.01)
    gateway = gateway_factory(settings)
    assert gateway.metric("litellm_provider_remaining_budget_metric", api_provider="openai") == 5
    assert chat(gateway).status_code == 200
    assert gateway.wait_metric(1, TOTAL) == 1
    assert gateway.metric("litellm_provider_remaining_budget_metric") == pytest.approx(5 - 0.18)


def test_labels_are_fixed_at_the_start(gateway_factory, upstream):
    settings = config(upstream)
    gateway = gateway_factory(settings)
    settings["litellm_settings"]["prometheus_exclude_labels"] = ["user_agent"]
    settings["model_list"][0]["model_name"] = "ok2"
    gateway.config_file.write_text(json.dumps(settings))
    answer = gateway.http.post(gateway.url + "/config/reload", timeout=10)
    assert answer.status_code == 200 and "labels" in answer.text and "restart" in answer.text
    assert chat(gateway, "ok2").status_code == 200
    assert gateway.wait_metric(1, TOTAL) == 1
    assert labels_of(gateway, TOTAL)[0]["user_agent"] == "test/1.0"


# ------------------------------------------------------------------ idle series
def users_of(gateway):
    return {labels["end_user"] for name, labels, _ in gateway.samples() if name == "litellm_requests_metric_total"}


def test_idle_series_go_and_come_again(gateway_factory, upstream):
    gateway = gateway_factory(config(upstream, enable_end_user_cost_tracking_prometheus_only=True,
                                     prometheus_metrics_ttl_seconds=5 if SANITIZED else 2,
                                     prometheus_metrics_cleanup_interval_seconds=0.1), workers=2)
    for name in ("alice", "bob"):
        assert chat(gateway, user=name).status_code == 200
    assert gateway.wait_metric(2, TOTAL) == 2
    assert users_of(gateway) == {"alice", "bob"}
    end, busy = time.monotonic() + 20 * PATIENCE, 1
    while users_of(gateway) != {"bob"}:
        assert time.monotonic() < end, users_of(gateway)
        assert chat(gateway, user="bob").status_code == 200
        busy += 1
    assert gateway.wait_metric(busy, "litellm_requests_metric_total", end_user="bob") == busy, "a series in use lost counts"
    assert chat(gateway, user="alice").status_code == 200
    # Anew, or (a worker wrote to it before it had let go of it) where it stood: never lost.
    end = time.monotonic() + 5 * PATIENCE
    while gateway.metric("litellm_requests_metric_total", end_user="alice") not in (1, 2):
        assert time.monotonic() < end


def test_end_users_have_a_bound_of_their_own(gateway_factory, upstream):
    gateway = gateway_factory(config(upstream, enable_end_user_cost_tracking_prometheus_only=True,
                                     prometheus_end_user_metrics_max_series_per_metric=3,
                                     prometheus_end_user_metrics_cleanup_interval_seconds=0.1))
    for n in range(8):
        assert chat(gateway, user=f"user-{n}").status_code == 200
    end = time.monotonic() + 20 * PATIENCE
    while len(users_of(gateway)) != 3:
        assert time.monotonic() < end, users_of(gateway)
        time.sleep(0.05)
