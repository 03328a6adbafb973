// What does a client read when a request fails? Error -> the body in the shape of its API.
//
// The one place that prints errors. Status, type and message were decided where the fact was
// found; this file only fills in the default type of a status and keeps the body valid JSON,
// whatever bytes an upstream put into its message. Bodies are compact.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace gw::api {

// {"error":{"message":M,"type":T,"param":P or null,"code":"<status>"}}
[[nodiscard]] std::string RenderOpenAiError(const Error& error);

// {"type":"error","error":{"type":T,"message":M}}: /v1/messages after authentication. A refused key
// is answered in the OpenAI shape there too, as the reference does.
[[nodiscard]] std::string RenderAnthropicError(const Error& error);

// {"detail":D}: unknown paths, wrong methods and the management routes.
[[nodiscard]] std::string RenderDetail(std::string_view detail);
// {"detail":{"error":M}}
[[nodiscard]] std::string RenderDetailError(std::string_view message);

// A JSON string, not an object: what /metrics answers to a scrape without a key when
// require_auth_for_metrics_endpoint is on.
[[nodiscard]] std::string RenderMetricsUnauthorized(const Error& error);

// error.type when the error names none.
[[nodiscard]] std::string_view DefaultErrorType(int status);
[[nodiscard]] std::string_view AnthropicErrorType(int status);

}  // namespace gw::api
