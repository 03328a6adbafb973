// What does a chat answer hold, whichever provider wrote it?
//
// The dialect readers (Ollama, Anthropic, our own chat SSE) produce these; the encoders turn them
// into the client's schema. All texts are the *contents of JSON strings, still escaped*: upstream
// text reaches the client without being decoded and encoded again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/usage.h"

namespace gw::translate {

// One delta of a stream. The views die with the bytes that were fed.
struct ChatEvent {
  enum class Kind : uint8_t {
    kText,
    kReasoning,  // reasoning without a signature
    kThinking,   // the same as a piece of an Anthropic thinking block
    kSignature,  // closes such a block; `text` is the signature
    kToolCall,   // `text` is a fragment of the arguments (JSON text, escaped)
  };
  Kind kind = Kind::kText;
  std::string_view text = {};
  int tool_index = 0;
  // Only in the first fragment of a tool call.
  std::string_view tool_id = {};
  std::string_view tool_name = {};
};

struct ToolCall {
  std::string id;
  std::string name;
  std::string arguments;
};

// A whole answer.
struct ChatAnswer {
  bool content_is_null = false;
  std::string content;
  std::string reasoning;
  std::string thinking_blocks;  // elements of a JSON array, comma between them; "" = none
  std::vector<ToolCall> tool_calls;
  std::string_view finish = "stop";  // static text, see finish_reason.h
  api::Usage usage;
};

// The content between the quotes of a JSON string value; "" for null and for other kinds.
[[nodiscard]] std::string_view EscapedContent(std::string_view value);
// A member of a value that may be anything; "" when absent, null, or `object` is no object.
[[nodiscard]] std::string_view MemberOf(std::string_view object, std::string_view key);
// `text` (any JSON text) as escaped content of a string, appended.
void AppendEscaped(std::string& out, std::string_view text);

}  // namespace gw::translate
