// What does an Anthropic messages request say in the OpenAI chat schema?
//
//   system                 -> first message, role system
//   tool_result blocks     -> messages of role tool, before the rest of their user message
//   tool_use blocks        -> tool_calls of the assistant message
//   image, document blocks -> image_url, file parts
//   stop_sequences, tool_choice, thinking, metadata.user_id, output_format -> their OpenAI names
#pragma once

#include <string>
#include <string_view>

namespace gw::translate {

// `body` must be accepted by json::Validate; the answer is too. Orders to the gateway stay in.
[[nodiscard]] std::string MessagesToChatBody(std::string_view body);

}  // namespace gw::translate
