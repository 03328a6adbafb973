"""Does every panel show something? A real Prometheus scrapes a real gateway as the ServiceMonitor says, with the shipped
rules; every expression of our dashboards and of LiteLLM's must return what the traffic did.

The traffic comes in two rounds: a rate needs two samples of a series, so the second round starts when Prometheus has seen
every series of the first.
"""
import contextlib
import json
import math
import re
import subprocess
import time

import pytest
import requests
import yaml

from gateway import ROOT, Gateway, row
from prometheus_server import Prometheus
from rawhttp import Raw, chat_body, request
from redis_server import Redis, running
from upstreams import Upstream

pytestmark = pytest.mark.slow  # one flavour: Prometheus is what is asked, not the gateway's memory
ENDPOINT = yaml.safe_load((ROOT / "deploy/k8s/servicemonitor.yaml").read_text())["spec"]["endpoints"][0]
# What Grafana puts in for its variables; wide enough for both rounds.
VARIABLES = {"$__rate_interval": "5m", "$__range": "1h", "$namespace": ".*", "$job": "litellm", "$model": ".*"}
TRACE = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}

# Expressions of LiteLLM's dashboards whose family nothing feeds yet: prefix of the family -> the missing feature. Each
# must be reserved or without values in docs/metrics-reference.md: when its feature comes, the list shrinks.
MISSING = {
    "litellm_admission_": "admission control", "litellm_images_generated_": "image generation",
    "litellm_video_duration_": "video generation", "litellm_api_key_rate_limit_": "limits of virtual keys",
    "litellm_team_": "teams", "litellm_remaining_team_": "teams", "litellm_teams_count": "teams",
    "litellm_api_key_max_budget_": "virtual keys", "litellm_api_key_budget_": "virtual keys",
    "litellm_user_": "users and their budgets", "litellm_total_users": "users", "litellm_active_users": "users",
    "litellm_org_": "organisations", "litellm_remaining_org_": "organisations",
    "litellm_customer_": "budgets of customers", "litellm_remaining_customer_": "budgets of customers",
    "litellm_guardrail_": "guardrails", "litellm_mcp_": "MCP", "litellm_managed_": "managed files and batches",
    "litellm_check_batch_cost_": "batches", "litellm_spend_log_cleanup_": "spend log in a database",
    "litellm_batch_write_to_db_": "database", "litellm_postgres_": "database", "litellm_reset_budget_job_": "budgets",
    "litellm_redis_daily_": "spend queues", "litellm_redis_window_": "spend queues", "litellm_redis_spend_": "spend queues",
    "litellm_in_memory_": "spend queues", "litellm_pod_lock_manager_": "database", "litellm_zero_cost_": "price checks"}
# Families that are fed, but by nothing that can happen here.
NEVER = {
    "litellm_callback_logging_failures_metric_total": "prometheus is the only callback, and cannot fail",
    "litellm_proxy_pre_call_failed_requests_total": "nothing is called before a call that could fail",
    "litellm_self_failed_requests_total": "booking a request cannot fail"}
# Data whose right value is 0, minus infinity or infinity here.
ANY_VALUE = re.compile(r"Firing alerts|budget lasts|Waiting between attempts|Spend by key|remaining_api_key_budget"
                       r"|remaining_user_budget|slo/")


def fill(expr):
    for name, value in VARIABLES.items():
        expr = expr.replace(name, value)
    return expr


def panels(dashboard):
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def our_expressions():
    """(PromQL, labels that the legend names) of every query of every file."""
    for path in sorted((ROOT / "deploy/grafana").glob("*.json")):
        for panel in panels(json.loads(path.read_text())):
            for target in panel.get("targets", []):
                labels = re.findall(r"{{(\w+)}}", target["legendFormat"])
                yield pytest.param(fill(target["expr"]), labels, id=f"{path.stem}/{panel['title']}/{target['refId']}")


def reference_expressions():
    lines = (ROOT / "tests/golden/dashboards/reference.promql").read_text().splitlines()
    return [fill(line) for line in lines if line and line[0] not in "#["]


