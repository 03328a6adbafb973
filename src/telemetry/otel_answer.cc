// What did the model say? Whole answers and streams of both schemas, as messages.
#include <algorithm>

#include "base/strings.h"
#include "telemetry/otel_content.h"

namespace gw::telemetry {
namespace {

constexpr size_t kChoicesMax = 128;    // as many as OpenAI's n allows
constexpr size_t kToolCallsMax = 512;  // of one message; indices come from the upstream

void SetIfGiven(std::string& target, std::string_view text) {
  if (!text.empty()) target = text;
}

class AnswerReader {
 public:
  // One JSON object: a whole answer or one event of a stream.
  void Take(const json::Object& object) {
    SetIfGiven(answer_.id, json::GetString(object, "id"));
    SetIfGiven(answer_.model, json::GetString(object, "model"));
    if (const json::Array* choices = json::GetArray(object, "choices")) {
      for (const json::Value& choice : *choices) {
        if (choice.is_object()) TakeChoice(choice.get_object());
      }
      return;
    }
    TakeAnthropic(object);
  }
  [[nodiscard]] ParsedAnswer Finish() { return std::move(answer_); }

 private:
  [[nodiscard]] OutputMessage* MessageAt(int64_t index) {
    if (index < 0 || index >= static_cast<int64_t>(kChoicesMax)) return nullptr;
    const auto at = static_cast<size_t>(index);
    if (answer_.messages.size() <= at) answer_.messages.resize(at + 1);
    return &answer_.messages[at];
  }
  [[nodiscard]] static ToolCall* ToolAt(OutputMessage& message, int64_t index) {
    if (index < 0 || index >= static_cast<int64_t>(kToolCallsMax)) return nullptr;
    const auto at = static_cast<size_t>(index);
    if (message.tool_calls.size() <= at) message.tool_calls.resize(at + 1);
    return &message.tool_calls[at];
  }

  void TakeChoice(const json::Object& choice) {
    OutputMessage* message = MessageAt(json::GetInt(choice, "index", 0));
    if (message == nullptr) return;
    SetIfGiven(message->finish_reason, json::GetString(choice, "finish_reason"));
    message->text += json::GetString(choice, "text");  // of completions
    for (const char* key : {"message", "delta"}) {
      const json::Object* part = json::GetObject(choice, key);
      if (part == nullptr) continue;
      message->text += json::GetString(*part, "content");
      if (const json::Array* calls = json::GetArray(*part, "tool_calls")) TakeToolCalls(*calls, *message);
    }
  }
  static void TakeToolCalls(const json::Array& calls, OutputMessage& message) {
    for (size_t i = 0; i < calls.size(); ++i) {
      if (!calls[i].is_object()) continue;
      const json::Object& call = calls[i].get_object();
      ToolCall* tool = ToolAt(message, json::GetInt(call, "index", static_cast<int64_t>(i)));
      if (tool == nullptr) continue;
      SetIfGiven(tool->id, json::GetString(call, "id"));
      if (const json::Object* function = json::GetObject(call, "function")) {
        SetIfGiven(tool->name, json::GetString(*function, "name"));
        tool->arguments += json::GetString(*function, "arguments");
      }
    }
  }

  void TakeAnthropic(const json::Object& object) {
    const std::string_view type = json::GetString(object, "type");
    if (type == "message_start") {
      if (const json::Object* message = json::GetObject(object, "message")) Take(*message);
    } else if (type == "content_block_start") {
      if (const json::Object* block = json::GetObject(object, "content_block")) TakeBlock(*block);
    } else if (type == "content_block_delta") {
      const json::Object* delta = json::GetObject(object, "delta");
      OutputMessage* message = MessageAt(0);
      if (delta == nullptr || message == nullptr) return;
      message->text += json::GetString(*delta, "text");
      if (!message->tool_calls.empty()) message->tool_calls.back().arguments += json::GetString(*delta, "partial_json");
    } else if (type == "message_delta") {
      if (const json::Object* delta = json::GetObject(object, "delta")) TakeStopReason(*delta);
    } else if (const json::Array* content = json::GetArray(object, "content")) {
      for (const json::Value& block : *content) {
        if (block.is_object()) TakeBlock(block.get_object());
      }
      TakeStopReason(object);
    }
  }
  void TakeBlock(const json::Object& block) {
    OutputMessage* message = MessageAt(0);
    if (message == nullptr) return;
    message->text += json::GetString(block, "text");
    if (json::GetString(block, "type") != "tool_use" || message->tool_calls.size() >= kToolCallsMax) return;
    ToolCall call{std::string(json::GetString(block, "id")), std::string(json::GetString(block, "name")), {}};
    // A stream begins with an empty object and sends the rest as text.
    const json::Object* input = json::GetObject(block, "input");
    if (input != nullptr && !input->empty()) call.arguments = json::Serialize(*input);
    message->tool_calls.push_back(std::move(call));
  }
  void TakeStopReason(const json::Object& object) {
    const std::string_view reason = json::GetString(object, "stop_reason");
    if (reason.empty()) return;
    if (OutputMessage* message = MessageAt(0)) message->finish_reason = reason;
  }

  ParsedAnswer answer_;
};

}  // namespace

ParsedAnswer ParseAnswer(std::string_view body) {
  AnswerReader reader;
  const auto take = [&reader](std::string_view text) {
    const auto value = json::ParseTree(text);
    if (value && value->is_object()) reader.Take(value->get_object());
  };
  if (Trim(body).starts_with('{')) {
    take(body);
    return reader.Finish();
  }
  for (std::string_view line : Split(body, '\n')) {
    if (line.starts_with("data:")) take(Trim(line.substr(5)));
  }
  return reader.Finish();
}

}  // namespace gw::telemetry
