"""For whoever is on call: are clients served, and if not, which tier, which deployment, which resource?"""
from .grafana import ALL, ASKED, GROUP, RATE, increase, panel, quantile, quantiles, query, rate, ratio, row

REQUESTS = "litellm_proxy_total_requests_metric_total"
FAILED = ASKED + ', status_code=~"5..|408"'
LATENCY, FIRST = "litellm_request_total_latency_metric", "litellm_llm_api_time_to_first_token_metric"
ATTEMPTS = "litellm_gw_deployment_attempts_total"
FALLBACKS, FAILED_FALLBACKS = "litellm_deployment_successful_fallbacks_total", "litellm_deployment_failed_fallbacks_total"
STATES = [("0", "Healthy", "green"), ("1", "Last attempt failed", "yellow"), ("2", "Cooling down", "red")]
OUTCOMES = {"success": "green", "error": "red", "timeout": "orange", "connect_error": "purple", "cancelled": "blue"}
FIRING = 'count(ALERTS{alertname=~"Intertie.+", alertstate="firing"}) or vector(0)'


def or_zero(expr):
    return f"({expr} or vector(0))"


NOW = [
    row("Now"),
    panel("stat", "Replicas", "Processes that Prometheus scrapes.", "short", 3, 4,
          [query(f"count(litellm_build_info{{{ALL}}})", "replicas")]),
    panel("stat", "Firing alerts", "Alerts of deploy/prometheus/rules.yaml that fire now, of all installations.", "short", 3, 4,
          [query(FIRING, "alerts")], steps=[(1, "red")]),
    panel("stat", "Requests", "Client requests per second, successes and failures.", "reqps", 3, 4,
          [query(rate(REQUESTS, ASKED), "requests")]),
    panel("stat", "Failed", "Share of the requests that ended with 5xx or 408. Errors of the clients themselves do not count.",
          "percentunit", 3, 4, [query(ratio(or_zero(rate(REQUESTS, FAILED)), rate(REQUESTS, ASKED)), "failed")],
          steps=[(0.005, "yellow"), (0.05, "red")]),
    panel("stat", "Latency p95", "From the arrival of a request to the last byte of its answer; successes only.", "s", 3, 4,
          [query(quantile("0.95", LATENCY, ASKED), "p95")], steps=[(30, "red")]),
    panel("stat", "First token p95", "From sending the attempt that answered to its first chunk; streams only.", "s", 3, 4,
          [query(quantile("0.95", FIRST, ASKED), "p95")], steps=[(10, "yellow")]),
    panel("stat", "On fallbacks", "Fallbacks per request: 0.2 sets off IntertieFallbackStorm.", "percentunit", 3, 4,
          [query(f"({or_zero(rate(FALLBACKS, ASKED))} + {or_zero(rate(FAILED_FALLBACKS, ASKED))}) / {rate(REQUESTS, ASKED)}",
                 "fallbacks")], steps=[(0.05, "yellow"), (0.2, "red")]),
    panel("stat", "Cooling down", "Deployments that are left alone now.", "short", 3, 4,
          [query(f"count(max by (model_id) (litellm_deployment_state{{{ALL}}}) == 2) or vector(0)", "deployments")],
          steps=[(1, "yellow"), (3, "red")]),
]

