#include "translate/chat_chunk.h"

#include "base/json.h"

namespace gw::translate {

namespace {

void ReadChoice(std::string_view choices, ChatChunk* out) {
  if (json::KindOf(choices) != json::Kind::kArray) return;
  json::ElementCursor c(choices);
  if (!c.Next()) return;
  out->content = MemberOf(c.value(), "delta");
  if (out->content.empty()) out->content = MemberOf(c.value(), "message");
  out->finish_reason = MemberOf(c.value(), "finish_reason");
}

void ReadToolFragments(std::string_view calls, std::vector<ChatEvent>* events) {
  if (json::KindOf(calls) != json::Kind::kArray) return;
  int position = 0;
  for (json::ElementCursor c(calls); c.Next(); ++position) {
    ChatEvent event;
    event.kind = ChatEvent::Kind::kToolCall;
    const std::string_view function = MemberOf(c.value(), "function");
    event.text = EscapedContent(MemberOf(function, "arguments"));
    event.tool_id = EscapedContent(MemberOf(c.value(), "id"));
    event.tool_name = EscapedContent(MemberOf(function, "name"));
    const auto index = json::ToInt(MemberOf(c.value(), "index"));
    event.tool_index = index && *index >= 0 && *index < 1'000'000 ? static_cast<int>(*index)
                                                                  : position;
    events->push_back(event);
  }
}

void ReadSignatures(std::string_view blocks, std::vector<ChatEvent>* events) {
  if (json::KindOf(blocks) != json::Kind::kArray) return;
  for (json::ElementCursor c(blocks); c.Next();) {
    const std::string_view signature = EscapedContent(MemberOf(c.value(), "signature"));
    if (signature.empty()) continue;
    ChatEvent event;
    event.kind = ChatEvent::Kind::kSignature;
    event.text = signature;
    events->push_back(event);
  }
}

}  // namespace

ChatChunk ReadChatChunk(std::string_view chunk) {
  ChatChunk out;
  if (json::KindOf(chunk) != json::Kind::kObject) return out;
  for (json::MemberCursor c(chunk); c.Next();) {
    const json::Member& m = c.member();
    if (m.kind == json::Kind::kNull) continue;
    if (m.KeyIs("choices")) ReadChoice(m.value, &out);
    else if (m.KeyIs("id")) out.id = m.value;
    else if (m.KeyIs("created")) out.created = m.value;
    else if (m.KeyIs("model")) out.model = m.value;
    else if (m.KeyIs("usage")) out.usage = m.value;
  }
  return out;
}

void ReadDelta(std::string_view delta, std::vector<ChatEvent>* events) {
  events->clear();
  if (json::KindOf(delta) != json::Kind::kObject) return;
  std::string_view content, reasoning, blocks, tool_calls;
  for (json::MemberCursor c(delta); c.Next();) {
    const json::Member& m = c.member();
    if (m.KeyIs("content")) content = EscapedContent(m.value);
    else if (m.KeyIs("reasoning_content")) reasoning = EscapedContent(m.value);
    else if (m.KeyIs("thinking_blocks")) blocks = m.value;
    else if (m.KeyIs("tool_calls")) tool_calls = m.value;
  }
  ChatEvent event;
  if (!reasoning.empty()) {
    event.kind = ChatEvent::Kind::kReasoning;
    event.text = reasoning;
    events->push_back(event);
  }
  ReadSignatures(blocks, events);
  if (!content.empty()) {
    event.kind = ChatEvent::Kind::kText;
    event.text = content;
    events->push_back(event);
  }
  ReadToolFragments(tool_calls, events);
}

std::string WithPadding(std::string body) {
  body.reserve(body.size() + json::kPadding);
  return body;
}

}  // namespace gw::translate
