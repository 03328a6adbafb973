"""One collapsed row for a dashboard that you have already: no variable but the data source, nothing to select."""
from .grafana import RATE, increase, panel, quantiles, query, rate
from .operator import STATES

FALLBACK = "requested_model, fallback_model"

PANELS = [
    panel("stat", "Request rate", "Client requests per second, successes and failures.", "reqps", 6, 5,
          [query(rate("litellm_proxy_total_requests_metric_total"), "requests")]),
    panel("stat", "Failed requests", "Requests in the selected time that ended in an error for the client: no retry and "
          "no fallback helped, or the request itself was refused.", "short", 6, 5,
          [query(increase("litellm_proxy_failed_requests_metric_total"), "failed", instant=True)]),
    panel("stat", "Total tokens", "Input plus output tokens of successful requests in the selected time.", "short", 6, 5,
          [query(increase("litellm_total_tokens_metric_total"), "tokens", instant=True)]),
    panel("stat", "Spend", "Cost of successful requests in the selected time. Models without a price count as 0.",
          "currencyUSD", 6, 5, [query(increase("litellm_spend_metric_total"), "spend", instant=True)]),
    panel("timeseries", "Request rate by model", "By the name that the client asked for, also when a fallback answered.",
          "reqps", 12, 8, [query(rate("litellm_proxy_total_requests_metric_total", by="requested_model"), "{{requested_model}}")]),
    panel("timeseries", "Request latency", "From the arrival of a request to the last byte of its answer; successes only.",
          "s", 12, 8, quantiles("litellm_request_total_latency_metric")),
    panel("timeseries", "Token throughput", "Tokens per second of successful requests.", "short", 12, 8,
          [query(rate("litellm_input_tokens_metric_total"), "input"), query(rate("litellm_output_tokens_metric_total"), "output")]),
    panel("timeseries", "LLM API latency", "Time that the upstream took for the attempt that answered.", "s", 12, 8,
          quantiles("litellm_llm_api_latency_metric")),
    panel("timeseries", "Proxy overhead", "Time of a request that was spent outside upstream calls; streams have no value.",
          "s", 12, 8, quantiles("litellm_overhead_latency_metric")),
    panel("piechart", "Model usage", "Successful requests in the selected time by the model that answered.", "short", 12, 8,
          [query(increase("litellm_requests_metric_total", by="model"), "{{model}}", instant=True)]),
    panel("bars", "Successful fallbacks", "A model group failed and its fallback answered; in a longer chain each step "
          "counts. A new pair shows from its second event on: Prometheus needs two samples of a series.", "short", 8, 8,
          [query(increase("litellm_deployment_successful_fallbacks_total", by=FALLBACK, window=RATE),
                 "{{requested_model}} → {{fallback_model}}")]),
    panel("bars", "Failed fallbacks", "A fallback target that failed too; each step of a chain counts.", "short", 8, 8,
          [query(increase("litellm_deployment_failed_fallbacks_total", by=FALLBACK, window=RATE),
                 "{{requested_model}} → {{fallback_model}}")]),
    panel("state-timeline", "Deployment state", "The worst state that any replica reports for a deployment.", "short", 8, 8,
          [query("max by (litellm_model_name, api_base) (litellm_deployment_state)", "{{litellm_model_name}} {{api_base}}")],
          states=STATES),
]