MODELS = [
    row("Requests by model"),
    panel("timeseries", "Rate", "By the name that the client asked for, also when a fallback answered.", "reqps", 8, 8,
          [query(rate(REQUESTS, ASKED, "requested_model"), "{{requested_model}}")]),
    panel("timeseries", "Errors", "Share that ended with 5xx or 408, by the name that the client asked for.", "percentunit", 8, 8,
          [query(ratio(rate(REQUESTS, FAILED, "requested_model"), rate(REQUESTS, ASKED, "requested_model")),
                 "{{requested_model}}")]),
    panel("timeseries", "Duration p95", "Arrival to last byte; successes only.", "s", 8, 8,
          [query(quantile("0.95", LATENCY, ASKED, "requested_model"), "{{requested_model}}", exemplar=True)]),
    panel("stacked", "Status", "What the clients got.", "reqps", 8, 8,
          [query(rate(REQUESTS, ASKED, "status_code"), "{{status_code}}")],
          colors={"^2": "green", "^4": "yellow", "^5": "red", "^408": "orange"}),
    panel("stacked", "Failures by class", "401: a key. ProxyModelNotFoundError: a name. Timeout and 5xx: an upstream, and no "
          "fallback helped.", "reqps", 8, 8,
          [query(rate("litellm_proxy_failed_requests_metric_total", ASKED, "exception_class"), "{{exception_class}}")]),
    panel("timeseries", "First token p95 by model", "Streams only; what people feel.", "s", 8, 8,
          [query(quantile("0.95", FIRST, ASKED, "requested_model"), "{{requested_model}}", exemplar=True)]),
    panel("timeseries", "Latency", "All models together. A dot is an exemplar: it leads to the trace.", "s", 12, 8,
          quantiles(LATENCY, ASKED)),
    panel("heatmap", "Latency, distribution", "How many answers took how long.", "short", 12, 8,
          [query(increase(LATENCY + "_bucket", ASKED, "le", RATE), "{{le}}", heatmap=True)]),
]

TIERS = [
    row("Tiers and fallbacks"),
    panel("stacked", "Attempts by tier and outcome", "Every call of an upstream, retries included. A tier is a model group.",
          "reqps", 12, 8, [query(rate(ATTEMPTS, GROUP, "model_group, outcome"), "{{model_group}} {{outcome}}")],
          colors={f" {outcome}$": color for outcome, color in OUTCOMES.items()}),
    panel("timeseries", "Success of each tier", "Share of its attempts that succeed; 0 for five minutes is IntertieTierDark.",
          "percentunit", 12, 8,
          [query(ratio(rate(ATTEMPTS, GROUP + ', outcome="success"', "model_group"), rate(ATTEMPTS, GROUP, "model_group")),
                 "{{model_group}}")], maximum=1),
    panel("stacked", "Who answers", "Requests by the tier whose answer the client got.", "reqps", 8, 8,
          [query(rate("litellm_deployment_success_responses_total", GROUP, "model_group"), "{{model_group}}")]),
    panel("bars", "Successful fallbacks", "A tier failed and its fallback answered; in a longer chain each step counts. A new "
          "pair shows from its second event on: Prometheus needs two samples of a series.", "short", 8, 8,
          [query(increase(FALLBACKS, ASKED, "requested_model, fallback_model", RATE), "{{requested_model}} → {{fallback_model}}")]),
    panel("bars", "Failed fallbacks", "The net has a hole: the fallback failed too.", "short", 8, 8,
          [query(increase(FAILED_FALLBACKS, ASKED, "requested_model, fallback_model", RATE),
                 "{{requested_model}} → {{fallback_model}}")]),
    panel("table", "Why they fell back", "Successful fallbacks in the selected time by the error of the first choice.", "short", 12, 8,
          [query(increase(FALLBACKS, ASKED, "requested_model, fallback_model, exception_class"),
                 "{{requested_model}} {{fallback_model}} {{exception_class}}", table=True)]),
    panel("bars", "Broken streams", "Streams that broke after their first chunk. upstream: the client saw an error in its "
          "stream; client: it left.", "short", 6, 8,
          [query(increase("litellm_gw_stream_aborted_total", ALL, "side", RATE), "{{side}}")]),
    panel("timeseries", "Waiting between attempts", "Requests that sleep before a retry, on average.", "short", 6, 8,
          [query(rate("litellm_gw_retry_backoff_seconds_sum", ALL), "requests")]),
]

