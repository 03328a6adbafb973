// How do the pieces of a stream become one answer?
#include "telemetry/stream_answer.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace gw::telemetry {
namespace {

// Calls `use` with the data of each event; events end with an empty line, ours have one data line.
template <typename Use>
void EachEvent(std::string_view sse, const Use& use) {
  while (!sse.empty()) {
    const size_t end = sse.find('\n');
    std::string_view line = sse.substr(0, end);
    sse.remove_prefix(end == std::string_view::npos ? sse.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.starts_with("data:")) continue;
    line.remove_prefix(5);
    if (line.starts_with(' ')) line.remove_prefix(1);
    if (line == "[DONE]") continue;
    const auto event = json::ParseTree(line);
    if (event && event->is_object()) use(event->get_object());
  }
}

// Adds what a delta says under `key`; a text that never came stays absent.
void AppendText(json::Object& target, const json::Object& delta, std::string_view key) {
  const json::Value* value = json::Get(delta, key);
  if (value == nullptr || !value->is_string()) return;
  json::Value& kept = target[key];
  if (!kept.is_string()) kept = json::Value(boost::json::string_kind);
  kept.get_string() += value->get_string();
}

// One choice of a chat or text completion.
struct Choice {
  json::Object message;
  std::string text;
  std::map<int64_t, json::Object> tool_calls;
  json::Value finish_reason;

  void AddToolCall(const json::Object& piece) {
    json::Object& call = tool_calls[json::GetInt(piece, "index", 0)];
    for (const std::string_view key : {"id", "type"}) {
      if (const auto given = json::GetString(piece, key); !given.empty()) call[key] = given;
    }
    const json::Object* function = json::GetObject(piece, "function");
    if (function == nullptr) return;
    json::Value& kept = call["function"];
    if (!kept.is_object()) kept = json::Object{{"arguments", ""}, {"name", nullptr}};
    if (const auto name = json::GetString(*function, "name"); !name.empty()) kept.get_object()["name"] = name;
    AppendText(kept.get_object(), *function, "arguments");
  }

  void AddDelta(const json::Object& delta) {
    if (const auto role = json::GetString(delta, "role"); !role.empty()) message["role"] = role;
    for (const std::string_view key : {"content", "reasoning_content", "reasoning", "refusal"}) {
      AppendText(message, delta, key);
    }
    if (const json::Array* calls = json::GetArray(delta, "tool_calls")) {
      for (const json::Value& call : *calls) {
        if (call.is_object()) AddToolCall(call.get_object());
      }
    }
    if (const json::Object* call = json::GetObject(delta, "function_call")) {
      json::Value& kept = message["function_call"];
      if (!kept.is_object()) kept = json::Object{{"arguments", ""}, {"name", nullptr}};
      if (const auto name = json::GetString(*call, "name"); !name.empty()) kept.get_object()["name"] = name;
      AppendText(kept.get_object(), *call, "arguments");
    }
  }

  json::Object Finish(int64_t index, bool is_chat) {
    json::Object out{{"finish_reason", finish_reason}, {"index", index}};
    if (!is_chat) {
      out["text"] = text;
      return out;
    }
    if (!message.contains("content")) message["content"] = nullptr;
    if (!message.contains("role")) message["role"] = "assistant";
    json::Value calls = nullptr;
    if (!tool_calls.empty()) {
      calls = json::Array{};
      for (auto& [at, call] : tool_calls) calls.get_array().push_back(std::move(call));
    }
    message["tool_calls"] = std::move(calls);
    if (!message.contains("function_call")) message["function_call"] = nullptr;
    out["message"] = std::move(message);
    return out;
  }
};

json::Value AssembleOpenAi(std::string_view sse, bool is_chat, const api::Usage& usage) {
  json::Object answer;
  std::map<int64_t, Choice> choices;
  bool has_usage = false;
  EachEvent(sse, [&](const json::Object& event) {
    const json::Array* pieces = json::GetArray(event, "choices");
    if (pieces == nullptr) return;
    for (const std::string_view key : {"id", "created", "model", "system_fingerprint", "service_tier"}) {
      const json::Value* value = json::Get(event, key);
      if (value != nullptr && !answer.contains(key)) answer[key] = *value;
    }
    if (const json::Object* given = json::GetObject(event, "usage")) {
      answer["usage"] = *given;
      has_usage = true;
    }
    for (const json::Value& piece : *pieces) {
      if (!piece.is_object()) continue;
      const json::Object& object = piece.get_object();
      Choice& choice = choices[json::GetInt(object, "index", 0)];
      if (const json::Object* delta = json::GetObject(object, "delta")) choice.AddDelta(*delta);
      choice.text += json::GetString(object, "text");
      if (const auto reason = json::GetString(object, "finish_reason"); !reason.empty()) choice.finish_reason = reason;
    }
  });
  if (answer.empty()) return nullptr;
  answer["object"] = is_chat ? "chat.completion" : "text_completion";
  json::Array list;
  for (auto& [index, choice] : choices) list.push_back(choice.Finish(index, is_chat));
  answer["choices"] = std::move(list);
  if (!has_usage) answer["usage"] = UsageObject(usage);
  return answer;
}

// One content block of a message, with the text that belongs to it.
struct Block {
  json::Object object;
  std::string input;  // JSON text of a tool's arguments

