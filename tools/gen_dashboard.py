#!/usr/bin/env python3
"""What does the Grafana dashboard show? One list of panels, three files made from it:

    deploy/grafana/intertie.json         the dashboard
    deploy/grafana/litellm-row.json      the same panels in one collapsed row, to be merged into
                                         an existing dashboard (deploy/README.md says how)
    deploy/k8s/grafana-dashboard.yaml    the dashboard as a ConfigMap for Grafana's sidecar

    gen_dashboard.py            writes them
    gen_dashboard.py --check    exit code 1 if one of them is not what would be written

Standard library only. Panels flow from left to right in the order of PANELS.
"""
import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
RATE, RANGE = "$__rate_interval", "$__range"
COLUMNS = 24
ROW_FIRST_ID = 4000  # far from the ids of the dashboard that the row is merged into


def query(expr, legend, instant=False):
    return {"expr": expr, "legend": legend, "instant": instant}


def rate_of(name, by=""):
    return f"sum{f' by ({by})' if by else ''} (rate({name}[{RATE}]))"


def increase_of(name, by="", window=RANGE):
    return f"sum{f' by ({by})' if by else ''} (increase({name}[{window}]))"


def quantiles(name):
    return [query(f"histogram_quantile({q}, sum by (le) (rate({name}_bucket[{RATE}])))", f"p{q[2:]:0<2}")
            for q in ("0.5", "0.95", "0.99")]


# type, title, description, unit, width, height, queries
PANELS = [
    ("stat", "Request rate", "Client requests per second, successes and failures.", "reqps", 6, 5,
     [query(rate_of("litellm_proxy_total_requests_metric_total"), "requests")]),
    ("stat", "Failed requests", "Requests in the selected time that ended in an error for the client: no retry and "
     "no fallback helped, or the request itself was refused.", "short", 6, 5,
     [query(increase_of("litellm_proxy_failed_requests_metric_total"), "failed", True)]),
    ("stat", "Total tokens", "Input plus output tokens of successful requests in the selected time.", "short", 6, 5,
     [query(increase_of("litellm_total_tokens_metric_total"), "tokens", True)]),
    ("stat", "Spend", "Cost of successful requests in the selected time. Models without a price count as 0.",
     "currencyUSD", 6, 5, [query(increase_of("litellm_spend_metric_total"), "spend", True)]),
    ("timeseries", "Request rate by model", "By the name that the client asked for, also when a fallback answered.",
     "reqps", 12, 8, [query(rate_of("litellm_proxy_total_requests_metric_total", "requested_model"),
                            "{{requested_model}}")]),
    ("timeseries", "Request latency", "From the arrival of a request to the last byte of its answer; successes only.",
     "s", 12, 8, quantiles("litellm_request_total_latency_metric")),
    ("timeseries", "Token throughput", "Tokens per second of successful requests.", "short", 12, 8,
     [query(rate_of("litellm_input_tokens_metric_total"), "input"),
      query(rate_of("litellm_output_tokens_metric_total"), "output")]),
    ("timeseries", "LLM API latency", "Time that the upstream took for the attempt that answered.", "s", 12, 8,
     quantiles("litellm_llm_api_latency_metric")),
    ("timeseries", "Proxy overhead", "Time of a request that was spent outside upstream calls; streams have no value.",
     "s", 12, 8, quantiles("litellm_overhead_latency_metric")),
    ("piechart", "Model usage", "Successful requests in the selected time by the model that answered.", "short", 12, 8,
     [query(increase_of("litellm_requests_metric_total", "model"), "{{model}}", True)]),
    ("bars", "Successful fallbacks", "A model group failed and its fallback answered; in a longer chain each step "
     "counts. A new pair shows from its second event on: Prometheus needs two samples of a series.", "short", 8, 8,
     [query(increase_of("litellm_deployment_successful_fallbacks_total", "requested_model, fallback_model", RATE),
            "{{requested_model}} → {{fallback_model}}")]),
    ("bars", "Failed fallbacks", "A fallback target that failed too; each step of a chain counts.", "short", 8, 8,
     [query(increase_of("litellm_deployment_failed_fallbacks_total", "requested_model, fallback_model", RATE),
            "{{requested_model}} → {{fallback_model}}")]),
    ("state-timeline", "Deployment state", "The worst state that any replica reports for a deployment.", "short", 8, 8,
     [query("max by (litellm_model_name, api_base) (litellm_deployment_state)",
            "{{litellm_model_name}} {{api_base}}")]),
]

STATES = [("0", "Healthy", "green"), ("1", "Partial outage", "yellow"), ("2", "Complete outage", "red")]


