// Keys of litellm_settings.
#include "config/schema.h"

namespace gw::config {
namespace {

constexpr auto kOn = KeyStatus::kEffective;
constexpr auto kOff = KeyStatus::kIgnored;
constexpr auto kLater = KeyStatus::kNotSupportedYet;
using enum ValueType;

constexpr auto kS = Section::kLitellmSettings;

// One row per line, whatever its length.
// clang-format off
constexpr KeySpec kRows[] = {
    {kS, "callbacks", kStringOrList, "[]", kOn, "prometheus switches /metrics on; other callbacks are named in a warning."},
    {kS, "success_callback", kStringOrList, "[]", kOn, "As callbacks."},
    {kS, "failure_callback", kStringOrList, "[]", kOn, "Read for warnings; prometheus needs callbacks or success_callback."},
    {kS, "service_callback", kStringOrList, "[]", kLater, "Metrics of the gateway's own services."},
    {kS, "service_callbacks", kStringOrList, "[]", kLater, "Another name of service_callback."},
    {kS, "drop_params", kBool, "LITELLM_DROP_PARAMS, else false", kOn, "Leave out parameters that a provider does not take, instead of answering 400."},
    {kS, "request_timeout", kNumber, "REQUEST_TIMEOUT, else 6000", kOn, "Seconds one attempt may take, after the more specific settings."},
    {kS, "num_retries", kInt, "2", kOn, "Used when router_settings has none."},
    {kS, "fallbacks", kList, "[]", kOn, "Used when router_settings has none."},
    {kS, "default_fallbacks", kList, "[]", kOn, "Used when router_settings has none."},
    {kS, "context_window_fallbacks", kList, "-", kOn, "Used when router_settings has none."},
    {kS, "content_policy_fallbacks", kList, "-", kOn, "Used when router_settings has none."},
    {kS, "max_fallbacks", kInt, "5", kOn, "Used when router_settings has none."},
    {kS, "allowed_fails", kInt, "3", kOn, "Counts only when it differs from 3 and router_settings has none."},
    {kS, "retry_after", kNumber, "0", kOn, "Used when router_settings has none."},
    {kS, "cooldown_time", kNumber, "5", kOn, "Used when router_settings has none."},
    {kS, "set_verbose", kBool, "false", kOn, "Debug log lines."},
    {kS, "json_logs", kBool, "JSON_LOGS, else false", kOn, "Log lines as JSON."},
    {kS, "require_auth_for_metrics_endpoint", kAny, "false", kOn, "true asks scrapers for a key. compat: LiteLLM asks unless this is false."},
    {kS, "prometheus_latency_buckets", kList, "LiteLLM's", kOn, "Bucket bounds of the latency histograms, in seconds."},
    {kS, "prometheus_emit_stream_label", kBool, "false", kOn, "Label stream on litellm_proxy_total_requests_metric."},
    {kS, "enable_end_user_cost_tracking_prometheus_only", kBool, "false", kOn, "Fill the end_user label."},
    {kS, "prometheus_metrics_max_series_per_metric", kInt, "50000", kOn, "Series of one family before new ones collapse into \"other\"."},
    {kS, "ssl_verify", kBoolOrPath, "SSL_VERIFY, else true", kOn, "Check certificates of upstreams; a path names the authorities."},
    {kS, "include_cost_in_streaming_usage", kBool, "false", kLater, "usage.cost in the last chunk of a stream."},
    {kS, "expose_router_debug_in_errors", kBool, "true", kOn, "Explain in error messages which groups and fallbacks were tried."},
    {kS, "compat_attempted_fallbacks", kBool, "false", kLater, "Ours: x-litellm-attempted-fallbacks is 0 or 1, as LiteLLM counts."},
    {kS, "suppress_startup_output", kAny, "false", kOff, "There is no banner."},
    {kS, "telemetry", kAny, "-", kOff, "There is no telemetry."},
    {kS, "turn_off_message_logging", kAny, "false", kOff, "Messages are never logged."},
    {kS, "redact_user_api_key_info", kAny, "false", kOff, "Keys are never logged."},
    {kS, "redact_messages_in_exceptions", kAny, "false", kOff, "Messages are never logged."},
    {kS, "disable_hf_tokenizer_download", kAny, "false", kOff, "No tokenizer is ever downloaded."},
    {kS, "force_ipv4", kBool, "false", kLater, "IPv4 only for upstreams."},
    {kS, "disable_end_user_cost_tracking_prometheus_only", kAny, "false", kOff, "LiteLLM reads it nowhere."},
    {kS, "disable_end_user_cost_tracking", kBool, "false", kOn, "Never fill the end_user label."},
    {kS, "use_chat_completions_url_for_anthropic_messages", kAny, "true", kOff, "/v1/messages always uses chat completions upstream."},
    {kS, "cache", kBool, "false", kOn, "Answer identical requests from a response cache."},
    {kS, "cache_params", kMap, "redis from REDIS_*", kOn, "Where and how long answers are kept."},
    {kS, "enable_caching_on_provider_specific_optional_params", kBool, "true", kOff, "Every parameter that goes upstream is part of the key. compat: LiteLLM leaves out what it does not know."},
    {kS, "enable_redis_auth_cache", kBool, "false", kLater, "Keys in Redis."},
    {kS, "num_retries_per_request", kInt, "-", kOn, "Retries and fallback attempts that a request may make, all together."},
    {kS, "modify_params", kBool, "false", kLater, "Repair messages a provider would refuse."},
    {kS, "max_budget", kNumber, "0", kLater, "Budget of the whole gateway."},
    {kS, "budget_duration", kString, "-", kLater, "Period of that budget."},
    {kS, "budget_reset_time", kString, "-", kLater, "When budgets begin anew."},
    {kS, "max_end_user_budget", kNumber, "-", kLater, "Budget of an end user."},
    {kS, "max_internal_user_budget", kNumber, "-", kLater, "Budget of a user."},
    {kS, "internal_user_budget_duration", kString, "-", kLater, "Period of a user's budget."},
    {kS, "default_max_internal_user_budget", kNumber, "-", kLater, "Budget of a user."},
    {kS, "default_internal_user_params", kMap, "-", kLater, "Defaults of new users."},
    {kS, "default_team_settings", kList, "-", kLater, "Callbacks of teams."},
    {kS, "default_team_params", kMap, "-", kLater, "Defaults of new teams."},
    {kS, "upperbound_key_generate_params", kMap, "-", kLater, "Bounds for new keys."},
    {kS, "default_key_generate_params", kMap, "-", kLater, "Defaults of new keys."},
    {kS, "key_generation_settings", kMap, "-", kLater, "Who may make keys."},
    {kS, "key_alias_pattern", kString, "-", kLater, "Names of keys."},
    {kS, "model_alias_map", kMap, "{}", kLater, "Other names of upstream models."},
    {kS, "cost_discount_config", kMap, "{}", kLater, "Discounts by provider."},
    {kS, "cost_margin_config", kMap, "{}", kLater, "Margins by provider."},
    {kS, "custom_prometheus_metadata_labels", kStringList, "[]", kLater, "More labels from metadata."},
    {kS, "custom_prometheus_tags", kStringList, "[]", kLater, "More labels from tags."},
    {kS, "prometheus_metrics_config", kList, "all", kLater, "Choice of metrics and labels."},
    {kS, "prometheus_exclude_metrics", kStringList, "[]", kLater, "Metrics to leave out."},
    {kS, "prometheus_exclude_labels", kStringList, "[]", kLater, "Labels to leave out."},
    {kS, "prometheus_emit_rate_limit_labels", kBool, "false", kLater, "More labels on failures."},
    {kS, "prometheus_emit_input_sequence_length_label", kBool, "false", kLater, "Label with the prompt's size class."},
    {kS, "prometheus_deployment_and_latency_caller_identity", kString, "api_key_alias", kLater, "Which caller the deployment metrics name."},
    {kS, "prometheus_user_budget_label_include_email_alias", kBool, "false", kLater, "More labels on user budgets."},
    {kS, "prometheus_initialize_budget_metrics", kBool, "false", kLater, "Budget gauges at start."},
    {kS, "prometheus_end_user_metrics_*", kAny, "-", kLater, "Bounds for families with end users."},
    {kS, "prometheus_metrics_ttl_seconds", kNumber, "-", kLater, "Drop idle series."},
    {kS, "prometheus_metrics_cleanup_interval_seconds", kNumber, "60", kLater, "How often idle series are dropped."},
    {kS, "return_response_headers", kBool, "false", kLater, "Upstream headers in the answer."},
    {kS, "public_model_groups", kStringList, "-", kLater, "Models of the public hub."},
    {kS, "model_group_settings", kMap, "-", kLater, "Settings by group."},
    {kS, "priority_reservation", kMap, "-", kLater, "Shares of the limits."},
    {kS, "store_audit_logs", kBool, "false", kLater, "Audit log."},
    {kS, "forward_traceparent_to_llm_provider", kBool, "false", kLater, "Trace header to the upstream."},
    {kS, "langfuse_default_tags", kList, "-", kLater, "Tags for Langfuse."},
    {kS, "s3_callback_params", kMap, "-", kLater, "Logs in S3."},
    {kS, "guardrails", kAny, "-", kLater, "Content checks."},
    {kS, "custom_provider_map", kAny, "-", kLater, "Providers written in Python."},
    {kS, "post_call_rules", kAny, "-", kLater, "Rules written in Python."},
    {kS, "pre_call_rules", kAny, "-", kLater, "Rules written in Python."},
    {kS, "global_prompt_directory", kString, "-", kLater, "Prompt templates."},
    {kS, "mcp_aliases", kMap, "-", kLater, "MCP servers."},
    {kS, "responses", kAny, "-", kLater, "Responses API."},
    {kS, "tag_budget_config", kMap, "-", kLater, "Budgets of tags."},
    {kS, "enable_preview_features", kBool, "false", kLater, "Preview features."},
    {kS, "client_ttl", kNumber, "3600", kOff, "Upstream connections are pooled by origin."},
    {kS, "aiohttp_trust_env", kAny, "-", kOff, "Of the Python HTTP client."},
    {kS, "disable_aiohttp_transport", kAny, "-", kOff, "Of the Python HTTP client."},
    {kS, "blocked_user_list", kAny, "-", kLater, "Blocked end users."},
    {kS, "banned_keywords_list", kAny, "-", kLater, "Blocked words."},
    {kS, "credential_list", kAny, "-", kLater, "Belongs to the top level."},
    {kS, "ssl_certificate", kAny, "-", kLater, "Client certificate."},
    {kS, "user_url_validation", kAny, "-", kLater, "Which URLs a client may make the gateway load."},
};
// clang-format on

}  // namespace

std::span<const KeySpec> LitellmSettingsSchemaRows() { return kRows; }

}  // namespace gw::config
