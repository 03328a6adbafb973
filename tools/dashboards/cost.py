"""For whoever pays: what is spent, on which model, by whom, and what caches save."""
from .grafana import ALL, ASKED, RANGE, increase, panel, query, rate, row

SPEND, TOKENS = "litellm_spend_metric_total", "litellm_total_tokens_metric_total"
INPUT, OUTPUT = "litellm_input_tokens_metric_total", "litellm_output_tokens_metric_total"
ANSWERED = "litellm_requests_metric_total"
HITS, MISSES = "litellm_cache_hits_metric_total", "litellm_cache_misses_metric_total"
CACHED_INPUT = "litellm_input_cached_tokens_metric_total"
DETAILS = (("litellm_input_cached_tokens_metric_total", "input, from the provider's cache"),
           ("litellm_input_cache_creation_tokens_metric_total", "input, written to the provider's cache"),
           ("litellm_input_audio_tokens_metric_total", "input, audio"),
           ("litellm_output_reasoning_tokens_metric_total", "output, reasoning"),
           ("litellm_output_audio_tokens_metric_total", "output, audio"))

TOTALS = [
    row("In the selected time"),
    panel("stat", "Spend", "Cost of successful requests. Models without a price count as 0.", "currencyUSD", 4, 4,
          [query(increase(SPEND, ASKED), "spend", instant=True)]),
    panel("stat", "Spend per 30 days", "At the pace of the selected time.", "currencyUSD", 4, 4,
          [query(f"30 * 86400 * {rate(SPEND, ASKED, window=RANGE)}", "spend", instant=True)]),
    panel("stat", "Cost of 1,000 requests", "Spend divided by answered requests.", "currencyUSD", 4, 4,
          [query(f"1000 * {increase(SPEND, ASKED)} / {increase(ANSWERED, ASKED)}", "cost", instant=True)]),
    panel("stat", "Tokens", "Input plus output of successful requests.", "short", 4, 4,
          [query(increase(TOKENS, ASKED), "tokens", instant=True)]),
    panel("stat", "Answered from the cache", "Share of the requests that asked the response cache and found an answer there.",
          "percentunit", 4, 4,
          [query(f"{increase(HITS, ALL)} / ({increase(HITS, ALL)} + {increase(MISSES, ALL)})", "hits", instant=True)]),
    panel("stat", "Input from the provider's cache", "Share of the input tokens that the provider had in its prompt cache; they "
          "cost less.", "percentunit", 4, 4,
          [query(f"{increase(CACHED_INPUT, ASKED)} / {increase(INPUT, ASKED)}", "cached", instant=True)]),
]

MONEY = [
    row("Money"),
    panel("stacked", "Spend per hour by model", "The model that answered.", "currencyUSD", 12, 8,
          [query(f"3600 * {rate(SPEND, ASKED, 'model')}", "{{model}}")]),
    panel("piechart", "Spend by model", "The model that answered.", "currencyUSD", 6, 8,
          [query(increase(SPEND, ASKED, "model"), "{{model}}", instant=True)]),
    panel("piechart", "Spend by provider", "The provider that answered.", "currencyUSD", 6, 8,
          [query(increase(SPEND, ASKED, "api_provider"), "{{api_provider}}", instant=True)]),
    panel("timeseries", "Cost of a million tokens", "What a model really costs, input and output mixed as they come.", "currencyUSD", 8, 8,
          [query(f"1e6 * {rate(SPEND, ASKED, 'model')} / {rate(TOKENS, ASKED, 'model')}", "{{model}}")]),
    panel("timeseries", "Budgets of providers", "US dollars left; needs router_settings.provider_budget_config.", "currencyUSD", 8, 8,
          [query(f"min by (api_provider) (litellm_provider_remaining_budget_metric{{{ALL}}})", "{{api_provider}}")]),
    panel("table", "Without a price", "Models with tokens and no spend: input_cost_per_token is missing, or they are your own.",
          "short", 8, 8,
          [query(f"{increase(TOKENS, ASKED, 'model, api_provider')} unless {increase(SPEND, ASKED, 'model, api_provider')} > 0",
                 "{{model}} {{api_provider}}", table=True)]),
]

WHO = [
    row("Who"),
    panel("table", "Spend by key", "None: the master key has no alias.", "currencyUSD", 12, 9,
          [query(f"topk(50, {increase(SPEND, ASKED, 'api_key_alias, team_alias, user')})",
                 "{{api_key_alias}} {{team_alias}} {{user}}", table=True)]),
    panel("table", "Tokens by key", "None: the master key has no alias.", "short", 12, 9,
          [query(f"topk(50, {increase(TOKENS, ASKED, 'api_key_alias, team_alias, user')})",
                 "{{api_key_alias}} {{team_alias}} {{user}}", table=True)]),
    panel("stacked", "Spend per hour by team", "Team of the key; None without teams.", "currencyUSD", 8, 8,
          [query(f"3600 * {rate(SPEND, ASKED, 'team_alias')}", "{{team_alias}}")]),
    panel("stacked", "Requests by key", "Alias of the key; None for the master key.", "reqps", 8, 8,
          [query(rate("litellm_proxy_total_requests_metric_total", ASKED, "api_key_alias"), "{{api_key_alias}}")]),
    panel("stacked", "Requests by client program", "The product of the User-Agent header.", "reqps", 8, 8,
          [query(rate("litellm_proxy_total_requests_metric_total", ASKED, "user_agent"), "{{user_agent}}")]),
]

TOKEN_FLOW = [
    row("Tokens"),
    panel("timeseries", "Tokens per second", "Of successful requests.", "short", 8, 8,
          [query(rate(INPUT, ASKED), "input"), query(rate(OUTPUT, ASKED), "output")]),
    panel("stacked", "Tokens per second by model", "Input plus output.", "short", 8, 8,
          [query(rate(TOKENS, ASKED, "model"), "{{model}}")]),
    panel("timeseries", "Tokens of a request", "Mean of input and output, by model.", "short", 8, 8,
          [query(f"{rate(INPUT, ASKED, 'model')} / {rate(ANSWERED, ASKED, 'model')}", "{{model}} input"),
           query(f"{rate(OUTPUT, ASKED, 'model')} / {rate(ANSWERED, ASKED, 'model')}", "{{model}} output")]),
    panel("timeseries", "Kinds of tokens", "Tokens with a price of their own, as the providers report them.", "short", 12, 8,
          [query(rate(name, ASKED), legend) for name, legend in DETAILS]),
    panel("piechart", "Answered requests by model", "The model that answered.", "short", 12, 8,
          [query(increase(ANSWERED, ASKED, "model"), "{{model}}", instant=True)]),
]

CACHE = [
    row("Response cache"),
    panel("stacked", "Look-ups", "Requests that asked the response cache.", "reqps", 8, 8,
          [query(rate(HITS, ALL), "hits"), query(rate(MISSES, ALL), "misses")], colors={"hits": "green", "misses": "yellow"}),
    panel("timeseries", "Hits by model", "Share of the look-ups.", "percentunit", 8, 8,
          [query(f"{rate(HITS, ALL, 'model')} / ({rate(HITS, ALL, 'model')} + {rate(MISSES, ALL, 'model')})", "{{model}}")],
          maximum=1),
    panel("timeseries", "Tokens saved", "Tokens per second of answers from the cache: nobody computed them.", "short", 8, 8,
          [query(rate("litellm_cached_tokens_metric_total", ALL, "model"), "{{model}}")]),
]

PANELS = TOTALS + MONEY + WHO + TOKEN_FLOW + CACHE
