#include "telemetry/langfuse_limits.h"

#include <set>

#include "base/json.h"

namespace gw::telemetry {
namespace {

std::string Text(const LangfuseEvents& events) {
  return json::Serialize(events.trace) + "," + json::Serialize(events.generation);
}

// The beginning of a member that is longer than that.
void Shorten(json::Object& body, std::string_view key, size_t bytes_max) {
  json::Value* value = body.if_contains(key);
  if (value == nullptr) return;
  const std::string text = value->is_string() ? std::string(value->get_string()) : json::Serialize(*value);
  if (text.size() > bytes_max) *value = std::string(json::CutUtf8(text, bytes_max)) + "...truncated";
}

}  // namespace

std::string LangfuseItem(LangfuseEvents& events, size_t bytes_max) {
  std::string item = Text(events);
  if (item.size() <= bytes_max) return item;
  json::Object& trace = events.trace["body"].get_object();
  json::Object& generation = events.generation["body"].get_object();
  if (trace.contains("input")) generation["input"] = "see the trace: too long to be told twice";
  item = Text(events);
  for (size_t each = bytes_max / 8; item.size() > bytes_max && each > 16; each /= 4) {
    for (json::Object* body : {&trace, &generation}) {
      for (const std::string_view key : {"input", "output", "metadata", "modelParameters", "statusMessage"}) {
        Shorten(*body, key, each);
      }
    }
    item = Text(events);
  }
  return item;
}

Rejection LangfuseRejection(std::string_view answer) {
  const auto parsed = json::ParseTree(answer);
  const json::Value* errors = parsed && parsed->is_object() ? json::Get(parsed->get_object(), "errors") : nullptr;
  if (errors == nullptr || !errors->is_array() || errors->get_array().empty()) return {};
  std::set<std::string> refused;
  std::set<int64_t> statuses;
  for (const json::Value& error : errors->get_array()) {
    if (!error.is_object()) continue;
    std::string id(json::GetString(error.get_object(), "id"));
    if (id.ends_with(kGenerationSuffix)) id.resize(id.size() - kGenerationSuffix.size());
    refused.insert(std::move(id));
    statuses.insert(json::GetInt(error.get_object(), "status", 0));
  }
  Rejection out;
  out.records = refused.size();
  out.why = "events refused with status";
  for (const int64_t status : statuses) out.why += " " + std::to_string(status);
  return out;
}

}  // namespace gw::telemetry
