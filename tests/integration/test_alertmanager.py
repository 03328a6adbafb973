"""Does every shipped alert arrive when what it means happens, and go when it is repaired?

Gateways, scripted upstreams and Redis fail for real; a real Prometheus evaluates the shipped rules and a real Alertmanager
tells a webhook. The rules run 60 times as fast: every time in them becomes a sixtieth (a window at most CAP_S), nothing else
is changed.
"""
import contextlib
import http.server
import json
import re
import threading
import time

import pytest
import requests
import yaml

from gateway import ROOT, Gateway, row
from prometheus_server import Alertmanager, Prometheus
from redis_server import Redis, running
from upstreams import Upstream

pytestmark = pytest.mark.slow  # one flavour is enough: the gateway's part is metrics that other tests check
RULES = (ROOT / "deploy/prometheus/rules.yaml").read_text()
SPEED, CAP_S = 60, 8
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
RELOAD = "(reload)"
FAMILY = "litellm_proxy_total_requests_metric_total"

# alert -> the labels beside its own that it must arrive with; Story.provoke and Story.repair bring it about.
PROVOKED = {
    "IntertieDown": {},
    "IntertieErrorRatio": {"job": "litellm"},
    "IntertieErrorBudgetBurn": {"job": "litellm"},
    "IntertieErrorBudgetSlowBurn": {"job": "litellm"},
    "IntertieLatencyBurn": {"job": "litellm"},
    "IntertieLatencySlowBurn": {"job": "litellm"},
    "IntertieFallbackStorm": {"job": "litellm"},
    "IntertieTierDark": {"job": "litellm", "model_group": "dark"},
    "IntertieCooldownFlapping": {"job": "litellm", "model_id": "id-flapping"},
    "IntertieSeriesOverflow": {"job": "litellm", "family": FAMILY},
    "IntertieConfigRejected": {"job": "litellm"},
    "IntertieRedisAway": {"job": "litellm"}}


def alerts():
    return {rule["alert"]: rule for group in yaml.safe_load(RULES)["groups"] for rule in group["rules"] if "alert" in rule}


def faster(rules):
    """The rules with every time divided: windows, `for`, and the bound of what is slow."""
    def shorter(match):
        seconds = int(match[2]) * UNITS[match[3]] / SPEED
        return f"{match[1]}{max(1, min(CAP_S, round(seconds)))}s{match[4]}"

    rules = re.sub(r"(\[)(\d+)([smhd])(\])", shorter, rules)
    rules = re.sub(r"( for: )(\d+)([smhd])($)", shorter, rules, flags=re.M)
    return re.sub(r'le="([\d.]+)"', lambda m: f'le="{float(m[1]) / SPEED}"', rules)


