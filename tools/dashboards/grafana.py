"""How does a panel, a variable, a dashboard look in Grafana's JSON? Nothing here knows what is shown."""
import json

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
RATE, RANGE = "$__rate_interval", "$__range"
COLUMNS = 24
SCHEMA_VERSION = 41
TAG = "intertie"

# What a panel's queries select: the installation, and the models chosen at the top.
ALL = 'namespace=~"$namespace", job=~"$job"'
ASKED = ALL + ', requested_model=~"$model"'
GROUP = ALL + ', model_group=~"$model"'


# ------------------------------------------------------------------ PromQL
def rate(name, selector="", by="", window=RATE, function="rate"):
    braces = "{" + selector + "}" if selector else ""
    return f"sum{f' by ({by})' if by else ''} ({function}({name}{braces}[{window}]))"


def increase(name, selector="", by="", window=RANGE):
    return rate(name, selector, by, window, "increase")


def quantile(q, name, selector="", by=""):
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({q}, {rate(name + '_bucket', selector, labels)})"


def ratio(part, whole):
    return f"{part} / {whole}"


# ------------------------------------------------------------------ queries
def query(expr, legend, instant=False, exemplar=False, table=False, heatmap=False):
    kind = "table" if table else "heatmap" if heatmap else "time_series"
    return {"expr": expr, "legend": legend, "instant": instant or table, "exemplar": exemplar, "format": kind}


def quantiles(name, selector=""):
    return [query(quantile(q, name, selector), f"p{q[2:]:0<2}", exemplar=True) for q in ("0.5", "0.95", "0.99")]


def _target(index, item):
    made = {"refId": chr(ord("A") + index), "datasource": DATASOURCE, "editorMode": "code", "expr": item["expr"],
            "legendFormat": item["legend"], "instant": item["instant"], "range": not item["instant"]}
    if item["format"] != "time_series":
        made["format"] = item["format"]
    return {**made, "exemplar": True} if item["exemplar"] else made


# ------------------------------------------------------------------ panels
def panel(kind, title, description, unit, width, height, queries, **more):
    """kind: stat, timeseries, bars, stacked, piechart, state-timeline, table, heatmap.

    more: steps [(value, colour)], maximum, colors {series regex: colour}, states [(value, text, colour)], hide [column].
    """
    return {"kind": kind, "title": title, "description": description, "unit": unit, "width": width, "height": height,
            "queries": queries, **more}


def row(title, collapsed=False):
    return {"kind": "row", "title": title, "collapsed": collapsed}


def text(title, width, height, content):
    return {"kind": "text", "title": title, "description": "What to do when an alert fires.", "width": width,
            "height": height, "content": content}


GRAFANA_TYPE = {"bars": "timeseries", "stacked": "timeseries"}


def _defaults(item):
    kind = item["kind"]
    steps = [{"color": "green", "value": None}]
    steps += [{"color": color, "value": value} for value, color in item.get("steps", ())]
    defaults = {"unit": item["unit"], "color": {"mode": "palette-classic"}, "mappings": [],
                "thresholds": {"mode": "absolute", "steps": steps}}
    if kind == "stat":
        defaults.update(noValue="0", color={"mode": "thresholds"})
    if GRAFANA_TYPE.get(kind, kind) == "timeseries":
        defaults["min"] = 0
        defaults["custom"] = {"drawStyle": "bars" if kind == "bars" else "line", "lineWidth": 1,
                              "fillOpacity": 60 if kind == "bars" else 30 if kind == "stacked" else 10,
                              "showPoints": "never", "spanNulls": False,
                              "thresholdsStyle": {"mode": "line" if item.get("steps") else "off"},
                              "stacking": {"mode": "none" if kind == "timeseries" else "normal", "group": "A"}}
    if kind == "state-timeline":
        defaults["custom"] = {"lineWidth": 0, "fillOpacity": 80}
        defaults["color"] = {"mode": "thresholds"}
        defaults["mappings"] = [{"type": "value", "options": {
            value: {"text": label, "color": color, "index": i} for i, (value, label, color) in enumerate(item["states"])}}]
        steps.extend({"color": color, "value": int(value)} for value, _, color in item["states"][1:])
    if "maximum" in item:
        defaults["max"] = item["maximum"]
    return defaults


def _overrides(item):
    return [{"matcher": {"id": "byRegexp", "options": f"/{pattern}/"},
             "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": color}}]}
            for pattern, color in item.get("colors", {}).items()]


