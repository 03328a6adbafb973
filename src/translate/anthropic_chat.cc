#include "translate/anthropic_chat.h"

#include <algorithm>

#include "base/json.h"
#include "translate/anthropic_request.h"
#include "translate/chat_event.h"
#include "translate/error_map.h"
#include "translate/factories.h"
#include "translate/finish_reason.h"
#include "translate/usage.h"

namespace gw::translate {

Result<UpstreamRequest> AnthropicChat::BuildRequest() {
  auto built = BuildAnthropicRequest(request_, target_);
  if (!built) return built.error();
  json_by_tool_ = built->json_by_tool;
  renamed_tools_ = std::move(built->renamed_tools);
  return std::move(built->upstream);
}

std::string_view AnthropicChat::ToolName(std::string_view sent_escaped) const {
  for (const auto& [sent, own] : renamed_tools_) {
    if (sent == sent_escaped) return own;
  }
  return sent_escaped;
}

ChatHead AnthropicChat::Head() const {
  std::string_view model = target_.shown_model;
  if (model.empty()) model = upstream_model_;
  if (model.empty()) model = target_.upstream_model;
  return {target_.answer_id, target_.now_unix_s, model};
}

// ---- the whole answer

Result<std::string> AnthropicChat::TranslateBody(std::string& body) {
  const std::string_view text = json::TrimSpace(body);
  if (text.empty()) return MapBadAnswer(*target_.deployment, "empty answer");
  if (json::Validate(body) != nullptr || text.front() != '{') {
    return MapBadAnswer(*target_.deployment, "the answer is not a JSON object");
  }
  if (MemberOf(text, "type") == "\"error\"") return MapAnthropicError(*target_.deployment, text);
  const std::string_view content = MemberOf(text, "content");
  if (json::KindOf(content) != json::Kind::kArray) {
    return MapBadAnswer(*target_.deployment, "the answer holds no content");
  }
  ChatAnswer answer;
  answer.content_is_null = true;
  for (json::ElementCursor c(content); c.Next();) ReadBlock(c.value(), &answer);
  const std::string_view model = MemberOf(text, "model");
  upstream_model_ = json::Unquote(model);
  NoteAnswerModel(*target_.deployment, false, model, &usage_);
  finish_ = NormalFinishReason(EscapedContent(MemberOf(text, "stop_reason")));
  // The stand-in tool is not the client's: its call is a plain answer.
  if (json_by_tool_ && answer.tool_calls.empty() && finish_ == "tool_calls") finish_ = "stop";
  answer.finish = finish_;
  ReadAnthropicUsage(MemberOf(text, "usage"), &counts_);
  answer_bytes_ += answer.content.size() + answer.reasoning.size();
  reasoning_bytes_ = answer.reasoning.size();
  answer.usage = usage();
  return EncodeChatAnswer(answer, Head(), UsageStyle::kAnthropic);
}

void AnthropicChat::ReadBlock(std::string_view block, ChatAnswer* answer) {
  const std::string_view type = EscapedContent(MemberOf(block, "type"));
  if (type == "text") {
    answer->content_is_null = false;
    answer->content += EscapedContent(MemberOf(block, "text"));
  } else if (type == "thinking" || type == "redacted_thinking") {
    answer->reasoning += EscapedContent(MemberOf(block, "thinking"));
    if (!answer->thinking_blocks.empty()) answer->thinking_blocks += ',';
    answer->thinking_blocks += block;
  } else if (type == "tool_use") {
    std::string_view input = MemberOf(block, "input");
    if (input.empty()) input = "{}";
    const std::string_view name = EscapedContent(MemberOf(block, "name"));
    answer_bytes_ += input.size();
    if (json_by_tool_ && name == kJsonToolName) {
      answer->content_is_null = false;
      AppendEscaped(answer->content, input);
      return;
    }
    ToolCall& call = answer->tool_calls.emplace_back();
    call.id = EscapedContent(MemberOf(block, "id"));
    call.name = ToolName(name);
    AppendEscaped(call.arguments, input);
  }
}

// ---- streams

Result<StreamProgress> AnthropicChat::Feed(std::string_view bytes, std::string& out) {
  if (done_) return Progress();
  events_.Push(bytes);
  SseEvent event;
  while (!done_) {
    switch (events_.Next(&event)) {
      case SseDecoder::Status::kNeedMore: return Progress();
      case SseDecoder::Status::kTooLong:
        return MapBadAnswer(*target_.deployment, "an event of the stream is too long");
      case SseDecoder::Status::kEvent: break;
    }
    if (auto read = OnEvent(event.data, out); !read) return read.error();
  }
  return Progress();
}

Result<StreamProgress> AnthropicChat::Finish(std::string& out) {
  SseEvent event;
  if (!done_ && events_.Flush(&event)) {
    if (auto read = OnEvent(event.data, out); !read) return read.error();
  }
  if (!done_ && !encoder_.has_content() && finish_.empty()) {
    return MapBadAnswer(*target_.deployment, "the stream ended before it said anything");
  }
  if (!done_) End(out);
  return Progress();
}

Result<void> AnthropicChat::OnEvent(std::string_view data, std::string& out) {
  if (data.empty()) return {};
  event_text_.reserve(data.size() + json::kPadding);
  event_text_ = data;
  const std::string_view text = json::TrimSpace(event_text_);
  if (json::Validate(event_text_) != nullptr || text.front() != '{') {
    if (encoder_.has_content()) return {};
    return MapBadAnswer(*target_.deployment, "an event of the stream is not a JSON object");
  }
  const std::string_view type = EscapedContent(MemberOf(text, "type"));
  if (type == "content_block_delta") {
    OnBlockDelta(MemberOf(text, "delta"), out);
  } else if (type == "content_block_start") {
    OnBlockStart(MemberOf(text, "content_block"), out);
  } else if (type == "content_block_stop") {
    OnBlockStop(out);
  } else if (type == "message_start") {
    OnMessageStart(MemberOf(text, "message"));
  } else if (type == "message_delta") {
    const std::string_view reason = MemberOf(MemberOf(text, "delta"), "stop_reason");
    if (json::KindOf(reason) == json::Kind::kString) {
      finish_ = NormalFinishReason(EscapedContent(reason));
    }
    ReadAnthropicUsage(MemberOf(text, "usage"), &counts_);
  } else if (type == "message_stop") {
    End(out);
  } else if (type == "error") {
    return MapAnthropicError(*target_.deployment, text);
  }
  return {};
}

void AnthropicChat::OnMessageStart(std::string_view message) {
  const std::string_view model = MemberOf(message, "model");
  upstream_model_ = json::Unquote(model);
  NoteAnswerModel(*target_.deployment, true, model, &usage_);
  ReadAnthropicUsage(MemberOf(message, "usage"), &counts_);
}

void AnthropicChat::OnBlockStart(std::string_view block, std::string& out) {
  const std::string_view type = EscapedContent(MemberOf(block, "type"));
  block_has_input_ = false;
  block_ = Block::kOther;
  if (type == "text") {
    block_ = Block::kText;
    const std::string_view text = EscapedContent(MemberOf(block, "text"));
    if (!text.empty()) Emit({.kind = ChatEvent::Kind::kText, .text = text}, out);
  } else if (type == "thinking") {
    block_ = Block::kThinking;
    const std::string_view text = EscapedContent(MemberOf(block, "thinking"));
    if (!text.empty()) Emit({.kind = ChatEvent::Kind::kThinking, .text = text}, out);
  } else if (type == "tool_use") {
    const std::string_view name = EscapedContent(MemberOf(block, "name"));
    if (json_by_tool_ && name == kJsonToolName) {
      block_ = Block::kJsonTool;
      return;
    }
    block_ = Block::kTool;
    Emit({.kind = ChatEvent::Kind::kToolCall,
          .tool_index = tool_count_++,
          .tool_id = EscapedContent(MemberOf(block, "id")),
          .tool_name = ToolName(name)},
         out);
  }
}

void AnthropicChat::OnBlockDelta(std::string_view delta, std::string& out) {
  const std::string_view type = EscapedContent(MemberOf(delta, "type"));
  ChatEvent event;
  if (type == "text_delta") {
    event.kind = ChatEvent::Kind::kText;
    event.text = EscapedContent(MemberOf(delta, "text"));
  } else if (type == "thinking_delta") {
    event.kind = ChatEvent::Kind::kThinking;
    event.text = EscapedContent(MemberOf(delta, "thinking"));
  } else if (type == "signature_delta") {
    event.kind = ChatEvent::Kind::kSignature;
    event.text = EscapedContent(MemberOf(delta, "signature"));
  } else if (type == "input_json_delta" && block_ == Block::kTool) {
    event.kind = ChatEvent::Kind::kToolCall;
    event.tool_index = tool_count_ - 1;
    event.text = EscapedContent(MemberOf(delta, "partial_json"));
  } else if (type == "input_json_delta" && block_ == Block::kJsonTool) {
    event.text = EscapedContent(MemberOf(delta, "partial_json"));
  }
  if (event.text.empty()) return;
  block_has_input_ = true;
  Emit(event, out);
}

void AnthropicChat::OnBlockStop(std::string& out) {
  const bool had_input = block_has_input_;
  const Block block = block_;
  block_ = Block::kOther;
  if (had_input) return;
  // A function without parameters: clients parse the arguments and need an object.
  if (block == Block::kTool) {
    Emit({.kind = ChatEvent::Kind::kToolCall, .text = "{}", .tool_index = tool_count_ - 1}, out);
  } else if (block == Block::kJsonTool) {
    Emit({.kind = ChatEvent::Kind::kText, .text = "{}"}, out);
  }
}

void AnthropicChat::Emit(const ChatEvent& event, std::string& out) {
  if (!encoder_.begun()) encoder_.Begin(Head());
  if (event.kind != ChatEvent::Kind::kSignature) answer_bytes_ += event.text.size();
  if (event.kind == ChatEvent::Kind::kThinking) reasoning_bytes_ += event.text.size();
  encoder_.Append(event, out);
}

void AnthropicChat::End(std::string& out) {
  if (!encoder_.begun()) encoder_.Begin(Head());
  if (tool_count_ > 0) finish_ = "tool_calls";
  else if (finish_.empty() || finish_ == "tool_calls") finish_ = "stop";
  encoder_.AppendEnd(finish_, request_.include_usage ? &usage() : nullptr,
                     UsageStyle::kAnthropic, out);
  done_ = true;
}

void AnthropicChat::AppendStreamError(const Error& error, std::string& out) const {
  AppendOpenAiStreamError(error, out);
}

const api::Usage& AnthropicChat::usage() {
  if (counts_.reported) {
    ToUsage(counts_, &usage_);
  } else {
    const auto messages = json::Find(request_.body, "messages");
    EstimateUsage(messages ? TextBytes(*messages) : 0, answer_bytes_, &usage_);
  }
  // Anthropic counts thinking within its output and never apart.
  usage_.reasoning_tokens = std::min(EstimateTokens(reasoning_bytes_), usage_.completion_tokens);
  return usage_;
}

std::unique_ptr<Translator> MakeAnthropicChat(const ClientRequest& request,
                                              const AttemptTarget& target) {
  return std::make_unique<AnthropicChat>(request, target);
}

}  // namespace gw::translate
