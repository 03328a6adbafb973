// What does a chunk of our own chat stream (or a whole chat answer) say?
//
// Clients that speak another schema (messages, completions) are served by a chat translator inside,
// whose output is read here. That output is ours and needs no validation. All views are raw JSON
// values, empty = absent or null.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "translate/chat_event.h"

namespace gw::translate {

struct ChatChunk {
  std::string_view id;
  std::string_view created;
  std::string_view model;
  std::string_view usage;
  // Of the first choice; `content` is its delta, or its message in a whole answer.
  std::string_view content;
  std::string_view finish_reason;
};

[[nodiscard]] ChatChunk ReadChatChunk(std::string_view chunk);

// Replaces `events` by what a delta holds: reasoning, signature, text, tool call fragments.
void ReadDelta(std::string_view delta, std::vector<ChatEvent>* events);

// `body` with json::kPadding readable bytes behind it, as a ClientRequest wants it.
[[nodiscard]] std::string WithPadding(std::string body);

}  // namespace gw::translate
