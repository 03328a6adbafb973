// The inference endpoints: what the client speaks.
#pragma once

#include <cstdint>

namespace gw::api {

enum class Endpoint : uint8_t {
  kChat,         // POST /v1/chat/completions
  kCompletions,  // POST /v1/completions
  kEmbeddings,   // POST /v1/embeddings
  kMessages,     // POST /v1/messages (Anthropic schema)
};

}  // namespace gw::api
