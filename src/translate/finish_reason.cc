#include "translate/finish_reason.h"

#include <algorithm>
#include <array>

namespace gw::translate {

namespace {

struct Row {
  std::string_view upstream;
  std::string_view normal;
};

// Whatever is not here is "stop" (end_turn, stop_sequence, eos, COMPLETE, ERROR, unknown words).
constexpr auto kRows = std::to_array<Row>({
    {"length", "length"},
    {"tool_calls", "tool_calls"},
    {"content_filter", "content_filter"},
    {"function_call", "function_call"},
    {"max_tokens", "length"},
    {"MAX_TOKENS", "length"},
    {"pause_turn", "length"},
    {"compaction", "length"},
    {"model_context_window_exceeded", "length"},
    {"CONTINUATION", "length"},
    {"tool_use", "tool_calls"},
    {"TOOL_CALL", "tool_calls"},
    {"refusal", "content_filter"},
    {"content_filtered", "content_filter"},
    {"SAFETY", "content_filter"},
    {"RECITATION", "content_filter"},
    {"LANGUAGE", "content_filter"},
    {"OTHER", "content_filter"},
    {"BLOCKLIST", "content_filter"},
    {"PROHIBITED_CONTENT", "content_filter"},
    {"SPII", "content_filter"},
    {"guardrail_intervened", "content_filter"},
    {"ERROR_TOXIC", "content_filter"},
    {"sensitive", "content_filter"},
});

}  // namespace

std::string_view NormalFinishReason(std::string_view upstream) {
  if (upstream == "stop") return "stop";
  const auto row = std::find_if(kRows.begin(), kRows.end(),
                                [upstream](const Row& r) { return r.upstream == upstream; });
  if (row != kRows.end()) return row->normal;
  return upstream.starts_with("IMAGE_") ? "content_filter" : "stop";
}

std::string_view QuotedFinishReason(std::string_view normal) {
  if (normal == "length") return "\"length\"";
  if (normal == "tool_calls") return "\"tool_calls\"";
  if (normal == "content_filter") return "\"content_filter\"";
  if (normal == "function_call") return "\"function_call\"";
  return "\"stop\"";
}

}  // namespace gw::translate
