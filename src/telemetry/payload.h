// A request as LiteLLM's standard logging payload: one JSON object per event.
//
// Pure. Names and meanings are LiteLLM's (1.109.1); what does not exist here is null.
#pragma once

#include <string>

#include "base/json_tree.h"
#include "telemetry/logged_request.h"

namespace gw::telemetry {

[[nodiscard]] json::Object BuildPayload(const LoggedRequest& request, const LoggedEvent& event);

// "acompletion", "atext_completion", ...
[[nodiscard]] std::string_view CallType(api::Endpoint endpoint);
// `pattern` as fmt takes it ("{:%H-%M-%S-}"), UTC, with six digits of microseconds behind it.
[[nodiscard]] std::string UtcMicros(int64_t unix_ns, std::string_view pattern);

inline constexpr std::string_view kRedacted = "redacted-by-litellm";

}  // namespace gw::telemetry