  void AddDelta(const json::Object& delta) {
    for (const std::string_view key : {"text", "thinking", "signature"}) AppendText(object, delta, key);
    input += json::GetString(delta, "partial_json");
  }
  json::Object Finish() {
    if (!input.empty()) {
      auto parsed = json::ParseTree(input);
      object["input"] = parsed ? std::move(*parsed) : json::Value(input);
    }
    return std::move(object);
  }
};

json::Value AssembleMessage(std::string_view sse) {
  json::Object message;
  std::map<int64_t, Block> blocks;
  EachEvent(sse, [&](const json::Object& event) {
    const std::string_view type = json::GetString(event, "type");
    const int64_t index = json::GetInt(event, "index", 0);
    if (type == "message_start") {
      if (const json::Object* begin = json::GetObject(event, "message")) message = *begin;
    } else if (type == "content_block_start") {
      if (const json::Object* block = json::GetObject(event, "content_block")) blocks[index].object = *block;
    } else if (type == "content_block_delta") {
      if (const json::Object* delta = json::GetObject(event, "delta")) blocks[index].AddDelta(*delta);
    } else if (type == "message_delta") {
      if (const json::Object* delta = json::GetObject(event, "delta")) {
        for (const auto& member : *delta) message[member.key()] = member.value();
      }
      if (const json::Object* usage = json::GetObject(event, "usage")) {
        json::Value& kept = message["usage"];
        if (!kept.is_object()) kept = json::Object{};
        for (const auto& member : *usage) kept.get_object()[member.key()] = member.value();
      }
    }
  });
  if (message.empty()) return nullptr;
  json::Array content;
  for (auto& [index, block] : blocks) content.push_back(block.Finish());
  message["content"] = std::move(content);
  return message;
}

}  // namespace

json::Object UsageObject(const api::Usage& usage) {
  json::Object out{{"completion_tokens", usage.completion_tokens},
                   {"prompt_tokens", usage.prompt_tokens},
                   {"total_tokens", usage.total_tokens},
                   {"completion_tokens_details", nullptr},
                   {"prompt_tokens_details", nullptr}};
  if (usage.cached_tokens > 0 || usage.cache_creation_tokens > 0 || usage.prompt_audio_tokens > 0) {
    json::Object details{{"cached_tokens", usage.cached_tokens}};
    if (usage.cache_creation_tokens > 0) details["cache_creation_tokens"] = usage.cache_creation_tokens;
    if (usage.prompt_audio_tokens > 0) details["audio_tokens"] = usage.prompt_audio_tokens;
    out["prompt_tokens_details"] = std::move(details);
  }
  if (usage.reasoning_tokens > 0 || usage.completion_audio_tokens > 0) {
    json::Object details{{"reasoning_tokens", usage.reasoning_tokens}};
    if (usage.completion_audio_tokens > 0) details["audio_tokens"] = usage.completion_audio_tokens;
    out["completion_tokens_details"] = std::move(details);
  }
  return out;
}

json::Value AssembleStream(api::Endpoint endpoint, std::string_view sse, const api::Usage& usage) {
  switch (endpoint) {
    case api::Endpoint::kChat:
      return AssembleOpenAi(sse, true, usage);
    case api::Endpoint::kCompletions:
      return AssembleOpenAi(sse, false, usage);
    case api::Endpoint::kMessages:
      return AssembleMessage(sse);
    default:
      return nullptr;
  }
}

}  // namespace gw::telemetry