DEPLOYMENTS = [
    row("Deployments"),
    panel("state-timeline", "State", "The worst state that any replica reports for a deployment.", "short", 12, 9,
          [query(f"max by (litellm_model_name, api_base) (litellm_deployment_state{{{ALL}}})",
                 "{{litellm_model_name}} {{api_base}}")], states=STATES),
    panel("timeseries", "Cooldown left", "Seconds until a deployment is used again; 0 while it is in use.", "s", 12, 9,
          [query(f"max by (model_id) (litellm_gw_deployment_cooldown_seconds{{{ALL}}})", "{{model_id}}")]),
    panel("bars", "Cooldowns", "Cooldowns that began, by the status that caused them: 429 is a limit, 401 and 404 a wrong key or "
          "name, 5xx and 408 trouble.", "short", 8, 8,
          [query(increase("litellm_deployment_cooled_down_total", ALL, "litellm_model_name, exception_status", RATE),
                 "{{litellm_model_name}} {{exception_status}}")]),
    panel("stacked", "Failures", "First failed attempt of each request.", "reqps", 8, 8,
          [query(rate("litellm_deployment_failure_responses_total", GROUP, "litellm_model_name, exception_class"),
                 "{{litellm_model_name}} {{exception_class}}")]),
    panel("timeseries", "Upstream latency p95", "The attempt that answered: the upstream's own time.", "s", 8, 8,
          [query(quantile("0.95", "litellm_llm_api_latency_metric", GROUP, "model, model_id"), "{{model}} {{model_id}}",
                 exemplar=True)]),
    panel("timeseries", "Between tokens p95", "Decode speed of streams after the first token.", "s", 8, 8,
          [query(quantile("0.95", "litellm_gw_inter_token_latency_seconds", GROUP, "litellm_model_name, api_base"),
                 "{{litellm_model_name}} {{api_base}}")]),
    panel("timeseries", "Seconds per output token p95", "LiteLLM's figure; for streams the time to the first chunk counts, "
          "divided by all tokens.", "s", 8, 8,
          [query(quantile("0.95", "litellm_deployment_latency_per_output_token", GROUP, "litellm_model_name, api_base"),
                 "{{litellm_model_name}} {{api_base}}")]),
    panel("stacked", "Hedges", "Second calls beside a late first one. Many lost: the delay is too short; many refused_by_cap: "
          "whole tiers are slow. Needs router_settings.hedging.", "reqps", 8, 8,
          [query(rate("litellm_gw_hedges_total", GROUP, "outcome"), "{{outcome}}")]),
]