def family_of(expr):
    """The one family that an expression reads; labels stand in `by (...)` and do not count."""
    (name,) = set(re.findall(r"\b(litellm_\w+?)(?:(?:_bucket|_sum|_count)(?=[\[{])|\b)", re.sub(r"by \([^)]*\)", "", expr)))
    return name


def missing(family):
    return next((why for prefix, why in MISSING.items() if family.startswith(prefix)), None)


REFERENCE = reference_expressions()
FED = [e for e in REFERENCE if not missing(family_of(e)) and family_of(e) not in NEVER]


def settings(one, two, redis):
    """Tiers that answer, fail, hang, cut and are limited; every feature that a panel shows."""
    price = {"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6}
    return {
        "model_list": [
            row("vllm-qwen", "openai/ok.t1", one.v1, timeout=30, rpm=6000, tpm=600_000),
            row("ollama-qwen", "ollama/ok.t2", two.base, timeout=120),
            row("openai-gpt4o", "openai/ok.t3", two.v1, price),
            row("detailed", "openai/detailed.t3", two.v1, price),
            row("vllm-down", "openai/status-503.t1", one.v1),
            row("all-down", "openai/status-500.t1", one.v1),
            row("ollama-down", "ollama/status-500.t2", two.base),
            row("locked", "openai/status-401.t1", one.v1),
            row("shut", "openai/status-401.shut", one.v1, cooldown_time=600),
            row("full", "openai/status-429.t1", one.v1),
            row("silent", "openai/hang.t1", one.v1, timeout=0.1),
            row("cut", "openai/midcut.t1", one.v1), row("stalled", "openai/stall-2.t1", one.v1),
            row("flow", "openai/stream-6-5.t1", one.v1),
            row("engine", "hosted_vllm/ok.e1", one.v1), row("engine", "hosted_vllm/ok.e2", two.v1)],
        "litellm_settings": {
            "callbacks": ["prometheus"], "service_callback": ["prometheus_system"], "drop_params": True, "num_retries": 0,
            "prometheus_legacy_metric_names": True, "cache": True,
            "cache_params": {"type": "redis", "host": "127.0.0.1", "port": redis.port, "mode": "default_off"}},
        "router_settings": {
            "redis_host": "127.0.0.1", "redis_port": redis.port, "cooldown_time": 0.5,
            "provider_budget_config": {"openai": {"budget_limit": 5, "time_period": "1d"}},
            "routing_groups": [{"group_name": "fleet", "models": ["engine"], "routing_strategy": "inference-aware",
                                "routing_strategy_args": {"scrape_interval": 0.2}}],
            "fallbacks": [{"vllm-qwen": ["ollama-qwen", "openai-gpt4o"]}, {"vllm-down": ["openai-gpt4o"]},
                          {"all-down": ["ollama-down"]}]}}


def hedging_settings(upstream):
    """Of a second replica: limits that replicas share through Redis rule out hedging."""
    return {"model_list": [row("late", "openai/delay-300.t1", upstream.v1, weight=1_000_000),
                           row("late", "openai/ok.late", upstream.v1, weight=0.000001)],
            "litellm_settings": {"callbacks": ["prometheus"]},
            "router_settings": {"hedging": True, "hedge_delay_max": 0.1, "hedge_cost_cap": 1}}


def traffic(gateway, hedging, redis):
    """Every kind of request once; then Redis freezes and comes back."""
    for model in ("vllm-qwen", "ollama-qwen", "openai-gpt4o"):
        assert gateway.chat(model, headers=TRACEPARENT).status_code == 200
        streamed = gateway.chat(model, stream=True, stream_options={"include_usage": True})
        assert streamed.text.rstrip().endswith("[DONE]"), streamed.text
    fallen = gateway.chat("vllm-down")
    assert fallen.headers["x-litellm-model-group"] == "openai-gpt4o", fallen.text
    for model, status in (("all-down", 500), ("no-such-model", 400), ("locked", 401), ("full", 429), ("silent", 408)):
        assert gateway.chat(model).status_code == status, model
    assert gateway.chat("vllm-down", num_retries=1).status_code == 200
    assert hedging.chat("late").status_code == 200
    for _ in range(3):
        assert gateway.chat("engine").status_code == 200
        assert gateway.chat("detailed").status_code == 200
        assert gateway.chat("openai-gpt4o", cache={"use-cache": True}).status_code == 200
    assert "w5" in gateway.chat("flow", stream=True).text
    gateway.chat("cut", stream=True)
    with Raw(gateway.port) as raw:
        raw.send(request(gateway.key, chat_body("stalled", stream=True)))
        raw.read_some(1)
    wrong = requests.post(gateway.url + "/v1/chat/completions", headers={"Authorization": "Bearer sk-no"}, json={}, timeout=10)
    assert wrong.status_code == 401
    assert gateway.post("/config/reload", {}).json()["status"] == "unchanged"
    redis.freeze()
    assert gateway.chat("openai-gpt4o", cache={"use-cache": True}).status_code == 200
    gateway.wait_metric(1, "litellm_redis_circuit_breaker_state", state="open")
    redis.thaw()
    gateway.wait_metric(1, "litellm_redis_circuit_breaker_state", state="closed")


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """(Prometheus, gateway, the hedging replica) after both rounds."""
    folder = tmp_path_factory.mktemp("dashboards")
    with contextlib.ExitStack() as stack:
        one, two = (stack.enter_context(Upstream(engine={"waiting": 1, "running": 2, "kv_usage": 0.5})) for _ in range(2))
        redis = Redis(folder / "redis")
        stack.enter_context(running(redis))
        gateway = Gateway(folder / "gateway", settings(one, two, redis))
        hedging = Gateway(folder / "hedging", hedging_settings(one))
        for replica in (gateway, hedging):
            stack.callback(replica.finish)
            replica.start()
        server = stack.enter_context(Prometheus(
            folder, {"litellm": [f"127.0.0.1:{g.port}" for g in (gateway, hedging)]}, path=ENDPOINT["path"], features=["exemplar-storage"],
            rules=(ROOT / "deploy/prometheus/rules.yaml").read_text()))
        server.wait("sum(up)", lambda _, value: value == 2)
        server.since = time.time()
        traffic(gateway, hedging, redis)
        server.wait_scrape()
        traffic(gateway, hedging, redis)
        assert gateway.chat("shut").status_code == 401  # cools down till the end
        stream = stack.enter_context(Raw(gateway.port))
        stream.send(request(gateway.key, chat_body("stalled", stream=True)))
        stream.read_some(1)
        server.wait_scrape()
        yield server, gateway, hedging


@pytest.fixture
def prometheus(stack):
    return stack[0]


# ------------------------------------------------------------------ the scrape
def test_the_scrape_succeeds(prometheus):
    assert [(labels["job"], value) for labels, value in prometheus.query("up")] == [("litellm", 1)] * 2
    assert prometheus.query("sum(scrape_samples_scraped)")[0][1] > 0


def test_an_unknown_metric_or_label_would_be_noticed(prometheus):
    assert prometheus.query("sum(rate(litellm_no_such_metric_total[5m]))") == []
    (labels, _), *_ = prometheus.wait(
        "sum by (no_such_label) (litellm_proxy_total_requests_metric_total)", lambda _, value: value > 0)
    assert labels == {}


# ------------------------------------------------------------------ our dashboards
@pytest.mark.parametrize("expr, legend", list(our_expressions()))
def test_the_expression_shows_the_traffic(prometheus, expr, legend, request):
    assert "$" not in expr, "a variable that this test does not know"
    any_value = ANY_VALUE.search(request.node.callspec.id)
    samples = prometheus.wait(expr, lambda labels, value: any_value or (math.isfinite(value) and value > 0), seconds=10)
    # Prometheus drops an empty label: a refused request has no deployment, one without a key no model. Not all are such.
    shown = [set(labels) - {"__name__", "instance"} for labels, _ in samples]
    assert set(legend) - {"instance"} in shown, "the legend names a label that the series lack"
    assert all(labels <= set(legend) for labels in shown), "the legend does not tell the series apart"


def test_variables_offer_what_there_is(prometheus):
    found = {}
    for variable in json.loads((ROOT / "deploy/grafana/operator.json").read_text())["templating"]["list"]:
        if variable["type"] == "query":
            series, label = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["definition"]).groups()
            found[variable["name"]] = set(prometheus.get(f"/api/v1/label/{label}/values", **{"match[]": fill(series)}))
    assert found["namespace"] == set() and found["job"] == {"litellm"}  # a plain Prometheus knows no namespaces
    assert {"vllm-qwen", "vllm-down", "late"} <= found["model"]


