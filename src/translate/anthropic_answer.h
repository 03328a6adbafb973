// What do Anthropic's usage objects and error objects mean, and how do we write such errors?
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "api/usage.h"
#include "base/error.h"
#include "config/snapshot.h"

namespace gw::translate {

// Anthropic counts cached tokens apart; OpenAI's prompt_tokens is the sum of the three.
struct AnthropicCounts {
  int64_t input = 0;
  int64_t output = 0;
  int64_t cache_read = 0;
  int64_t cache_creation = 0;
  bool reported = false;
};

// Members that are absent leave their field alone, so that message_start and message_delta add up.
void ReadAnthropicUsage(std::string_view usage_object, AnthropicCounts* counts);
void ToUsage(const AnthropicCounts& counts, api::Usage* usage);

// "usage" of a message in Anthropic's form; the cache counts only when there are any.
void AppendAnthropicUsage(const api::Usage& usage, std::string& out);

// An event or body {"type":"error","error":{"type","message"}}; the type stands for a status.
[[nodiscard]] Error MapAnthropicError(const config::Deployment& deployment, std::string_view json);

// event: error + data: {"type":"error",...}. The schema has no [DONE].
void AppendAnthropicStreamError(const Error& error, std::string& out);

}  // namespace gw::translate
