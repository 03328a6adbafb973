// What is in one message of an OpenAI chat request?
//
// All views are raw JSON values (quotes included) inside the client's body; empty = absent.
// Anything of an unexpected kind reads as absent.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"
#include "translate/chat_event.h"

namespace gw::translate {

enum class Role : uint8_t { kSystem, kUser, kAssistant, kTool };

struct Message {
  Role role = Role::kUser;  // developer reads as kSystem, function as kTool, unknown as kUser
  std::string_view content;
  std::string_view reasoning;  // reasoning_content
  std::string_view thinking_blocks;
  std::string_view tool_calls;
  std::string_view function_call;
  std::string_view tool_call_id;  // of a function message: its name
  std::string_view cache_control;

  [[nodiscard]] bool HasToolCalls() const {
    return tool_calls.size() > 2 && tool_calls.front() == '[' &&
           json::TrimSpace(tool_calls.substr(1)).front() != ']';
  }
};

struct ToolCallParts {
  std::string_view id;
  std::string_view name;
  std::string_view arguments;

  // The arguments as the text of a JSON object: "{}" for none, "" when they are no object.
  [[nodiscard]] std::string ArgumentsObject() const;
};

// "system", "user", "assistant", "tool".
[[nodiscard]] std::string_view RoleName(Role role);
[[nodiscard]] Message ReadMessage(std::string_view message);
// Of an element of tool_calls.
[[nodiscard]] ToolCallParts ReadToolCall(std::string_view call);
// An array that holds only objects.
[[nodiscard]] bool IsMessageList(std::string_view messages);

// The url of an image part ({"image_url":{"url":..}} or {"image_url":".."}); empty when it is none.
[[nodiscard]] std::string_view ImageUrlOf(std::string_view part);

// Calls on_text(escaped content) for a string content, or for each text part in order.
template <typename OnText>
void ForEachText(std::string_view content, const OnText& on_text) {
  if (content.empty()) return;
  if (json::KindOf(content) == json::Kind::kString) {
    on_text(EscapedContent(content));
    return;
  }
  if (json::KindOf(content) != json::Kind::kArray) return;
  for (json::ElementCursor c(content); c.Next();) {
    if (json::KindOf(c.value()) == json::Kind::kString) on_text(EscapedContent(c.value()));
    if (json::KindOf(c.value()) != json::Kind::kObject) continue;
    if (const auto text = json::Find(c.value(), "text")) on_text(EscapedContent(*text));
  }
}

// Calls on_url(raw JSON string) for each image part.
template <typename OnUrl>
void ForEachImageUrl(std::string_view content, const OnUrl& on_url) {
  if (content.empty() || json::KindOf(content) != json::Kind::kArray) return;
  for (json::ElementCursor c(content); c.Next();) {
    if (json::KindOf(c.value()) != json::Kind::kObject) continue;
    if (const std::string_view url = ImageUrlOf(c.value()); !url.empty()) on_url(url);
  }
}

}  // namespace gw::translate
