#include "telemetry/otel_content.h"

#include <algorithm>
#include <array>
#include <utility>

namespace gw::telemetry {
namespace {

void AddNumber(Attributes& out, std::string_view name, const json::Object& body, std::string_view key) {
  const json::Value* value = json::Get(body, key);
  const auto number = value == nullptr ? std::nullopt : json::AsNumber(*value);
  if (number) out.push_back({name, *number});
}
// True: it was there.
bool AddInteger(Attributes& out, std::string_view name, const json::Object& body, std::string_view key) {
  const json::Value* value = json::Get(body, key);
  if (value == nullptr || !json::AsNumber(*value)) return false;
  out.push_back({name, json::GetInt(body, key, 0)});
  return true;
}

[[nodiscard]] json::Object TextPart(std::string_view text) {
  return {{"type", "text"}, {"content", boost::json::string_view(text.data(), text.size())}};
}

// One part of a message's content: text as it is, other things (images, audio) by their kind alone.
void AppendPart(const json::Value& part, json::Array& out) {
  if (!part.is_object()) return;
  const json::Object& object = part.get_object();
  const std::string_view type = json::GetString(object, "type");
  if (type == "text" || type == "input_text" || type == "output_text") {
    out.push_back(TextPart(json::GetString(object, "text")));
  } else if (type == "tool_use") {
    json::Object call = {{"type", "tool_call"}};
    for (const auto& [from, to] : {std::pair("id", "id"), std::pair("name", "name"), std::pair("input", "arguments")}) {
      if (const json::Value* value = json::Get(object, from)) call[to] = *value;
    }
    out.push_back(std::move(call));
  } else if (type == "tool_result") {
    json::Object result = {{"type", "tool_call_response"}};
    if (const json::Value* value = json::Get(object, "tool_use_id")) result["id"] = *value;
    if (const json::Value* value = json::Get(object, "content")) result["response"] = *value;
    out.push_back(std::move(result));
  } else if (!type.empty()) {
    out.push_back(json::Object{{"type", boost::json::string_view(type.data(), type.size())}});
  }
}

[[nodiscard]] json::Array PartsOf(const json::Value* content) {
  json::Array parts;
  if (content == nullptr) return parts;
  if (content->is_string()) parts.push_back(json::Object{{"type", "text"}, {"content", *content}});
  if (content->is_array()) {
    for (const json::Value& part : content->get_array()) AppendPart(part, parts);
  }
  return parts;
}

[[nodiscard]] json::Object ToolCallPart(const json::Object& call) {
  json::Object part = {{"type", "tool_call"}};
  if (const json::Value* id = json::Get(call, "id")) part["id"] = *id;
  const json::Value* function = json::Get(call, "function");
  if (function == nullptr || !function->is_object()) return part;
  for (const char* key : {"name", "arguments"}) {
    if (const json::Value* value = json::Get(function->get_object(), key)) part[key] = *value;
  }
  return part;
}

[[nodiscard]] json::Object InputMessage(const json::Object& message) {
  json::Array parts = PartsOf(json::Get(message, "content"));
  const std::string_view role = json::GetString(message, "role");
  if (role == "tool") {
    json::Object response = {{"type", "tool_call_response"}};
    if (const json::Value* id = json::Get(message, "tool_call_id")) response["id"] = *id;
    if (const json::Value* content = json::Get(message, "content")) response["response"] = *content;
    parts = {std::move(response)};
  }
  if (const json::Value* calls = json::Get(message, "tool_calls"); calls != nullptr && calls->is_array()) {
    for (const json::Value& call : calls->get_array()) {
      if (call.is_object()) parts.push_back(ToolCallPart(call.get_object()));
    }
  }
  return {{"role", boost::json::string_view(role.data(), role.size())}, {"parts", std::move(parts)}};
}

// messages, a prompt or the input of embeddings.
[[nodiscard]] json::Array InputMessages(const json::Object& body) {
  json::Array out;
  if (const json::Value* messages = json::Get(body, "messages"); messages != nullptr && messages->is_array()) {
    for (const json::Value& message : messages->get_array()) {
      if (message.is_object()) out.push_back(InputMessage(message.get_object()));
    }
    return out;
  }
  for (const char* key : {"prompt", "input"}) {
    const json::Value* value = json::Get(body, key);
    if (value == nullptr) continue;
    json::Array parts;
    if (value->is_string()) parts = PartsOf(value);
    for (const std::string& text : json::StringsOf(*value)) parts.push_back(TextPart(text));
    if (!parts.empty()) out.push_back(json::Object{{"role", "user"}, {"parts", std::move(parts)}});
  }
  return out;
}

[[nodiscard]] json::Array OutputMessages(const ParsedAnswer& answer) {
  json::Array out;
  for (const OutputMessage& message : answer.messages) {
    json::Array parts;
    if (!message.text.empty()) parts.push_back(TextPart(message.text));
    for (const ToolCall& call : message.tool_calls) {
      parts.push_back(json::Object{
          {"type", "tool_call"}, {"id", call.id}, {"name", call.name}, {"arguments", call.arguments}});
    }
    out.push_back(json::Object{
        {"role", "assistant"}, {"parts", std::move(parts)}, {"finish_reason", message.finish_reason}});
  }
  return out;
}

}  // namespace

ParsedContent::ParsedContent(const RequestRecord& record) {
  if (!record.request_body.empty() && !record.request_is_cut) request_ = json::ParseTree(record.request_body);
  if (request_ && !request_->is_object()) request_.reset();
  if (!record.response_body.empty() && !api::IsAudio(record.endpoint)) answer_ = ParseAnswer(record.response_body);
}

void ParsedContent::AddRequestParameters(Attributes& out) const {
  if (!request_) return;
  const json::Object& body = request_->get_object();
  AddNumber(out, "gen_ai.request.temperature", body, "temperature");
  AddNumber(out, "gen_ai.request.top_p", body, "top_p");
  AddNumber(out, "gen_ai.request.frequency_penalty", body, "frequency_penalty");
  AddNumber(out, "gen_ai.request.presence_penalty", body, "presence_penalty");
  if (!AddInteger(out, "gen_ai.request.max_tokens", body, "max_completion_tokens")) {
    (void)AddInteger(out, "gen_ai.request.max_tokens", body, "max_tokens");
  }
  AddNumber(out, "gen_ai.request.top_k", body, "top_k");  // the conventions say double
  (void)AddInteger(out, "gen_ai.request.seed", body, "seed");
  if (json::GetInt(body, "n", 1) != 1) (void)AddInteger(out, "gen_ai.request.choice.count", body, "n");
  for (const char* key : {"stop", "stop_sequences"}) {
    const json::Value* stop = json::Get(body, key);
    if (stop == nullptr) continue;
    std::vector<std::string> texts = json::StringsOf(*stop);
    if (stop->is_string()) texts.emplace_back(json::GetString(body, key));
    if (!texts.empty()) out.push_back({"gen_ai.request.stop_sequences", std::move(texts)});
  }
}

void ParsedContent::AddResponse(Attributes& out) const {
  if (!answer_.id.empty()) out.push_back({"gen_ai.response.id", answer_.id});
  if (!answer_.model.empty()) out.push_back({"gen_ai.response.model", answer_.model});
  std::vector<std::string> reasons;
  for (const OutputMessage& message : answer_.messages) {
    if (!message.finish_reason.empty()) reasons.push_back(message.finish_reason);
  }
  if (!reasons.empty()) out.push_back({"gen_ai.response.finish_reasons", std::move(reasons)});
}

void ParsedContent::AddMessages(Attributes& out) const {
  if (request_) {
    const json::Object& body = request_->get_object();
    if (const json::Array system = PartsOf(json::Get(body, "system")); !system.empty()) {
      out.push_back({"gen_ai.system_instructions", json::Serialize(system)});
    }
    if (const json::Array input = InputMessages(body); !input.empty()) {
      out.push_back({"gen_ai.input.messages", json::Serialize(input)});
    }
  }
  if (!answer_.messages.empty()) out.push_back({"gen_ai.output.messages", json::Serialize(OutputMessages(answer_))});
}

}  // namespace gw::telemetry
