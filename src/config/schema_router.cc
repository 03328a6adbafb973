// Keys of router_settings and of its policies.
#include "config/schema.h"

namespace gw::config {
namespace {

constexpr auto kOn = KeyStatus::kEffective;
constexpr auto kOff = KeyStatus::kIgnored;
constexpr auto kLater = KeyStatus::kNotSupportedYet;
using enum ValueType;

constexpr auto kS = Section::kRouterSettings;
constexpr auto kT = Section::kRetryPolicy;
constexpr auto kA = Section::kAllowedFailsPolicy;

// One row per line, whatever its length.
// clang-format off
constexpr KeySpec kRows[] = {
    {kS, "routing_strategy", kString, "simple-shuffle", kOn, "simple-shuffle, least-busy, latency-based-routing, usage-based-routing-v2 (usage-based-routing means the same), cost-based-routing or provider-budget-routing; ours: inference-aware, by what vLLM, SGLang or llama.cpp say of their load at /metrics and by whose cache holds the prompt's beginning."},
    {kS, "num_retries", kInt, "litellm_settings, else 2", kOn, "Attempts after the first within a group."},
    {kS, "retry_after", kNumber, "0", kOn, "Shortest pause in seconds before a retry."},
    {kS, "timeout", kNumber, "request_timeout", kOn, "Seconds one attempt may take."},
    {kS, "stream_timeout", kNumber, "-", kOn, "Seconds between two chunks of a stream, and until the first."},
    {kS, "total_timeout", kNumber, "-", kOn, "Ours: seconds for all attempts and pauses of a request."},
    {kS, "first_token_timeout", kNumber, "-", kOn, "Ours: seconds until the first content of a stream; then the next deployment is tried."},
    {kS, "fallbacks", kList, "litellm_settings", kOn, "List of {group: [targets]}: where a request goes when its group fails."},
    {kS, "default_fallbacks", kList, "litellm_settings", kOn, "Targets for every group without an entry of its own."},
    {kS, "context_window_fallbacks", kList, "litellm_settings", kOn, "Used instead when the prompt is too long."},
    {kS, "content_policy_fallbacks", kList, "litellm_settings", kOn, "Used instead when the provider refuses the content."},
    {kS, "max_fallbacks", kInt, "ROUTER_MAX_FALLBACKS, else 5", kOn, "Depth of chained fallbacks."},
    {kS, "allowed_fails", kInt, "-", kOn, "Failures of a deployment before its cooldown; unset: by share of failures."},
    {kS, "allowed_fails_policy", kMap, "-", kOn, "The same by exception."},
    {kS, "cooldown_time", kNumber, "DEFAULT_COOLDOWN_TIME_SECONDS, else 5", kOn, "Seconds a deployment gets no traffic."},
    {kS, "disable_cooldowns", kBool, "false", kOn, "Never cool a deployment down."},
    {kS, "retry_policy", kMap, "-", kOn, "Retries by exception."},
    {kS, "model_group_retry_policy", kMap, "{}", kOn, "{group: policy}; replaces retry_policy for that group."},
    {kS, "model_group_alias", kMap, "{}", kOn, "{alias: group} or {alias: {model, hidden}}."},
    {kS, "enable_pre_call_checks", kBool, "false", kOn, "Skip deployments whose max_input_tokens is below the estimated prompt, whose region_name is not the allowed one, or that do not take a parameter of the request."},
    {kS, "enable_pre_call_check", kBool, "false", kOn, "Another spelling of enable_pre_call_checks."},
    {kS, "optional_pre_call_checks", kStringList, "[]", kOn, "enforce_model_rate_limits makes rpm, tpm, itpm, otpm, rpd and tpd hard limits; session_affinity, deployment_affinity and prompt_caching lead a caller back to the deployment that served it; router_budget_limiting."},
    {kS, "enable_tag_filtering", kBool, "false", kOn, "Route by tags."},
    {kS, "default_max_parallel_requests", kInt, "-", kOn, "Calls at the same time for deployments that say nothing."},
    {kS, "default_litellm_params", kMap, "{}", kOn, "litellm_params of every row that does not give them itself."},
    {kS, "compat_attempted_fallbacks", kBool, "false", kLater, "Ours: x-litellm-attempted-fallbacks is 0 or 1, as LiteLLM counts."},
    {kS, "set_verbose", kBool, "false", kOn, "Debug log lines."},
    {kS, "debug_level", kAny, "INFO", kOff, "LITELLM_LOG decides."},
    {kS, "client_ttl", kAny, "3600", kOff, "Upstream connections are pooled by origin."},
    {kS, "routing_strategy_args", kMap, "{}", kOn, "ttl (3600), lowest_latency_buffer (0), max_latency_list_size (10, at most 64), ttft_percentile; ours: exploration (0.02), the share of picks that ignore the latencies. Of inference-aware: scrape_interval (0.25 s), stale_after (2 s; engines silent for longer are balanced by least-busy), prefill_tokens_per_second (8000, prompt tokens that an engine computes), prefix_cache_tokens (what the cache of an engine holds that does not tell), prefix_block_bytes (512, in router_settings only); seconds of cost: queue_weight (1.5) and prefix_weight (4) per second in the queue and of computing the prompt, busy_weight (0.06) per request in the engine, kv_weight (2) for a full KV cache."},
    {kS, "tag_filtering_match_any", kBool, "true", kOn, "One common tag is enough; false: the deployment must have all tags of the request."},
    {kS, "tag_routing_prefix", kString, "-", kOn, "Only tags of requests with this prefix route."},
    {kS, "redis_host", kString, "-", kOn, "Replicas share cooldowns, limits and usage through this Redis; without it through that of cache_params."},
    {kS, "redis_port", kAny, "-", kOn, "Its port, 6379 when nothing says otherwise."},
    {kS, "redis_password", kAny, "-", kOn, "Its password."},
    {kS, "redis_url", kString, "-", kOn, "redis://user:password@host:port/db instead of host and port."},
    {kS, "redis_db", kAny, "-", kOn, "Number of the database."},
    {kS, "cache_kwargs", kMap, "-", kLater, "Further options of a Redis client."},
    {kS, "cache_responses", kBool, "false", kLater, "Response cache."},
    {kS, "caching_groups", kList, "[]", kOn, "Lists of groups that share their cached answers."},
    {kS, "default_priority", kInt, "-", kOn, "Priority (0 is the highest) of requests that name none. Requests with a priority wait, at most 60 s and at most the timeout, until a deployment leaves its cooldown."},
    {kS, "polling_interval", kNumber, "0.03", kOn, "Seconds by which waiting requests of neighbouring priorities are tried after one another."},
    {kS, "enable_mid_stream_fallback_continuation", kBool, "false", kOn, "Continue a text stream that broke off after its first content: at another deployment of the group or at a fallback, with the text so far as the beginning of the answer."},
    {kS, "enable_weighted_failover", kBool, "false", kOn, "Under simple-shuffle: try the other deployments of the group, once each, before the fallbacks."},
    {kS, "fallback_on_unsupported_params", kBool, "true", kOn, "false: no fallback after a 400 for the request itself."},
    {kS, "provider_budget_config", kMap, "-", kOn, "{provider: {budget_limit, time_period}}: USD per period; a provider over it gets no traffic."},
    {kS, "routing_groups", kList, "[]", kOn, "[{group_name, models, routing_strategy, routing_strategy_args}]: these models are balanced by the group's strategy, and group_name may be called like a model: any of them answers."},
    {kS, "plugins", kAny, "-", kLater, "Routing plugins."},
    {kS, "model_group_affinity_config", kMap, "{}", kOn, "{group: [affinity checks]}; replaces the checks of optional_pre_call_checks for that group."},
    {kS, "deployment_affinity_ttl_seconds", kNumber, "3600", kOn, "Seconds after which an idle session or key is free to go elsewhere."},
    {kS, "session_affinity_repin_on_failover", kBool, "false", kOn, "A session that another deployment had to serve stays there; false: it returns."},
    {kS, "half_open_probes", kBool, "false", kOn, "Ours: after a cooldown one request at a time until one succeeds."},
    {kS, "rate_limit_wait_max", kNumber, "0", kOn, "Ours: seconds a request may wait when all deployments of its group are over their own limits; 0: 429 at once."},
    {kS, "cooldown_wait_max", kNumber, "0", kOn, "Ours: seconds a request may wait for the first deployment to leave its cooldown when its group has no fallback; 0: 429 at once."},
    {kS, "retry_budget", kNumber, "-", kOn, "Ours: retries per first attempt that the whole process may make, 0.2 for instance; unset: no bound. Fallbacks are not counted."},
    {kS, "retry_budget_burst", kInt, "100", kOn, "Ours: retries that may be made beyond retry_budget in a row."},
    {kS, "hedging", kBool, "false", kOn, "Ours: call a second deployment of the group when the first has been silent for longer than usual; the first to bring content answers, the other is aborted."},
    {kS, "hedge_percentile", kNumber, "0.95", kOn, "Ours: usual is this share of the deployment's newest 64 times to the first content (whole answers: of their durations)."},
    {kS, "hedge_delay_min", kNumber, "0.05", kOn, "Ours: seconds that are waited at least before a second deployment is called."},
    {kS, "hedge_delay_max", kNumber, "-", kOn, "Ours: seconds that are waited at most, also for a deployment with fewer than 20 times; unset: such a one is never hedged."},
    {kS, "hedge_cost_cap", kNumber, "0.05", kOn, "Ours: second calls per request that the whole process may make."},
    {kS, "hedge_burst", kInt, "10", kOn, "Ours: second calls that may be made beyond hedge_cost_cap in a row."},
    {kS, "hedge_streams", kBool, "true", kOn, "Ours: hedge streams."},
    {kS, "hedge_whole_answers", kBool, "true", kOn, "Ours: hedge answers that are not streamed."},
    {kS, "alerting_config", kAny, "-", kLater, "Alerts."},
    {kS, "guardrail_list", kAny, "-", kLater, "Content checks."},
    {kS, "enable_health_check_routing", kBool, "false", kOn, "Skip deployments whose last background probe failed, unless all failed; needs background_health_checks."},
    {kS, "health_check_staleness_threshold", kNumber, "2 x health_check_interval", kOn, "Seconds after which a probe says nothing any more."},
    {kS, "health_check_ignore_transient_errors", kBool, "false", kOn, "Probes answered by 408 or 429 do not count."},

    {kT, "BadRequestErrorRetries", kInt, "-", kOn, "Retries after a 400."},
    {kT, "AuthenticationErrorRetries", kInt, "-", kOn, "Retries after a 401."},
    {kT, "TimeoutErrorRetries", kInt, "-", kOn, "Retries after a timeout."},
    {kT, "RateLimitErrorRetries", kInt, "-", kOn, "Retries after a 429."},
    {kT, "ContentPolicyViolationErrorRetries", kInt, "-", kOn, "Retries after refused content."},
    {kT, "InternalServerErrorRetries", kInt, "-", kOn, "Retries after a 500."},
    {kT, "ServiceUnavailableErrorRetries", kInt, "-", kOn, "Retries after a 503."},
    {kT, "BadGatewayErrorRetries", kInt, "-", kOn, "Retries after a 502."},
    {kT, "NotFoundErrorRetries", kInt, "-", kOn, "Retries after a 404."},
    {kT, "DefaultRetries", kInt, "-", kOn, "Retries after anything else."},

    {kA, "BadRequestErrorAllowedFails", kInt, "-", kOn, "Failures with 400 before a cooldown."},
    {kA, "AuthenticationErrorAllowedFails", kInt, "-", kOn, "Failures with 401 before a cooldown."},
    {kA, "TimeoutErrorAllowedFails", kInt, "-", kOn, "Timeouts before a cooldown."},
    {kA, "RateLimitErrorAllowedFails", kInt, "-", kOn, "Failures with 429 before a cooldown."},
    {kA, "ContentPolicyViolationErrorAllowedFails", kInt, "-", kOn, "Refused contents before a cooldown."},
    {kA, "InternalServerErrorAllowedFails", kInt, "-", kOn, "Failures with 500 before a cooldown."},
    {kA, "ServiceUnavailableErrorAllowedFails", kInt, "-", kOn, "Failures with 503 before a cooldown."},
    {kA, "BadGatewayErrorAllowedFails", kInt, "-", kOn, "Failures with 502 before a cooldown."},
    {kA, "NotFoundErrorAllowedFails", kInt, "-", kOn, "Failures with 404 before a cooldown."},
};
// clang-format on

}  // namespace

std::span<const KeySpec> RouterSettingsSchemaRows() { return kRows; }

}  // namespace gw::config
