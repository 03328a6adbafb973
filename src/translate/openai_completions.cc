// Text completions (/v1/completions) on upstreams that have this route themselves: OpenAI's own
// dialect and text-completion-*. The answer is choices[].text, streamed or not.
#include "translate/factories.h"
#include "translate/openai_passthrough.h"

namespace gw::translate {

std::unique_ptr<Translator> MakeOpenAiCompletions(const ClientRequest& request,
                                                  const AttemptTarget& target) {
  return std::make_unique<OpenAiPassthrough>(request, target, "/completions",
                                             OpenAiStream::Schema::kText);
}

}  // namespace gw::translate
