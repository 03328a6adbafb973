// The inference endpoints: what the client speaks.
#pragma once

#include <cstdint>

namespace gw::api {

enum class Endpoint : uint8_t {
  kChat,         // POST /v1/chat/completions
  kCompletions,  // POST /v1/completions
  kEmbeddings,   // POST /v1/embeddings
  kMessages,     // POST /v1/messages (Anthropic schema)
  kTranscriptions,  // POST /v1/audio/transcriptions (a form with a file)
  kSpeech,          // POST /v1/audio/speech (answers with audio)
};

// Neither a JSON answer to splice nor a stream: what comes back is passed on as it is.
[[nodiscard]] constexpr bool IsAudio(Endpoint endpoint) {
  return endpoint == Endpoint::kTranscriptions || endpoint == Endpoint::kSpeech;
}

}  // namespace gw::api
