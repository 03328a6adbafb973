#include "translate/anthropic_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

#include "base/json.h"
#include "translate/error_map.h"
#include "translate/translator.h"

namespace gw::translate {

namespace {

struct TypeStatus {
  std::string_view type;
  int status;
};
constexpr auto kErrorTypes = std::to_array<TypeStatus>({{"invalid_request_error", 400},
                                                        {"authentication_error", 401},
                                                        {"permission_error", 403},
                                                        {"not_found_error", 404},
                                                        {"request_too_large", 413},
                                                        {"rate_limit_error", 429},
                                                        {"api_error", 500},
                                                        {"overloaded_error", 529}});

void SetCount(const json::Member& member, int64_t* field) {
  if (member.kind != json::Kind::kNumber) return;
  const auto count = json::ToInt(member.value);
  if (count && *count >= 0) *field = *count;
}

}  // namespace

void ReadAnthropicUsage(std::string_view usage_object, AnthropicCounts* counts) {
  if (json::KindOf(usage_object) != json::Kind::kObject) return;
  for (json::MemberCursor c(usage_object); c.Next();) {
    const json::Member& m = c.member();
    if (m.KeyIs("input_tokens")) SetCount(m, &counts->input);
    else if (m.KeyIs("output_tokens")) SetCount(m, &counts->output);
    else if (m.KeyIs("cache_read_input_tokens")) SetCount(m, &counts->cache_read);
    else if (m.KeyIs("cache_creation_input_tokens")) SetCount(m, &counts->cache_creation);
    else continue;
    counts->reported = true;
  }
}

void ToUsage(const AnthropicCounts& counts, api::Usage* usage) {
  usage->prompt_tokens = counts.input + counts.cache_read + counts.cache_creation;
  usage->completion_tokens = counts.output;
  usage->total_tokens = usage->prompt_tokens + usage->completion_tokens;
  usage->cached_tokens = counts.cache_read;
  usage->cache_creation_tokens = counts.cache_creation;
  usage->reported = counts.reported;
  usage->estimated = false;
}

void AppendAnthropicUsage(const api::Usage& usage, std::string& out) {
  const int64_t cached = usage.cached_tokens + usage.cache_creation_tokens;
  auto sink = std::back_inserter(out);
  fmt::format_to(sink, R"({{"input_tokens":{},"output_tokens":{})",
                 std::max<int64_t>(usage.prompt_tokens - cached, 0), usage.completion_tokens);
  if (usage.cache_creation_tokens > 0) {
    fmt::format_to(sink, R"(,"cache_creation_input_tokens":{})", usage.cache_creation_tokens);
  }
  if (usage.cached_tokens > 0) {
    fmt::format_to(sink, R"(,"cache_read_input_tokens":{})", usage.cached_tokens);
  }
  out += '}';
}

Error MapAnthropicError(const config::Deployment& deployment, std::string_view json) {
  const std::string type = ReadErrorBody(json, 500).type;
  for (const TypeStatus& row : kErrorTypes) {
    if (row.type != type) continue;
    Error error = MapUpstreamError(deployment, row.status, json, {});
    error.logged_class = "AnthropicError";
    error.logged_status = std::to_string(error.status);
    return error;
  }
  return MapErrorEvent(deployment, json);
}

void AppendAnthropicStreamError(const Error& error, std::string& out) {
  std::string_view type = error.status >= 500 ? "api_error" : "invalid_request_error";
  for (const TypeStatus& row : kErrorTypes) {
    if (row.status == error.status) type = row.type;
  }
  fmt::format_to(std::back_inserter(out),
                 "event: error\n"
                 R"(data: {{"type":"error","error":{{"type":"{}","message":)",
                 type);
  json::AppendQuoted(out, error.message);
  out += "}}\n\n";
}

}  // namespace gw::translate
