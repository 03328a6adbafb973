#include "translate/messages_encoder.h"

#include <fmt/format.h>

#include <iterator>

#include "base/json.h"
#include "translate/anthropic_answer.h"
#include "translate/chat_chunk.h"

namespace gw::translate {

namespace {

// The arguments of a tool call (JSON text inside a JSON string) as an object.
void AppendInput(std::string_view arguments, std::string& out) {
  const std::string text = json::Unquote(arguments);
  const std::string_view trimmed = json::TrimSpace(text);
  const bool good = trimmed.starts_with('{') && json::ValidateUnpadded(trimmed) == nullptr;
  out += good ? trimmed : "{}";
}

void AppendToolUse(std::string_view call, std::string& out) {
  const std::string_view function = MemberOf(call, "function");
  const std::string_view id = MemberOf(call, "id");
  const std::string_view name = MemberOf(function, "name");
  out += "{\"type\":\"tool_use\",\"id\":";
  out += id.empty() ? "\"\"" : id;
  out += ",\"name\":";
  out += name.empty() ? "\"\"" : name;
  out += ",\"input\":";
  AppendInput(MemberOf(function, "arguments"), out);
  out += '}';
}

void AppendBlocks(std::string_view message, std::string& out) {
  const auto separate = [&out] {
    if (out.back() != '[') out += ',';
  };
  const std::string_view blocks = MemberOf(message, "thinking_blocks");
  const std::string_view reasoning = MemberOf(message, "reasoning_content");
  if (json::KindOf(blocks) == json::Kind::kArray) {
    for (json::ElementCursor c(blocks); c.Next();) {
      separate();
      out += c.value();
    }
  } else if (!EscapedContent(reasoning).empty()) {
    out += "{\"type\":\"thinking\",\"thinking\":";
    out += reasoning;
    out += ",\"signature\":\"\"}";
  }
  const std::string_view content = MemberOf(message, "content");
  if (!EscapedContent(content).empty()) {
    separate();
    out += "{\"type\":\"text\",\"text\":";
    out += content;
    out += '}';
  }
  const std::string_view calls = MemberOf(message, "tool_calls");
  if (json::KindOf(calls) != json::Kind::kArray) return;
  for (json::ElementCursor c(calls); c.Next();) {
    separate();
    AppendToolUse(c.value(), out);
  }
}

}  // namespace

std::string_view StopReasonOf(std::string_view finish_reason) {
  if (finish_reason == "length") return "max_tokens";
  if (finish_reason == "tool_calls" || finish_reason == "function_call") return "tool_use";
  if (finish_reason == "content_filter") return "refusal";
  return "end_turn";
}

void MessagesStreamEncoder::Begin(std::string_view id, std::string_view model, std::string& out) {
  begun_ = true;
  out += "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":";
  json::AppendQuoted(out, id);
  out += ",\"type\":\"message\",\"role\":\"assistant\",\"model\":";
  out += model.empty() ? "\"\"" : model;
  out += ",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,"
         "\"usage\":{\"input_tokens\":0,\"output_tokens\":0}}}\n\n";
}

void MessagesStreamEncoder::Open(Block block, const ChatEvent& event, std::string& out) {
  Close(out);
  open_ = block;
  ++block_index_;
  fmt::format_to(std::back_inserter(out),
                 "event: content_block_start\ndata: {{\"type\":\"content_block_start\","
                 "\"index\":{},\"content_block\":",
                 block_index_);
  switch (block) {
    case Block::kText: out += "{\"type\":\"text\",\"text\":\"\"}"; break;
    case Block::kThinking:
      out += "{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}";
      break;
    case Block::kTool:
      tool_index_ = event.tool_index;
      out += "{\"type\":\"tool_use\",\"id\":\"";
      out += event.tool_id;
      out += "\",\"name\":\"";
      out += event.tool_name;
      out += "\",\"input\":{}}";
      break;
    case Block::kNone: break;
  }
  out += "}\n\n";
}

void MessagesStreamEncoder::Close(std::string& out) {
  if (open_ == Block::kNone) return;
  open_ = Block::kNone;
  fmt::format_to(std::back_inserter(out),
                 "event: content_block_stop\ndata: {{\"type\":\"content_block_stop\","
                 "\"index\":{}}}\n\n",
                 block_index_);
}

void MessagesStreamEncoder::AppendDelta(std::string_view type_and_name, std::string_view escaped,
                                        std::string& out) {
  fmt::format_to(std::back_inserter(out),
                 "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\","
                 "\"index\":{},\"delta\":{{\"type\":",
                 block_index_);
  out += type_and_name;
  out += ":\"";
  out += escaped;
  out += "\"}}\n\n";
}

void MessagesStreamEncoder::Append(const ChatEvent& event, std::string& out) {
  switch (event.kind) {
    case ChatEvent::Kind::kText:
      if (open_ != Block::kText) Open(Block::kText, event, out);
      AppendDelta("\"text_delta\",\"text\"", event.text, out);
      break;
    case ChatEvent::Kind::kReasoning:
    case ChatEvent::Kind::kThinking:
      if (open_ != Block::kThinking) Open(Block::kThinking, event, out);
      AppendDelta("\"thinking_delta\",\"thinking\"", event.text, out);
      break;
    case ChatEvent::Kind::kSignature:
      if (open_ != Block::kThinking) return;
      AppendDelta("\"signature_delta\",\"signature\"", event.text, out);
      break;
    case ChatEvent::Kind::kToolCall:
      if (open_ != Block::kTool || tool_index_ != event.tool_index) {
        Open(Block::kTool, event, out);
      }
      if (!event.text.empty()) {
        AppendDelta("\"input_json_delta\",\"partial_json\"", event.text, out);
      }
      break;
  }
}

void MessagesStreamEncoder::AppendEnd(std::string_view finish_reason, const api::Usage& usage,
                                      std::string& out) {
  Close(out);
  fmt::format_to(std::back_inserter(out),
                 "event: message_delta\ndata: {{\"type\":\"message_delta\",\"delta\":"
                 "{{\"stop_reason\":\"{}\",\"stop_sequence\":null}},\"usage\":",
                 StopReasonOf(finish_reason));
  AppendAnthropicUsage(usage, out);
  out += "}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
}

std::string ChatAnswerToMessage(std::string_view chat_answer, const api::Usage& usage) {
  const ChatChunk answer = ReadChatChunk(chat_answer);
  if (answer.content.empty()) return {};
  std::string out;
  out.reserve(chat_answer.size() + 256);
  out += "{\"id\":";
  out += answer.id.empty() ? "\"\"" : answer.id;
  out += ",\"type\":\"message\",\"role\":\"assistant\",\"model\":";
  out += answer.model.empty() ? "\"\"" : answer.model;
  out += ",\"content\":[";
  AppendBlocks(answer.content, out);
  fmt::format_to(std::back_inserter(out),
                 "],\"stop_reason\":\"{}\",\"stop_sequence\":null,\"stop_details\":null,"
                 "\"usage\":",
                 StopReasonOf(EscapedContent(answer.finish_reason)));
  AppendAnthropicUsage(usage, out);
  out += '}';
  return out;
}

}  // namespace gw::translate
