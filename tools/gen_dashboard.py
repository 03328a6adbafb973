#!/usr/bin/env python3
"""Writes what is shipped for Grafana and Prometheus from one source each:

    deploy/grafana/operator.json, cost-and-usage.json, slo.json    from tools/dashboards/
    deploy/grafana/litellm-row.json       a collapsed row, to be merged into a dashboard that exists
                                          (deploy/README.md says how)
    deploy/k8s/grafana-*.yaml             each dashboard as a ConfigMap for Grafana's sidecar
    deploy/k8s/prometheusrule.yaml        deploy/prometheus/rules.yaml for the Prometheus operator

    gen_dashboard.py            writes them
    gen_dashboard.py --check    exit code 1 if one of them is not what would be written

Standard library only.
"""
import argparse
import sys
from pathlib import Path

from dashboards import cost, grafana, operator, overview, slo

ROOT = Path(__file__).resolve().parents[1]
ROW_FIRST_ID = 4000  # far from the ids of the dashboard that the row is merged into

# file -> (title, uid, description, panels)
DASHBOARDS = {
    "operator": ("Intertie: operator", "intertie-operator",
                 "Are clients served, and if not: which tier, which deployment, which resource?", operator.PANELS),
    "cost-and-usage": ("Intertie: cost and usage", "intertie-cost",
                       "What is spent, on which model, by whom, and what the caches save.", cost.PANELS),
    "slo": ("Intertie: objectives", "intertie-slo",
            "Availability and latency against their objectives. Needs the recording rules of deploy/prometheus/rules.yaml.",
            slo.PANELS),
}
# page of docs/runbooks -> what its alerts say
RUNBOOKS = {
    "down": "no replica is scraped", "error-ratio": "clients get errors", "latency-burn": "answers take too long",
    "fallback-storm": "much traffic runs on fallbacks", "tier-dark": "nothing in a model group answers",
    "cooldown-flapping": "a deployment cools down again and again", "series-overflow": "a family of metrics is full",
    "config-rejected": "a changed configuration is not in force", "redis-away": "replicas do not share limits"}


def variables():
    selector = "{" + grafana.ALL + "}"
    return [
        grafana.datasource_variable(),
        grafana.variable("namespace", "Namespace", "label_values(litellm_build_info, namespace)", all_value=".*"),
        # No ".*" here: the job also selects process_* series, which every program has.
        grafana.variable("job", "Job", 'label_values(litellm_build_info{namespace=~"$namespace"}, job)'),
        grafana.variable("model", "Model", f"label_values(litellm_proxy_total_requests_metric_total{selector}, requested_model)",
                         all_value=".*"),
        grafana.textbox("runbooks", "Runbooks", "Where the folder docs/runbooks can be read; set it once and save.",
                        "docs/runbooks")]


def runbook_panel():
    lines = [f"- [{page}](${{runbooks}}/{page}.md): {meaning}" for page, meaning in RUNBOOKS.items()]
    return grafana.text("When an alert fires", grafana.COLUMNS, 7, "\n".join(lines))


def dashboard(name):
    title, uid, description, panels = DASHBOARDS[name]
    body = grafana.place([*panels, grafana.row("Runbooks"), runbook_panel()])
    return grafana.dashboard(title, uid, description, body, variables())


def row_dashboard():
    made = {"id": ROW_FIRST_ID, "type": "row", "title": "LiteLLM gateway", "collapsed": True,
            "gridPos": {"x": 0, "y": 0, "w": grafana.COLUMNS, "h": 1},
            "panels": grafana.place(overview.PANELS, ROW_FIRST_ID + 1, 1)}
    return grafana.dashboard("LiteLLM row", "intertie-row", "The gateway, its upstreams and what they cost.", [made],
                             [grafana.datasource_variable()], linked=False)


def indented(text, spaces):
    return "".join(" " * spaces + line if line.strip() else line for line in text.splitlines(keepends=True))


def config_map(name, text):
    return f"""\
# Made by tools/gen_dashboard.py from deploy/grafana/{name}.json; do not edit.
apiVersion: v1
kind: ConfigMap
metadata:
  name: litellm-grafana-{name}
  namespace: monitoring
  labels:
    app: litellm
    grafana_dashboard: "1"
data:
  {name}.json: |
{indented(text, 4)}"""


def prometheus_rule(rules):
    return f"""\
# Made by tools/gen_dashboard.py from deploy/prometheus/rules.yaml; do not edit. For the Prometheus of
# kube-prometheus-stack (needs the operator's CRDs).
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: litellm
  namespace: monitoring
  labels:
    app: litellm
    release: kube-prometheus-stack
spec:
{indented(rules[rules.index('groups:'):], 2)}"""


def outputs():
    made = {"deploy/grafana/litellm-row.json": grafana.as_text(row_dashboard()),
            "deploy/k8s/prometheusrule.yaml":
                prometheus_rule((ROOT / "deploy/prometheus/rules.yaml").read_text(encoding="utf-8"))}
    for name in DASHBOARDS:
        text = grafana.as_text(dashboard(name))
        made[f"deploy/grafana/{name}.json"] = text
        made[f"deploy/k8s/grafana-{name}.yaml"] = config_map(name, text)
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    arguments = parser.parse_args()
    stale = []
    for name, text in outputs().items():
        path = ROOT / name
        if arguments.check:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                stale.append(name)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for name in stale:
        print(f"{name} is stale: run tools/gen_dashboard.py", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
