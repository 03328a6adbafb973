// How do OpenAI chat messages become Anthropic's system blocks and alternating messages?
//
//   system, developer        -> system: [{"type":"text",...}]
//   user                     -> user: text, image, document blocks
//   assistant (+ tool_calls) -> assistant: thinking, text, tool_use blocks
//   tool                     -> user: tool_result block
// Neighbours of the same role are merged into one message; empty texts vanish, because Anthropic
// refuses them. Texts are copied as raw JSON spans.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "config/snapshot.h"

namespace gw::translate {

struct AnthropicMessages {
  std::string system;    // elements of the array, comma between them; "" = none
  std::string messages;  // likewise
  bool has_file_id = false;  // needs the files beta
};

[[nodiscard]] Result<AnthropicMessages> ToAnthropicMessages(std::string_view messages,
                                                            const config::Deployment& deployment);

// Anthropic takes [a-zA-Z0-9_-]{1,128}: other bytes become '_', the rest is cut.
[[nodiscard]] std::string CleanToolName(std::string_view name);

}  // namespace gw::translate