class Webhook:
    """What Alertmanager sends: (alert name, status) -> [(when, alert)]; use as a context manager."""

    def __init__(self):
        self.seen = {}
        webhook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                for alert in body["alerts"]:
                    webhook.seen.setdefault((alert["labels"]["alertname"], alert["status"]), []).append(
                        (time.monotonic(), alert))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def find(self, name, status, since=0.0):
        """The alert of that name with the expected labels that came later than `since`, or None."""
        wanted = PROVOKED[name].items()
        return next((alert for when, alert in list(self.seen.get((name, status), []))
                     if when >= since and wanted <= alert["labels"].items()), None)

    def wait(self, names, status, seconds, since=0.0):
        """Until all have come, or not: the tests say which are missing."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and not all(self.find(name, status, since) for name in names):
            time.sleep(0.05)


class Clients:
    """Threads that ask on and on, each for one model; RELOAD asks for a reload of the configuration."""

    def __init__(self, gateway, models, agents=False):
        self.stopped, self.new_agents = threading.Event(), agents
        self.threads = [threading.Thread(target=self._ask, args=(gateway, model), daemon=True) for model in models]

    def _ask(self, gateway, model):
        number = 0
        with requests.Session() as session:
            session.headers["Authorization"] = f"Bearer {gateway.key}"
            while not self.stopped.wait(0.2):
                number += self.new_agents
                if model == RELOAD:
                    session.post(gateway.url + "/config/reload", timeout=20)
                    continue
                session.post(gateway.url + "/v1/chat/completions", headers={"User-Agent": f"agent-{number}"}, timeout=20,
                             json={"model": model, "messages": [{"role": "user", "content": "hi"}]})

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        for thread in self.threads:
            thread.join(20)


def settings(upstream, redis):
    return {"model_list": [row("ok", "openai/ok.a", upstream.v1, rpm=100_000), row("dark", "openai/status-503.a", upstream.v1),
                           row("broken", "openai/status-500.a", upstream.v1), row("slow", "openai/delay-700.a", upstream.v1),
                           row("flapping", "openai/status-401.a", upstream.v1, info={"id": "id-flapping"})],
            "litellm_settings": {"callbacks": ["prometheus"]},
            # As short as the windows: a dark tier is tried again and again.
            "router_settings": {"num_retries": 0, "cooldown_time": 0.2, "redis_host": "127.0.0.1", "redis_port": redis.port,
                                "fallbacks": [{"dark": ["ok"]}]}}


class Story:
    def __init__(self, folder, stack):
        self.upstream = stack.enter_context(Upstream())
        self.redis = Redis(folder / "redis")
        stack.enter_context(running(self.redis))
        small = {"model_list": [row("ok", "openai/ok.b", self.upstream.v1)], "litellm_settings": {
            "callbacks": ["prometheus"], "prometheus_metrics_max_series_per_metric": 5}}
        self.gateway = Gateway(folder / "gateway", settings(self.upstream, self.redis))
        self.small = Gateway(folder / "small", small)
        self.webhook = stack.enter_context(Webhook())
        alertmanager = stack.enter_context(Alertmanager(folder, self.webhook.url))
        self.prometheus = stack.enter_context(Prometheus(
            folder, {"litellm": [f"127.0.0.1:{g.port}" for g in (self.gateway, self.small)]}, interval="500ms",
            rules=faster(RULES), alertmanager=alertmanager))
        alertmanager.wait_ready()
        self.stack = stack

    def provoke(self):
        self.webhook.wait(["IntertieDown"], "firing", 30)  # nobody serves yet
        self.started = time.monotonic()
        for gateway in (self.gateway, self.small):
            self.stack.callback(gateway.finish)
            gateway.start()
        # Of about 60 requests a second 10 fail, 25 need a fallback, 13 are slow.
        models = ["ok", *["dark"] * 5, *["broken"] * 2, "flapping", *["slow"] * 12, RELOAD]
        self.stack.enter_context(Clients(self.gateway, models))
        self.agents = self.stack.enter_context(Clients(self.small, ["ok"], agents=True))
        time.sleep(1)  # two scrapes, so that no first event is lost
        self.redis.kill()
        self.good = self.gateway.config_file.read_text()
        self.gateway.config_file.write_text("model_list: 7\n")
        self.webhook.wait(PROVOKED, "firing", 60)

    def repair(self):
        self.repaired = dict.fromkeys(PROVOKED, time.monotonic()) | {"IntertieDown": self.started}
        self.upstream.healed = True
        self.agents.new_agents = False
        self.redis.start()
        self.gateway.config_file.write_text(self.good)
        self.webhook.wait(set(PROVOKED) - {"IntertieDown"}, "resolved", 60, self.repaired["IntertieErrorRatio"])


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    with contextlib.ExitStack() as stack:
        story = Story(tmp_path_factory.mktemp("alerts"), stack)
        begin = time.monotonic()
        story.provoke()
        fired = time.monotonic()
        story.repair()
        print(f"\nfiring after {fired - begin:.1f} s, resolved {time.monotonic() - fired:.1f} s after the repair")
        story.left = story.prometheus.query('ALERTS{alertstate="firing"}')
        yield story


def test_every_alert_has_a_provocation():
    assert set(PROVOKED) == set(alerts())


def test_only_times_are_changed():
    times = re.compile(r'\[\d+[smhd]\]|for: \d+[smhd]$|le="[\d.]+"', re.M)
    assert times.sub("", faster(RULES)) == times.sub("", RULES)
    assert 'le="0.5"' in faster(RULES) and "[5s]" in faster(RULES) and "for: 2s" in faster(RULES)
    assert not re.search(r"\[\d+[mhd]\]|for: \d+[mhd]", faster(RULES))


@pytest.mark.parametrize("name", PROVOKED)
def test_the_alert_arrives_and_goes(story, name):
    rule, alert = alerts()[name], story.webhook.find(name, "firing")
    assert alert, f"did not fire; seen: {sorted(story.webhook.seen)}"
    assert alert["labels"] == {"alertname": name, **rule["labels"], **PROVOKED[name]}
    assert set(alert["annotations"]) == set(rule["annotations"])
    summary = alert["annotations"]["summary"]
    assert summary and "{{" not in summary
    for label in re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]):
        assert alert["labels"][label] in summary
    page, anchor = alert["annotations"]["runbook_url"].split("#")
    assert f"\n## {name}\n" in (ROOT / page).read_text() and anchor == name.lower()
    assert story.webhook.find(name, "resolved", story.repaired[name]), f"did not resolve; firing: {story.left}"


def test_after_the_repair_all_is_quiet(story):
    assert story.left == []