def test_fallbacks_show_who_stood_in_for_whom(prometheus):
    def pairs(outcome):
        name = f"litellm_deployment_{outcome}_fallbacks_total"
        expr = f"sum by (requested_model, fallback_model) (increase({name}[5m])) > 0"
        return {(m["requested_model"], m["fallback_model"]) for m, _ in prometheus.wait(expr, lambda *_: True)}

    assert pairs("successful") == {("vllm-down", "openai-gpt4o")}
    assert pairs("failed") == {("all-down", "ollama-down")}


def test_deployment_state_tells_the_failing_tiers_from_the_healthy(prometheus):
    states = {m["litellm_model_name"]: value for m, value in prometheus.query("litellm_deployment_state")}
    assert {states[f"ok.t{tier}"] for tier in (1, 2, 3)} == {0}
    for name in ("status-503.t1", "status-500.t1", "status-500.t2", "status-401.t1"):
        assert states[name] in (1, 2), (name, states)


def test_a_panel_leads_to_the_trace(prometheus):
    """What Grafana does for the dots in a panel: the panel's own expression, asked for exemplars."""
    asked = [target["expr"] for panel in panels(json.loads((ROOT / "deploy/grafana/operator.json").read_text()))
             for target in panel.get("targets", []) if target.get("exemplar")]
    assert len(asked) >= 8
    for expr in asked:
        found = prometheus.exemplars(fill(expr), prometheus.since)
        traces = {e["labels"]["trace_id"] for series in found for e in series["exemplars"]}
        # Streams were sent without a traceparent: no exemplar there.
        assert traces == (set() if "first_token" in expr else {TRACE}), expr


