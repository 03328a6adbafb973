#include "translate/chat_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>

#include "base/json.h"
#include "translate/usage.h"

namespace gw::translate {

namespace {

void AppendInt(std::string& out, int64_t value) {
  char digits[24];
  const auto [end, error] = std::to_chars(digits, digits + sizeof(digits), value);
  (void)error;  // 24 bytes hold every int64
  out.append(digits, end);
}

// "name":"escaped"
void AppendEscapedMember(std::string& out, std::string_view quoted_name, std::string_view escaped) {
  out += quoted_name;
  out += ":\"";
  out += escaped;
  out += '"';
}

void AppendHead(std::string& out, const ChatHead& head, std::string_view object) {
  out += "{\"id\":";
  json::AppendQuoted(out, head.id);
  out += ",\"created\":";
  AppendInt(out, head.created_s);
  out += ",\"model\":";
  json::AppendQuoted(out, head.model);
  AppendEscapedMember(out, ",\"object\"", object);
  out += ",\"choices\":[";
}

void AppendAnswerToolCalls(const std::vector<ToolCall>& calls, std::string& out) {
  out += ",\"tool_calls\":[";
  for (size_t i = 0; i < calls.size(); ++i) {
    if (i > 0) out += ',';
    AppendEscapedMember(out, "{\"function\":{\"arguments\"", calls[i].arguments);
    AppendEscapedMember(out, ",\"name\"", calls[i].name);
    AppendEscapedMember(out, "},\"id\"", calls[i].id);
    out += ",\"type\":\"function\"}";
  }
  out += ']';
}

}  // namespace

void ChatStreamEncoder::Begin(const ChatHead& head) {
  prefix_ = "data: ";
  AppendHead(prefix_, head, "chat.completion.chunk");
}

void ChatStreamEncoder::OpenDelta(std::string& out) {
  out += prefix_;
  out += "{\"index\":0,\"delta\":{";
  if (!role_sent_) out += "\"role\":\"assistant\",";
  role_sent_ = true;
}

void ChatStreamEncoder::AppendToolCall(const ChatEvent& event, std::string& out) {
  out += "\"tool_calls\":[{\"index\":";
  AppendInt(out, event.tool_index);
  if (!event.tool_name.empty() || !event.tool_id.empty()) {
    AppendEscapedMember(out, ",\"id\"", event.tool_id);
    AppendEscapedMember(out, ",\"type\":\"function\",\"function\":{\"name\"", event.tool_name);
    out += ',';
  } else {
    out += ",\"type\":\"function\",\"function\":{";
  }
  AppendEscapedMember(out, "\"arguments\"", event.text);
  out += "}}]";
}

void ChatStreamEncoder::Append(const ChatEvent& event, std::string& out) {
  OpenDelta(out);
  switch (event.kind) {
    case ChatEvent::Kind::kText:
      AppendEscapedMember(out, "\"content\"", event.text);
      break;
    case ChatEvent::Kind::kReasoning:
      AppendEscapedMember(out, "\"reasoning_content\"", event.text);
      break;
    case ChatEvent::Kind::kThinking:
      AppendEscapedMember(out, "\"reasoning_content\"", event.text);
      AppendEscapedMember(out, ",\"thinking_blocks\":[{\"type\":\"thinking\",\"thinking\"",
                          event.text);
      out += "}]";
      break;
    case ChatEvent::Kind::kSignature:
      AppendEscapedMember(
          out, "\"thinking_blocks\":[{\"type\":\"thinking\",\"thinking\":\"\",\"signature\"",
          event.text);
      out += "}]";
      break;
    case ChatEvent::Kind::kToolCall: AppendToolCall(event, out); break;
  }
  out += "}}]}\n\n";
  if (event.kind != ChatEvent::Kind::kSignature) has_content_ = true;
}

void ChatStreamEncoder::AppendEnd(std::string_view finish_reason, const api::Usage* usage,
                                  UsageStyle style, std::string& out) {
  if (!role_sent_) {
    OpenDelta(out);
    out += "\"content\":\"\"}}]}\n\n";
  }
  out += prefix_;
  AppendEscapedMember(out, "{\"index\":0,\"delta\":{},\"finish_reason\"", finish_reason);
  out += "}]}\n\n";
  if (usage != nullptr) {
    out += prefix_;
    out += "],\"usage\":";
    AppendChatUsage(*usage, style, true, out);
    out += "}\n\n";
  }
  out += "data: [DONE]\n\n";
}

void AppendChatUsage(const api::Usage& usage, UsageStyle style, bool in_stream, std::string& out) {
  if (style != UsageStyle::kAnthropic) {
    AppendUsageJson(usage, in_stream, out);
    return;
  }
  const int64_t text = std::max<int64_t>(usage.completion_tokens - usage.reasoning_tokens, 0);
  const int64_t cached = usage.cached_tokens + usage.cache_creation_tokens;
  fmt::format_to(
      std::back_inserter(out),
      R"({{"completion_tokens":{},"prompt_tokens":{},"total_tokens":{},)"
      R"("completion_tokens_details":{{"reasoning_tokens":{},"text_tokens":{}}},)"
      R"("prompt_tokens_details":{{"cached_tokens":{},"cache_creation_tokens":{},)"
      R"("text_tokens":{}}},"cache_creation_input_tokens":{},"cache_read_input_tokens":{}}})",
      usage.completion_tokens, usage.prompt_tokens, usage.total_tokens, usage.reasoning_tokens,
      text, usage.cached_tokens, usage.cache_creation_tokens,
      std::max<int64_t>(usage.prompt_tokens - cached, 0), usage.cache_creation_tokens,
      usage.cached_tokens);
}

std::string EncodeChatAnswer(const ChatAnswer& answer, const ChatHead& head, UsageStyle style) {
  std::string out;
  out.reserve(512 + answer.content.size() + answer.reasoning.size() +
              answer.thinking_blocks.size());
  AppendHead(out, head, "chat.completion");
  AppendEscapedMember(out, "{\"finish_reason\"", answer.finish);
  out += ",\"index\":0,\"message\":{\"content\":";
  if (answer.content_is_null) {
    out += "null";
  } else {
    out += '"';
    out += answer.content;
    out += '"';
  }
  out += ",\"role\":\"assistant\"";
  if (!answer.tool_calls.empty()) AppendAnswerToolCalls(answer.tool_calls, out);
  if (!answer.reasoning.empty()) {
    AppendEscapedMember(out, ",\"reasoning_content\"", answer.reasoning);
  }
  if (!answer.thinking_blocks.empty()) {
    out += ",\"thinking_blocks\":[";
    out += answer.thinking_blocks;
    out += ']';
  }
  out += "}}],\"usage\":";
  AppendChatUsage(answer.usage, style, false, out);
  out += '}';
  return out;
}

}  // namespace gw::translate
