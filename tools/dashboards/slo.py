"""Are the promises kept? Availability and latency against their objectives, from the recorded series of rules.yaml."""
from .grafana import ALL, ASKED, increase, panel, query, ratio, row

REQUESTS = "litellm_proxy_total_requests_metric_total"
KINDS = {"errors": ("availability", "requests that end with 5xx or 408"), "slow": ("latency", "answers that take longer than 30 s")}
WINDOWS = ("5m", "1h", "6h", "1d", "3d")
LIMITS = [(1, "yellow"), (6, "orange"), (14.4, "red")]


def worst(series):
    """The worst installation of those selected."""
    return f"max(intertie:{series}{{{ALL}}})"


def budget(kind):
    return f"scalar(intertie:{kind}:budget)"


def left(kind):
    return f"1 - {worst(kind + ':ratio_rate30d')} / {budget(kind)}"


def stats(kind):
    name, what = KINDS[kind]
    return [
        panel("stat", f"{name.capitalize()}, 30 days", f"Share of the requests without {what}; of the worst installation selected.",
              "percentunit", 4, 5, [query(f"1 - {worst(kind + ':ratio_rate30d')}", name)]),
        panel("stat", f"{name.capitalize()} budget left", f"What is left of the {what} that the objective allows in 30 days. "
              "Below 0 it is broken.", "percentunit", 4, 5, [query(left(kind), "left")]),
        panel("stat", f"{name.capitalize()}: the budget lasts", "At the pace of the last six hours; +Inf while nothing is used.",
              "s", 4, 5, [query(f"30 * 86400 * ({left(kind)}) * {budget(kind)} / {worst(kind + ':ratio_rate6h')}", "time left")])]


def burn(kind):
    name, what = KINDS[kind]
    return [
        panel("timeseries", f"{name.capitalize()}: burn rate", f"How many times faster than allowed {what} use up the budget. Alerts: "
              "14.4 over 1h and 5m, 6 over 6h and 30m (urgent); 3 over 1d and 2h, 1 over 3d and 6h (slow).", "short", 12, 9,
              [query(f"{worst(f'{kind}:ratio_rate{window}')} / {budget(kind)}", window) for window in WINDOWS], steps=LIMITS),
        panel("timeseries", f"{name.capitalize()}: budget left", "Of thirty days, at every moment.", "percentunit", 12, 9,
              [query(f"1 - intertie:{kind}:ratio_rate30d{{{ALL}}} / {budget(kind)}", "{{job}}")], maximum=1),
        ]


FAILED = ASKED + ', status_code=~"5..|408"'
LATENCY, IN_TIME = "litellm_request_total_latency_metric", ASKED + ', le="30.0"'

PANELS = [
    row("Objectives"), *stats("errors"), *stats("slow"),
    row("Availability"), *burn("errors"),
    panel("timeseries", "Failing now", "Share of the requests of the last five minutes, and what the objective allows.",
          "percentunit", 12, 8, [query(worst("errors:ratio_rate5m"), "failing"), query("intertie:errors:budget", "allowed")],
          colors={"allowed": "blue"}),
    panel("table", "Who used the availability budget", "Share of all failed requests in the selected time, by model and status.", "percentunit", 12, 8,
          [query(ratio(increase(REQUESTS, FAILED, "requested_model, status_code"), f"scalar({increase(REQUESTS, FAILED)})"),
                 "{{requested_model}} {{status_code}}", table=True)]),
    row("Latency"), *burn("slow"),
    panel("timeseries", "Slow now", "Share of the answers of the last five minutes, and what the objective allows.",
          "percentunit", 12, 8, [query(worst("slow:ratio_rate5m"), "slow"), query("intertie:slow:budget", "allowed")],
          colors={"allowed": "blue"}),
    panel("table", "Slow answers by model", "Answers longer than 30 s in the selected time, by model.", "short", 12, 8,
          [query(f"{increase(LATENCY + '_count', ASKED, 'requested_model')} - {increase(LATENCY + '_bucket', IN_TIME, 'requested_model')}",
                 "{{requested_model}}", table=True)]),
    row("Traffic behind the figures"),
    panel("timeseries", "Requests", "Below 0.1 per second the ratios mean little.", "reqps", 12, 7,
          [query(f"intertie:requests:rate5m{{{ALL}}}", "{{job}}")]),
    panel("timeseries", "Fallbacks per request", "Requests that were saved from being errors, at a price.", "percentunit", 12, 7,
          [query(f"intertie:fallbacks:ratio_rate5m{{{ALL}}}", "{{job}}")], steps=[(0.2, "red")]),
]
