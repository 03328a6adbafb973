// How many tokens did an answer cost: read from the upstream's usage object, or estimated?
//
// The estimate stands in for a tokenizer: about four bytes of text per token, at least one for any
// text. It keeps spend and limits from being zero; it is marked `estimated`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/usage.h"
#include "config/snapshot.h"

namespace gw::translate {

// Reads an OpenAI usage object (raw JSON text) into `usage` and marks it reported. Members that
// are absent, null or no numbers leave their field alone. Anything but an object is ignored.
void ReadOpenAiUsage(std::string_view usage_object, api::Usage* usage);

[[nodiscard]] int64_t EstimateTokens(size_t text_bytes);

// Bytes of all string values below `json_value`, keys and inline data URLs left out: the size of a
// prompt, whether it is a string, a list of parts or a list of messages. Token ids count 4 bytes.
[[nodiscard]] size_t TextBytes(std::string_view json_value);

// The size of the text in a client's body that the model reads: messages, prompt or input.
[[nodiscard]] size_t PromptBytes(std::string_view body);

// Keeps the name that an answer gives its model (raw JSON), where that may set the price.
void NoteAnswerModel(const config::Deployment& deployment, bool chat_stream, std::string_view model,
                     api::Usage* usage);

// Fills the three totals from sizes of texts and marks `usage` estimated.
void EstimateUsage(size_t prompt_bytes, size_t completion_bytes, api::Usage* usage);

// {"completion_tokens":7,"prompt_tokens":11,"total_tokens":18} plus the detail objects that have
// something to say. With `text_details`, completion_tokens_details is always there (the form of
// the usage chunk of a stream).
void AppendUsageJson(const api::Usage& usage, bool text_details, std::string& out);

}  // namespace gw::translate
