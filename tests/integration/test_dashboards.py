"""Does every panel show something? A real Prometheus scrapes a real gateway as the ServiceMonitor says.

Three scripted tiers get whole answers, streams, failures and fallbacks, in two rounds: a rate needs two
samples of a series, so the second round starts when Prometheus has seen every series of the first.
"""
import contextlib
import json
import math
import re
import shutil
import subprocess
import time

import pytest
import requests
import yaml

from gateway import PATIENCE, ROOT, Gateway, free_port, row
from upstreams import Upstream

WAIT_S = 60 * PATIENCE
ENDPOINT = yaml.safe_load((ROOT / "deploy/k8s/servicemonitor.yaml").read_text())["spec"]["endpoints"][0]
# As in the exposition: a name before its range, or bare at the end ("by (...)" holds labels instead).
METRIC = re.compile(r"\b(litellm_\w+)(?=\[|\)$)")
# What Grafana puts in for its variables; wide enough for both rounds.
VARIABLES = {"$__rate_interval": "5m", "$__range": "1h"}
REQUESTS = 9


def expressions():
    """(dashboard/panel/refId, PromQL, labels that the legend names) of both files."""
    for path in sorted((ROOT / "deploy/grafana").glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for inner in [panel, *panel.get("panels", [])]:
                for target in inner.get("targets", []):
                    expr = target["expr"]
                    for name, value in VARIABLES.items():
                        expr = expr.replace(name, value)
                    labels = re.findall(r"{{(\w+)}}", target["legendFormat"])
                    yield pytest.param(expr, labels, id=f"{path.stem}/{inner['title']}/{target['refId']}")


EXPRESSIONS = list(expressions())


class Prometheus:
    """The distribution's server on a free port; use as a context manager."""

    def __init__(self, folder, target):
        self.folder, self.port = folder, free_port()
        self.log_file = folder / "prometheus.log"
        (folder / "prometheus.yml").write_text(yaml.safe_dump({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "scrape_configs": [{"job_name": "litellm", "metrics_path": ENDPOINT["path"],
                                "static_configs": [{"targets": [target]}]}]}))

    def __enter__(self):
        binary = shutil.which("prometheus")
        assert binary, "prometheus is missing: script/setup test installs it"
        with open(self.log_file, "wb") as log:
            self.process = subprocess.Popen(
                [binary, f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={self.folder}/tsdb",
                 f"--web.listen-address=127.0.0.1:{self.port}"], stdout=log, stderr=log)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def query(self, expr):
        """[(labels, value)] now; empty while the server is still starting."""
        assert self.process.poll() is None, self.log_file.read_text()[-4000:]
        try:
            answer = requests.get(f"http://127.0.0.1:{self.port}/api/v1/query", params={"query": expr}, timeout=10)
        except requests.ConnectionError:
            return []
        if answer.status_code == 503:
            return []
        body = answer.json()
        assert body["status"] == "success", f"{expr}: {body}"
        return [(r["metric"], float(r["value"][1])) for r in body["data"]["result"]]

    def wait(self, expr, good):
        """Polls until `good` accepts one of the samples; says what came last."""
        end = time.monotonic() + WAIT_S
        while True:
            samples = self.query(expr)
            if any(good(labels, value) for labels, value in samples):
                return samples
            assert time.monotonic() < end, f"{expr}\nlast answer: {samples}"
            time.sleep(0.1)


def tiers(vllm, ollama, openai):
    """Three tiers that answer; one whose fallback answers; one whose fallback fails as well."""
    price = {"input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6}
    return {
        "model_list": [
            row("vllm-qwen", "openai/ok.t1", vllm.v1, timeout=30 * PATIENCE),
            row("ollama-qwen", "ollama/ok.t2", ollama.base, timeout=120 * PATIENCE),
            row("openai-gpt4o", "openai/ok.t3", openai.v1, price),
            row("vllm-down", "openai/status-503.t1", vllm.v1),
            row("all-down", "openai/status-500.t1", vllm.v1),
            row("ollama-down", "ollama/status-500.t2", ollama.base)],
        "litellm_settings": {"callbacks": ["prometheus"], "drop_params": True, "num_retries": 0},
        "router_settings": {"fallbacks": [{"vllm-qwen": ["ollama-qwen", "openai-gpt4o"]},
                                          {"vllm-down": ["openai-gpt4o"]}, {"all-down": ["ollama-down"]}]}}


def traffic(gateway):
    """REQUESTS requests."""
    for model in ("vllm-qwen", "ollama-qwen", "openai-gpt4o"):
        assert gateway.chat(model).status_code == 200
        streamed = gateway.chat(model, stream=True, stream_options={"include_usage": True})
        assert streamed.text.rstrip().endswith("[DONE]"), streamed.text
    fallen = gateway.chat("vllm-down")
    assert fallen.headers["x-litellm-model-group"] == "openai-gpt4o", fallen.text
    assert gateway.chat("all-down").status_code == 500
    assert gateway.chat("no-such-model").status_code == 400


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dashboards")
    with contextlib.ExitStack() as stack:
        upstreams = [stack.enter_context(Upstream()) for _ in range(3)]
        gateway = Gateway(folder / "gateway", tiers(*upstreams))
        stack.callback(gateway.finish)
        gateway.start()
        server = stack.enter_context(Prometheus(folder, f"127.0.0.1:{gateway.port}"))
        traffic(gateway)
        server.wait("sum(litellm_proxy_total_requests_metric_total)", lambda _, value: value == REQUESTS)
        # That scrape may have met the last request half accounted; the next one has all of it.
        scraped = server.query("timestamp(up)")[0][1]
        server.wait("timestamp(up)", lambda _, value: value > scraped)
        traffic(gateway)
        yield server


def test_the_scrape_succeeds(prometheus):
    assert prometheus.wait("up", lambda _, value: value == 1) == [
        ({"__name__": "up", "instance": prometheus.query("up")[0][0]["instance"], "job": "litellm"}, 1)]
    assert prometheus.query("sum(scrape_samples_scraped)")[0][1] > 0


def test_an_unknown_metric_or_label_would_be_noticed(prometheus):
    assert prometheus.query("sum(rate(litellm_no_such_metric_total[5m]))") == []
    (labels, _), *_ = prometheus.wait(
        "sum by (no_such_label) (litellm_proxy_total_requests_metric_total)", lambda _, value: value > 0)
    assert labels == {}


@pytest.mark.parametrize("expr, legend", EXPRESSIONS)
def test_the_expression_shows_the_traffic(prometheus, expr, legend):
    assert METRIC.search(expr) and "$" not in expr, "a variable or metric that this test does not know"
    samples = prometheus.wait(expr, lambda labels, value: math.isfinite(value) and value > 0)
    for labels, _ in samples:
        assert set(labels) == set(legend), "the legend names a label that the series lacks"
        assert all(labels.values()), labels


def test_fallbacks_show_who_stood_in_for_whom(prometheus):
    def pairs(outcome):
        name = f"litellm_deployment_{outcome}_fallbacks_total"
        expr = f"sum by (requested_model, fallback_model) (increase({name}[5m])) > 0"
        return {(m["requested_model"], m["fallback_model"]) for m, _ in prometheus.wait(expr, lambda *_: True)}

    assert pairs("successful") == {("vllm-down", "openai-gpt4o")}
    assert pairs("failed") == {("all-down", "ollama-down")}


def test_deployment_state_tells_the_failing_tiers_from_the_healthy(prometheus):
    states = {m["litellm_model_name"]: value for m, value in prometheus.query("litellm_deployment_state")}
    healthy = {name: value for name, value in states.items() if name.startswith("ok")}
    assert healthy == {"ok.t1": 0, "ok.t2": 0, "ok.t3": 0}
    failing = {name: value for name, value in states.items() if name not in healthy}
    assert set(failing) == {"status-503.t1", "status-500.t1", "status-500.t2"}
    assert all(value in (1, 2) for value in failing.values()), failing
