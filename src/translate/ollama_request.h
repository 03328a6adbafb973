// What does Ollama get asked when an OpenAI client asks?
//
// ollama_chat/ -> POST /api/chat, ollama/ -> POST /api/generate with one rendered prompt; a chat
// with tools or images goes to /api/chat in both cases, because only that can express it.
// Texts are copied as raw JSON spans, never decoded.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "translate/translator.h"

namespace gw::translate {

enum class OllamaRoute : uint8_t { kChat, kGenerate };

// For chat and completions clients. `route` says which answer form will come back.
[[nodiscard]] Result<UpstreamRequest> BuildOllamaRequest(const ClientRequest& request,
                                                         const AttemptTarget& target,
                                                         OllamaRoute* route);

// `suffix` ("/api/chat") unless the configured base already ends with it; Bearer key if there is
// one; the deployment's extra headers.
[[nodiscard]] UpstreamRequest StartOllamaRequest(const AttemptTarget& target,
                                                 std::string_view suffix);

}  // namespace gw::translate
