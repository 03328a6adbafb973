// What did the client say and get, and how much of it may be told?
#include "telemetry/payload_content.h"

#include <algorithm>
#include <array>
#include <initializer_list>
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

// Redaction copies what is known to hold no text of client or model; everything else stays behind.
void Copy(const json::Object& from, json::Object& to, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    const json::Value* value = json::Get(from, key);
    if (value != nullptr && !value->is_object() && !value->is_array()) to[key] = *value;
  }
}

void CopyRedacted(const json::Object& from, json::Object& to, std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) {
    const json::Value* value = json::Get(from, key);
    if (value != nullptr) to[key] = value->is_null() ? json::Value(nullptr) : json::Value(kRedacted);
  }
}

json::Object RedactedFunction(const json::Object& function) {
  json::Object out;
  Copy(function, out, {"name"});
  CopyRedacted(function, out, {"arguments"});
  return out;
}

// Calls of an answer, or tools of a request: ids, types and names.
json::Value NamesOnly(const json::Value& list) {
  json::Array out;
  if (!list.is_array()) return out;
  for (const json::Value& item : list.get_array()) {
    if (!item.is_object()) continue;
    json::Object& call = out.emplace_back(json::Object{}).emplace_object();
    Copy(item.get_object(), call, {"id", "index", "type", "name"});
    if (const json::Object* function = json::GetObject(item.get_object(), "function")) {
      call["function"] = RedactedFunction(*function);
    }
  }
  return out;
}

json::Object RedactedMessage(const json::Object& message) {
  json::Object out;
  Copy(message, out, {"role"});
  CopyRedacted(message, out, {"content", "reasoning_content", "refusal"});
  if (const json::Value* calls = json::Get(message, "tool_calls"); calls != nullptr && calls->is_array()) {
    out["tool_calls"] = NamesOnly(*calls);
  }
  if (const json::Object* call = json::GetObject(message, "function_call")) out["function_call"] = RedactedFunction(*call);
  return out;
}

json::Value RedactedAnswer(const json::Value& answer) {
  const json::Value* choices = answer.is_object() ? json::Get(answer.get_object(), "choices") : nullptr;
  if (answer.is_string()) return json::Value(kRedacted);
  if (choices == nullptr || !choices->is_array()) return json::Object{{"text", kRedacted}};
  json::Object out;
  Copy(answer.get_object(), out, {"id", "object", "created", "model", "system_fingerprint", "service_tier"});
  json::Array told;
  for (const json::Value& choice : choices->get_array()) {
    if (!choice.is_object()) continue;
    json::Object one;
    Copy(choice.get_object(), one, {"index", "finish_reason"});
    CopyRedacted(choice.get_object(), one, {"text"});
    const json::Object* message = json::GetObject(choice.get_object(), "message");
    if (message != nullptr) one["message"] = RedactedMessage(*message);
    told.push_back(std::move(one));
  }
  out["choices"] = std::move(told);
  if (const json::Object* usage = json::GetObject(answer.get_object(), "usage")) out["usage"] = *usage;
  return out;
}

// Texts and objects that are one of few words, or name somebody.
constexpr std::string_view kTellable[] = {
    "audio",           "encoding_format",  "function_call", "language",     "modalities",
    "prompt_cache_key", "reasoning_effort", "safety_identifier", "service_tier", "speed",
    "stream_options",  "thinking",         "timestamp_granularities", "tool_choice", "user",
    "verbosity",       "voice"};

json::Value RedactedParameter(std::string_view key, const json::Value& value) {
  if (value.is_number() || value.is_bool() || value.is_null()) return value;
  if (std::find(std::begin(kTellable), std::end(kTellable), key) != std::end(kTellable)) return value;
  if (key == "tools" || key == "functions") return NamesOnly(value);
  if (key == "response_format" && value.is_object()) {
    json::Object format;
    Copy(value.get_object(), format, {"type"});
    return format;
  }
  return json::Value(kRedacted);
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

json::Object ModelParameters(const LoggedRequest& request) {
  json::Object out;
  for (const auto& member : request.body) {
    const std::string_view key(member.key().data(), member.key().size());
    if (std::find(std::begin(kParameters), std::end(kParameters), key) == std::end(kParameters)) continue;
    if (request.settings.redact_user_api_key_info && (key == "user" || key == "safety_identifier")) continue;
    out[key] = request.is_redacted ? RedactedParameter(key, member.value()) : member.value();
  }
  return out;
}

}  // namespace gw::telemetry
