// The x-litellm-* and llm_provider-* header lines of answers (http facts 0.3).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "accounting/cost.h"
#include "gateway/request_context.h"
#include "http/message.h"

namespace gw::gateway {

inline constexpr std::string_view kCompatVersion = "1.109.1";

// On every answer.
inline constexpr std::string_view kCommonLines =
    "x-frame-options: DENY\r\ncontent-security-policy: frame-ancestors 'none'\r\n"
    "x-content-type-options: nosniff\r\nvary: Origin\r\n";

struct SuccessHeaders {
  std::string_view model_group;
  int attempted_retries = 0, max_retries = 0, attempted_fallbacks = 0;
  const http::Headers* upstream = nullptr;  // of the answering attempt
  const accounting::Cost* cost = nullptr;   // null for streams: not known yet
  double total_s = 0, overhead_s = 0;
  bool stream = false;
  std::string_view cache_key;               // of a hit
  std::optional<double> similarity;         // of a hit of the semantic cache
  std::string_view content_type = "application/json";  // of a whole answer
};

void AppendSuccessHeaders(const RequestContext& context, const SuccessHeaders& values, std::string& out);
void AppendErrorHeaders(const RequestContext& context, const Error& error, std::string& out);
}  // namespace gw::gateway
