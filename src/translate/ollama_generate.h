// How does a conversation become the one prompt of Ollama's /api/generate?
//
// The reading side is OllamaChat's: both answer forms are lines of the same shape.
#pragma once

#include <string>
#include <string_view>

namespace gw::translate {

// Appends the prompt as the content of a JSON string:
// "### System:\n..\n\n### User:\n..\n\n### Assistant:\n..\n\n", escaped.
// `messages` is a list that IsMessageList accepts.
void AppendGeneratePrompt(std::string_view messages, std::string& out);

}  // namespace gw::translate
