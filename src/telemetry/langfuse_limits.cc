#include "telemetry/langfuse_limits.h"

#include <set>

#include "base/json_tree.h"
#include "telemetry/shorten.h"

namespace gw::telemetry {
namespace {

std::string Text(const LangfuseEvents& events) {
  return json::Serialize(events.trace) + "," + json::Serialize(events.generation);
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
        if (json::Value* value = body->if_contains(key)) ShortenValue(*value, each);
      }
    }
    item = Text(events);
  }
  return item;
}

Rejection LangfuseRejection(std::string_view answer) {
  const auto parsed = json::ParseTree(answer);
  const json::Array* errors = parsed && parsed->is_object() ? json::GetArray(parsed->get_object(), "errors") : nullptr;
  if (errors == nullptr || errors->empty()) return {};
  std::set<std::string> refused;
  std::set<int64_t> statuses;
  for (const json::Value& error : *errors) {
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
