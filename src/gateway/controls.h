// The client's body and headers -> what to route and how: one pass over the top-level members.
#pragma once

#include "base/result.h"
#include "gateway/request_context.h"

namespace gw::gateway {

// Fills request, controls, end_user and the flags of `context` from the validated body.
// Error: what the reference refuses before routing (missing messages, model not a string, mock
// parameters, a timeout header that is no number).
[[nodiscard]] Result<void> ReadControls(RequestContext& context, std::string_view body);

// What errors before routing call the endpoint: "/chat/completions".
[[nodiscard]] std::string_view CallName(api::Endpoint endpoint);

}  // namespace gw::gateway
