#include "translate/ollama_generate.h"

#include "base/json.h"
#include "translate/factories.h"
#include "translate/message_parts.h"
#include "translate/ollama_chat.h"

namespace gw::translate {

void AppendGeneratePrompt(std::string_view messages, std::string& out) {
  for (json::ElementCursor c(messages); c.Next();) {
    const Message message = ReadMessage(c.value());
    switch (message.role) {
      case Role::kSystem: out += R"(### System:\n)"; break;
      case Role::kAssistant: out += R"(### Assistant:\n)"; break;
      default: out += R"(### User:\n)"; break;
    }
    ForEachText(message.content, [&out](std::string_view escaped) { out += escaped; });
    out += R"(\n\n)";
  }
}

std::unique_ptr<Translator> MakeOllamaGenerate(const ClientRequest& request,
                                               const AttemptTarget& target) {
  // The request builder picks the route; the reader understands both answer forms.
  return std::make_unique<OllamaChat>(request, target);
}

}  // namespace gw::translate
