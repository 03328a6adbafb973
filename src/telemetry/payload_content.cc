// What did the client say and get, and how much of it may be told?
#include "telemetry/payload_content.h"

#include <algorithm>
#include <array>
#include <string>

#include "telemetry/payload.h"

namespace gw::telemetry {
namespace {

// Bytes of a data: URI that stay readable.
constexpr size_t kDataBytesShown = 64;

constexpr std::string_view kParameters[] = {
    "audio",         "best_of",          "dimensions",        "echo",           "encoding_format",
    "frequency_penalty", "function_call", "functions",        "instructions",   "language",
    "logit_bias",    "logprobs",         "max_completion_tokens", "max_output_tokens", "max_tokens",
    "modalities",    "n",                "parallel_tool_calls", "prediction",   "presence_penalty",
    "prompt_cache_key", "reasoning_effort", "response_format", "safety_identifier", "seed",
    "service_tier",  "speed",            "stop",              "stop_sequences", "store",
    "stream",        "stream_options",   "suffix",            "temperature",    "thinking",
    "timestamp_granularities", "tool_choice", "tools",        "top_k",          "top_logprobs",
    "top_p",         "user",             "verbosity",         "voice",          "web_search_options"};

void CutData(json::Value& value) {
  if (value.is_object()) {
    for (auto& member : value.get_object()) CutData(member.value());
  } else if (value.is_array()) {
    for (json::Value& item : value.get_array()) CutData(item);
  } else if (value.is_string()) {
    auto& text = value.get_string();
    const std::string_view view(text.data(), text.size());
    const size_t mark = view.starts_with("data:") ? view.find(";base64,") : std::string_view::npos;
    if (mark == std::string_view::npos || view.size() - mark <= kDataBytesShown + 8) return;
    const std::string cut = std::string(view.substr(0, mark + 8)) + "[" + std::to_string(view.size() - mark - 8) +
                            " characters of base64]";
    text.assign(cut.data(), cut.size());
  }
}

json::Value UserMessage(json::Value content) {
  return json::Array{json::Object{{"role", "user"}, {"content", std::move(content)}}};
}

// One text of a list stands for itself.
json::Value Input(const json::Object& body, std::string_view key) {
  const json::Value* value = json::Get(body, key);
  if (value == nullptr) return nullptr;
  if (value->is_array() && value->get_array().size() == 1 && value->get_array()[0].is_string()) {
    return UserMessage(value->get_array()[0]);
  }
  return UserMessage(*value);
}

json::Value RawMessages(const LoggedRequest& request) {
  const json::Object& body = request.body;
  switch (request.record.endpoint) {
    case api::Endpoint::kCompletions:
      return Input(body, "prompt");
    case api::Endpoint::kEmbeddings:
    case api::Endpoint::kSpeech:
      return Input(body, "input");
    case api::Endpoint::kTranscriptions:
      return UserMessage("audio_file");
    case api::Endpoint::kChat:
    case api::Endpoint::kMessages:
      break;
  }
  const json::Value* messages = json::Get(body, "messages");
  if (messages == nullptr) return nullptr;
  const json::Value* system = json::Get(body, "system");
  const bool is_anthropic = request.record.endpoint == api::Endpoint::kMessages;
  if (!is_anthropic || system == nullptr || !messages->is_array()) return *messages;
  json::Array all{json::Object{{"role", "system"}, {"content", *system}}};
  all.insert(all.end(), messages->get_array().begin(), messages->get_array().end());
  return all;
}

void Redact(json::Object& object, std::string_view key) {
  if (json::Value* value = object.if_contains(key); value != nullptr && !value->is_null()) *value = kRedacted;
}

void RedactMessage(json::Object& message) {
  Redact(message, "content");
  Redact(message, "reasoning_content");
  Redact(message, "reasoning");
  Redact(message, "refusal");
  if (message.contains("thinking_blocks")) message["thinking_blocks"] = nullptr;
  if (message.contains("audio")) message["audio"] = nullptr;
  if (json::Value* calls = message.if_contains("tool_calls"); calls != nullptr && calls->is_array()) {
    for (json::Value& call : calls->get_array()) {
      json::Value* function = call.is_object() ? call.get_object().if_contains("function") : nullptr;
      if (function != nullptr && function->is_object()) Redact(function->get_object(), "arguments");
    }
  }
  if (json::Value* call = message.if_contains("function_call"); call != nullptr && call->is_object()) {
    Redact(call->get_object(), "arguments");
  }
}

json::Value RedactedAnswer(json::Value answer) {
  json::Value* choices = answer.is_object() ? answer.get_object().if_contains("choices") : nullptr;
  if (answer.is_string()) return json::Value(kRedacted);
  if (choices == nullptr || !choices->is_array()) return json::Object{{"text", kRedacted}};
  for (json::Value& choice : choices->get_array()) {
    if (!choice.is_object()) continue;
    Redact(choice.get_object(), "text");
    json::Value* message = choice.get_object().if_contains("message");
    if (message != nullptr && message->is_object()) RedactMessage(message->get_object());
    if (choice.get_object().contains("logprobs")) choice.get_object()["logprobs"] = nullptr;
  }
  return answer;
}

}  // namespace

json::Value LoggedMessages(const LoggedRequest& request) {
  if (request.is_redacted) return UserMessage(json::Value(kRedacted));
  json::Value messages = RawMessages(request);
  CutData(messages);
  return messages;
}

json::Value LoggedAnswer(const LoggedRequest& request) {
  if (request.is_redacted) return RedactedAnswer(request.answer);
  return request.answer.is_null() ? json::Value(json::Object{}) : request.answer;
}

json::Object ModelParameters(const json::Object& body) {
  json::Object out;
  for (const auto& member : body) {
    const std::string_view key(member.key().data(), member.key().size());
    const auto* found = std::find(std::begin(kParameters), std::end(kParameters), key);
    if (found != std::end(kParameters)) out[member.key()] = member.value();
  }
  return out;
}

}  // namespace gw::telemetry
