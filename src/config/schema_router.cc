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
    {kS, "routing_strategy", kString, "simple-shuffle", kOn, "simple-shuffle, least-busy or cost-based-routing. The latency, usage and budget strategies shuffle, with a warning."},
    {kS, "num_retries", kInt, "litellm_settings, else 2", kOn, "Attempts after the first within a group."},
    {kS, "retry_after", kNumber, "0", kOn, "Shortest pause in seconds before a retry."},
    {kS, "timeout", kNumber, "request_timeout", kOn, "Seconds one attempt may take."},
    {kS, "stream_timeout", kNumber, "-", kOn, "Seconds between two chunks of a stream, and until the first."},
    {kS, "total_timeout", kNumber, "-", kOn, "Ours: seconds for all attempts and pauses of a request."},
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
    {kS, "enable_pre_call_checks", kBool, "false", kLater, "Skip deployments whose context is too small for the prompt."},
    {kS, "enable_pre_call_check", kBool, "false", kLater, "Another spelling of enable_pre_call_checks."},
    {kS, "optional_pre_call_checks", kStringList, "[]", kOn, "enforce_model_rate_limits makes rpm and tpm hard limits."},
    {kS, "enable_tag_filtering", kBool, "false", kOn, "Route by tags."},
    {kS, "default_max_parallel_requests", kInt, "-", kOn, "Calls at the same time for deployments that say nothing."},
    {kS, "default_litellm_params", kMap, "{}", kOn, "litellm_params of every row that does not give them itself."},
    {kS, "compat_attempted_fallbacks", kBool, "false", kLater, "Ours: x-litellm-attempted-fallbacks is 0 or 1, as LiteLLM counts."},
    {kS, "set_verbose", kBool, "false", kOn, "Debug log lines."},
    {kS, "debug_level", kAny, "INFO", kOff, "LITELLM_LOG decides."},
    {kS, "client_ttl", kAny, "3600", kOff, "Upstream connections are pooled by origin."},
    {kS, "routing_strategy_args", kMap, "{}", kLater, "Settings of the strategy."},
    {kS, "tag_filtering_match_any", kBool, "true", kLater, "One common tag is enough."},
    {kS, "tag_routing_prefix", kString, "-", kLater, "Only tags with this prefix route."},
    {kS, "redis_host", kString, "-", kLater, "Shared state in Redis."},
    {kS, "redis_port", kAny, "-", kLater, "Shared state in Redis."},
    {kS, "redis_password", kAny, "-", kLater, "Shared state in Redis."},
    {kS, "redis_url", kString, "-", kLater, "Shared state in Redis."},
    {kS, "redis_db", kAny, "-", kLater, "Shared state in Redis."},
    {kS, "cache_kwargs", kMap, "-", kLater, "Shared state in Redis."},
    {kS, "cache_responses", kBool, "false", kLater, "Response cache."},
    {kS, "caching_groups", kList, "[]", kOn, "Lists of groups that share their cached answers."},
    {kS, "default_priority", kInt, "-", kLater, "Priority queue."},
    {kS, "polling_interval", kNumber, "0.03", kLater, "Priority queue."},
    {kS, "enable_weighted_failover", kBool, "false", kLater, "Try the other deployments of the group before the fallbacks."},
    {kS, "enable_mid_stream_fallback_continuation", kBool, "false", kLater, "Continue a broken stream elsewhere."},
    {kS, "fallback_on_unsupported_params", kBool, "true", kLater, "Fall back after a 400 for a parameter."},
    {kS, "provider_budget_config", kMap, "-", kLater, "Budgets by provider."},
    {kS, "routing_groups", kAny, "-", kLater, "Groups of groups."},
    {kS, "plugins", kAny, "-", kLater, "Routing plugins."},
    {kS, "model_group_affinity_config", kAny, "-", kLater, "Affinity of sessions."},
    {kS, "deployment_affinity_ttl_seconds", kAny, "3600", kLater, "Affinity of sessions."},
    {kS, "session_affinity_repin_on_failover", kAny, "-", kLater, "Affinity of sessions."},
    {kS, "alerting_config", kAny, "-", kLater, "Alerts."},
    {kS, "guardrail_list", kAny, "-", kLater, "Content checks."},
    {kS, "enable_health_check_routing", kBool, "false", kLater, "Skip deployments that fail their probes."},
    {kS, "health_check_staleness_threshold", kNumber, "600", kLater, "Age at which a probe is forgotten."},
    {kS, "health_check_ignore_transient_errors", kBool, "false", kLater, "Probes that do not count."},

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
