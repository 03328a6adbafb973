// Which members of a client's body are orders to the gateway and never travel upstream?
//
// `user`, `stream` and `model` are not here: they are meant for the upstream as well.
#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace gw::translate {

// Sorted; checked below.
inline constexpr auto kControlMembers = std::to_array<std::string_view>({
    "additional_drop_params",
    "allowed_model_region",
    "allowed_openai_params",
    "api_base",
    "api_key",
    "api_version",
    "base_model",
    "base_url",
    "cache",
    "cache_creation_input_token_cost",
    "cache_read_input_token_cost",
    "caching",
    "content_policy_fallbacks",
    "context_window_fallbacks",
    "cooldown_time",
    "custom_llm_provider",
    "default_fallbacks",
    "disable_fallbacks",
    "drop_params",
    "extra_body",
    "extra_headers",
    "fallbacks",
    "guardrails",
    "litellm_call_id",
    "litellm_metadata",
    "litellm_session_id",
    "litellm_trace_id",
    "max_fallbacks",
    "max_retries",
    "metadata",
    "mock_delay",
    "mock_response",
    "mock_timeout",
    "mock_tool_calls",
    "model_info",
    "no-log",
    "num_retries",
    "priority",
    "prompt_id",
    "prompt_variables",
    "request_timeout",
    "retry_after",
    "rpm",
    "specific_deployment",
    "stream_timeout",
    "tags",
    "timeout",
    "tpm",
    "ttl",
});
static_assert(std::is_sorted(kControlMembers.begin(), kControlMembers.end()));

// Families of orders whose last word varies ("input_cost_per_token", "mock_testing_fallbacks").
inline constexpr auto kControlPrefixes = std::to_array<std::string_view>({
    "input_cost_per_",
    "mock_testing_",
    "output_cost_per_",
});

// `key` with its escapes already decoded.
[[nodiscard]] inline bool IsControlMember(std::string_view key) {
  if (std::binary_search(kControlMembers.begin(), kControlMembers.end(), key)) return true;
  return std::any_of(kControlPrefixes.begin(), kControlPrefixes.end(),
                     [key](std::string_view prefix) { return key.starts_with(prefix); });
}

}  // namespace gw::translate