SATURATION = [
    row("Saturation"),
    panel("timeseries", "In flight", "HTTP requests being served (each scrape included) and streams being relayed. Grows without "
          "traffic growing: an upstream is getting slow.", "short", 8, 8,
          [query(f"sum(litellm_in_flight_requests{{{ALL}}})", "requests"),
           query(f"sum(litellm_gw_active_streams{{{ALL}}})", "streams")]),
    panel("timeseries", "Requests left at the provider", "What the provider says, else the configured limit less the use.",
          "short", 8, 8,
          [query(f"min by (model_group, litellm_model_name) (litellm_remaining_requests_metric{{{GROUP}}})",
                 "{{model_group}} {{litellm_model_name}}")]),
    panel("timeseries", "Tokens left at the provider", "As for requests.", "short", 8, 8,
          [query(f"min by (model_group, litellm_model_name) (litellm_remaining_tokens_metric{{{GROUP}}})",
                 "{{model_group}} {{litellm_model_name}}")]),
    panel("timeseries", "Use of rpm limits", "Attempts per minute as a share of the configured limit; at 1 the deployment is full.",
          "percentunit", 8, 8,
          [query(f"60 * {rate(ATTEMPTS, GROUP, 'model_group, model_id')} / max by (model_group, model_id) "
                 f"(litellm_deployment_rpm_limit{{{GROUP}}})", "{{model_group}} {{model_id}}")], steps=[(0.8, "yellow"), (1, "red")]),
    panel("timeseries", "Engines: queue", "Requests that wait in an inference engine, as its own metrics say. Needs "
          "routing_strategy inference-aware.", "short", 8, 8,
          [query(f"max by (model_id) (litellm_gw_engine_waiting_requests{{{ALL}}})", "{{model_id}} waiting"),
           query(f"max by (model_id) (litellm_gw_engine_running_requests{{{ALL}}})", "{{model_id}} running")]),
    panel("timeseries", "Engines: KV cache", "Share in use; near 1 the engine preempts.", "percentunit", 8, 8,
          [query(f"max by (model_id) (litellm_gw_engine_kv_cache_usage_ratio{{{ALL}}})", "{{model_id}}")], maximum=1),
    panel("timeseries", "CPU", "Cores in use, per replica. Against the limit of the pod: throttling comes before errors.", "short", 6, 8,
          [query(rate("process_cpu_seconds_total", ALL, "instance"), "{{instance}}")]),
    panel("timeseries", "Memory", "Resident memory per replica. Follows the bodies in flight; must fall again.", "bytes", 6, 8,
          [query(f"max by (instance) (process_resident_memory_bytes{{{ALL}}})", "{{instance}}")]),
    panel("timeseries", "File descriptors", "Share of those allowed; clients plus upstream connections.", "percentunit", 6, 8,
          [query(f"max by (instance) (process_open_fds{{{ALL}}} / process_max_fds{{{ALL}}})", "{{instance}}")],
          steps=[(0.8, "red")]),
    panel("timeseries", "Largest metric families", "Label sets per family; at 50,000 new ones go into \"other\".", "short", 6, 8,
          [query(f"topk(5, max by (family) (litellm_gw_metric_series{{{ALL}}}))", "{{family}}")]),
]

OVERHEAD = [
    row("Overhead and the gateway itself"),
    panel("timeseries", "Overhead", "Time of a request outside upstream calls; streams have no value. Milliseconds mean a starved "
          "CPU.", "s", 8, 8, quantiles("litellm_overhead_latency_metric", GROUP)),
    panel("timeseries", "Before routing", "From arrival to routing: authentication and preparation.", "s", 8, 8,
          quantiles("litellm_request_queue_time_seconds", ASKED)),
    panel("timeseries", "Own parts p95", "Needs service_callback: [prometheus_system].", "s", 8, 8,
          [query(quantile("0.95", f"litellm_{part}_latency", ALL), part) for part in ("auth", "router", "proxy_pre_call", "self")]),
    panel("timeseries", "Redis p95", "Calls of Redis, if there is one.", "s", 8, 8,
          [query(quantile("0.95", "litellm_redis_latency", ALL), "redis")]),
    panel("timeseries", "Redis away", "Connections of workers that are away; requests go on without it.", "short", 8, 8,
          [query(f'sum by (state) (litellm_redis_circuit_breaker_state{{{ALL}}})', "{{state}}")],
          colors={"open": "red", "half_open": "yellow", "closed": "green"}),
    panel("bars", "Configuration reloads", "rejected: the old configuration is still in force; the log says why.", "short", 8, 8,
          [query(increase("litellm_gw_config_reloads_total", ALL, "outcome", RATE), "{{outcome}}")],
          colors={"rejected": "red", "applied": "green"}),
    panel("table", "Versions", "Replicas by version; two for long: a rollout that stands still.", "short", 12, 5,
          [query(f"count by (version, commit) (litellm_build_info{{{ALL}}})", "{{version}} {{commit}}", table=True)]),
    panel("timeseries", "Uptime", "Seconds since the process began; a drop is a restart.", "s", 12, 5,
          [query(f"time() - max by (instance) (process_start_time_seconds{{{ALL}}})", "{{instance}}")]),
]

PANELS = NOW + MODELS + TIERS + DEPLOYMENTS + SATURATION + OVERHEAD