def _options(kind):
    reduce_last = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    legend = {"displayMode": "list", "placement": "bottom", "showLegend": True}
    one = {"mode": "single", "sort": "none"}
    if kind == "stat":
        return {"colorMode": "value", "graphMode": "area", "justifyMode": "auto", "orientation": "auto",
                "textMode": "value", "reduceOptions": reduce_last}
    if kind == "piechart":
        return {"pieType": "donut", "displayLabels": ["percent"], "reduceOptions": reduce_last, "tooltip": one,
                "legend": {**legend, "placement": "right", "displayMode": "table", "values": ["value", "percent"]}}
    if kind == "state-timeline":
        return {"mergeValues": True, "showValue": "auto", "alignValue": "left", "rowHeight": 0.9, "legend": legend,
                "tooltip": one}
    if kind == "table":
        return {"showHeader": True, "cellHeight": "sm", "footer": {"show": False}, "sortBy": [{"displayName": "Value", "desc": True}]}
    if kind == "heatmap":
        return {"calculate": False, "yAxis": {"unit": "s"}, "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64},
                "cellGap": 1, "tooltip": {**one, "yHistogram": False}, "legend": {"show": True}, "exemplars": {"color": "blue"}}
    return {"legend": {**legend, "calcs": []}, "tooltip": {"mode": "multi", "sort": "desc"}}


def _body(item):
    kind = item["kind"]
    if kind == "text":
        return {"options": {"mode": "markdown", "content": item["content"]}}
    made = {"datasource": DATASOURCE, "fieldConfig": {"defaults": _defaults(item), "overrides": _overrides(item)},
            "options": _options(kind), "targets": [_target(i, q) for i, q in enumerate(item["queries"])]}
    if kind == "table":
        hidden = dict.fromkeys(["Time", *item.get("hide", ())], True)
        made["transformations"] = [{"id": "organize", "options": {"excludeByName": hidden, "renameByName": {}}}]
    return made


def place(items, first_id=1, top=0):
    """All panels, from left to right, a new line when one does not fit; a collapsed row holds what follows it."""
    made, into, x, y, line_height = [], None, 0, top, 0
    for number, item in enumerate(items):
        width, height = (COLUMNS, 1) if item["kind"] == "row" else (item["width"], item["height"])
        if x + width > COLUMNS:
            x, y, line_height = 0, y + line_height, 0
        head = {"id": first_id + number, "type": GRAFANA_TYPE.get(item["kind"], item["kind"]), "title": item["title"],
                "gridPos": {"x": x, "y": y, "w": width, "h": height}}
        if item["kind"] == "row":
            made.append({**head, "collapsed": item["collapsed"], "panels": []})
            into = made[-1]["panels"] if item["collapsed"] else None
        else:
            (made if into is None else into).append({**head, "description": item["description"], **_body(item)})
        x, line_height = x + width, max(line_height, height)
    return made


# ------------------------------------------------------------------ dashboards
def variable(name, label, definition, multi=True, all_value=None):
    return {"name": name, "label": label, "type": "query", "datasource": DATASOURCE, "definition": definition,
            "query": {"query": definition, "refId": "StandardVariableQuery"}, "regex": "", "refresh": 2, "sort": 1,
            "multi": multi, "includeAll": True, "allValue": all_value, "hide": 0, "skipUrlSync": False, "options": [],
            "current": {"text": "All", "value": "$__all"}}


def datasource_variable():
    return {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "regex": "",
            "current": {}, "hide": 0, "includeAll": False, "multi": False, "options": [], "refresh": 1, "skipUrlSync": False}


def textbox(name, label, description, value):
    return {"name": name, "label": label, "description": description, "type": "textbox", "query": value, "hide": 0,
            "current": {"text": value, "value": value}, "options": [{"selected": True, "text": value, "value": value}],
            "skipUrlSync": False}


def _link(title, **more):
    return {"title": title, "type": "link", "icon": "external link", "asDropdown": False, "includeVars": False,
            "keepTime": False, "tags": [], "targetBlank": True, "tooltip": "", **more}


def alerts_annotation():
    return {"name": "Alerts", "enable": True, "hide": False, "iconColor": "red", "datasource": DATASOURCE,
            "expr": 'ALERTS{alertname=~"Intertie.+", alertstate="firing"}', "titleFormat": "{{alertname}}",
            "textFormat": "{{severity}} {{model_group}} {{model_id}} {{family}}", "step": "30s", "useValueForTime": False}


def dashboard(title, uid, description, body, variables, linked=True):
    links = [_link("Intertie", type="dashboards", icon="dashboard", tags=[TAG], includeVars=True, keepTime=True,
                   targetBlank=False), _link("Runbooks", icon="doc", url="${runbooks}/")] if linked else []
    return {
        "uid": uid, "title": title, "description": description, "tags": [TAG, "litellm", "llm"] if linked else ["litellm"],
        "schemaVersion": SCHEMA_VERSION, "version": 1, "id": None, "editable": True, "graphTooltip": 1,
        "fiscalYearStartMonth": 0, "weekStart": "", "timezone": "", "refresh": "30s", "links": links,
        "time": {"from": "now-6h", "to": "now"}, "timepicker": {},
        "annotations": {"list": [alerts_annotation()] if linked else []},
        "templating": {"list": variables}, "panels": body}


def as_text(tree):
    return json.dumps(tree, indent=1, ensure_ascii=False) + "\n"