def defaults_of(kind, unit):
    """fieldConfig.defaults: the unit, and what the kind of panel draws with."""
    steps = [{"color": "green", "value": None}]
    defaults = {"unit": unit, "color": {"mode": "palette-classic"}, "mappings": [],
                "thresholds": {"mode": "absolute", "steps": steps}}
    if kind == "stat":
        defaults.update(noValue="0", color={"mode": "thresholds"})
    if kind in ("timeseries", "bars"):
        defaults["min"] = 0
        defaults["custom"] = {"drawStyle": "bars" if kind == "bars" else "line", "lineWidth": 1,
                              "fillOpacity": 60 if kind == "bars" else 10, "showPoints": "never", "spanNulls": False,
                              "stacking": {"mode": "normal" if kind == "bars" else "none", "group": "A"}}
    if kind == "state-timeline":
        defaults["custom"] = {"lineWidth": 0, "fillOpacity": 80}
        defaults["color"] = {"mode": "thresholds"}
        defaults["mappings"] = [{"type": "value", "options": {
            value: {"text": text, "color": color, "index": i} for i, (value, text, color) in enumerate(STATES)}}]
        steps.extend({"color": color, "value": int(value)} for value, _, color in STATES[1:])
    return defaults


def options_of(kind):
    reduce_last = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    legend = {"displayMode": "list", "placement": "bottom", "showLegend": True}
    if kind == "stat":
        return {"colorMode": "value", "graphMode": "area", "justifyMode": "auto", "orientation": "auto",
                "textMode": "value", "reduceOptions": reduce_last}
    if kind == "piechart":
        return {"pieType": "donut", "displayLabels": ["percent"], "reduceOptions": reduce_last,
                "legend": {**legend, "placement": "right", "displayMode": "table", "values": ["value", "percent"]},
                "tooltip": {"mode": "single", "sort": "none"}}
    if kind == "state-timeline":
        return {"mergeValues": True, "showValue": "auto", "alignValue": "left", "rowHeight": 0.9, "legend": legend,
                "tooltip": {"mode": "single", "sort": "none"}}
    return {"legend": {**legend, "calcs": []}, "tooltip": {"mode": "multi", "sort": "desc"}}


def target(index, item):
    return {"refId": chr(ord("A") + index), "datasource": DATASOURCE, "editorMode": "code", "expr": item["expr"],
            "legendFormat": item["legend"], "instant": item["instant"], "range": not item["instant"]}


def panels(first_id, top):
    """All panels, placed from left to right, a new line when one does not fit."""
    made, x, y, line_height = [], 0, top, 0
    for number, (kind, title, description, unit, width, height, queries) in enumerate(PANELS):
        if x + width > COLUMNS:
            x, y, line_height = 0, y + line_height, 0
        made.append({
            "id": first_id + number, "type": "timeseries" if kind == "bars" else kind, "title": title,
            "description": description, "datasource": DATASOURCE, "gridPos": {"x": x, "y": y, "w": width, "h": height},
            "fieldConfig": {"defaults": defaults_of(kind, unit), "overrides": []}, "options": options_of(kind),
            "targets": [target(i, item) for i, item in enumerate(queries)]})
        x, line_height = x + width, max(line_height, height)
    return made


def dashboard(title, uid, body):
    return {
        "uid": uid, "title": title, "description": "The gateway, its upstreams and what they cost.",
        "tags": ["intertie", "litellm", "llm"], "schemaVersion": 39, "version": 1, "id": None, "editable": True,
        "graphTooltip": 1, "fiscalYearStartMonth": 0, "weekStart": "", "timezone": "", "refresh": "30s", "links": [],
        "time": {"from": "now-6h", "to": "now"}, "timepicker": {}, "annotations": {"list": []},
        "templating": {"list": [{
            "name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "regex": "",
            "current": {}, "hide": 0, "includeAll": False, "multi": False, "options": [], "refresh": 1,
            "skipUrlSync": False}]},
        "panels": body}


def row():
    return {"id": ROW_FIRST_ID, "type": "row", "title": "LiteLLM gateway", "collapsed": True,
            "gridPos": {"x": 0, "y": 0, "w": COLUMNS, "h": 1}, "panels": panels(ROW_FIRST_ID + 1, 1)}


def config_map(name, text):
    head = [f"# Made by tools/gen_dashboard.py from deploy/grafana/{name}; do not edit.", "apiVersion: v1",
            "kind: ConfigMap", "metadata:", "  name: litellm-grafana-dashboard", "  namespace: monitoring", "  labels:",
            "    app: litellm", '    grafana_dashboard: "1"', "data:", f"  {name}: |"]
    return "\n".join(head + ["    " + line for line in text.rstrip("\n").split("\n")]) + "\n"


def outputs():
    def as_text(tree):
        return json.dumps(tree, indent=2, ensure_ascii=False) + "\n"

    main_text = as_text(dashboard("Intertie (LiteLLM metrics)", "intertie", panels(1, 0)))
    return {"deploy/grafana/intertie.json": main_text,
            "deploy/grafana/litellm-row.json": as_text(dashboard("LiteLLM row", "intertie-row", [row()])),
            "deploy/k8s/grafana-dashboard.yaml": config_map("intertie.json", main_text)}


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