# ------------------------------------------------------------------ LiteLLM's dashboards
@pytest.mark.parametrize("expr", FED)
def test_litellms_dashboards_show_the_traffic(prometheus, expr):
    assert "$" not in expr
    any_value = ANY_VALUE.search(expr)
    prometheus.wait(expr, lambda _, value: any_value or (math.isfinite(value) and value > 0), seconds=10)


def test_what_shows_nothing_yet_is_reserved_in_the_reference(prometheus):
    text = (ROOT / "docs/metrics-reference.md").read_text()
    sections = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", text, re.M | re.S))
    reserved = set(re.findall(r"^\| `(\w+)`", sections["Names without values"] + sections["Reserved names"], re.M))
    known = set(re.findall(r"^\| `(litellm_\w+)`", text, re.M))
    expected = {family_of(e) for e in REFERENCE if missing(family_of(e))}
    assert expected <= reserved, f"fed now: take {expected - reserved} out of MISSING"
    assert not {family_of(e) for e in FED} & reserved
    unused = [prefix for prefix in MISSING if not any(f.startswith(prefix) for f in expected)]
    assert not unused, unused
    assert set(NEVER) <= known - reserved
    for expr in REFERENCE:
        if missing(family_of(expr)) or family_of(expr) in NEVER:
            assert not [v for _, v in prometheus.query(expr) if v], f"{expr} shows something now"


# ------------------------------------------------------------------ promtool
def promtool_says(gateway):
    ran = subprocess.run(["promtool", "check", "metrics"], input=gateway.get("/metrics").text, capture_output=True, text=True,
                         timeout=60)
    return [line for line in (ran.stdout + ran.stderr).splitlines() if line.strip()]


def test_promtool_finds_the_exposition_clean(stack):
    _, gateway, plain = stack
    named_by_litellm = 'litellm_teams_count non-histogram and non-summary metrics should not have "_count" suffix'
    assert promtool_says(plain) == [named_by_litellm]
    # With the names of older versions too: whatever it says, it says of LiteLLM's names.
    assert not [line for line in promtool_says(gateway) if line.startswith("litellm_gw_") or "litellm_" not in line]
