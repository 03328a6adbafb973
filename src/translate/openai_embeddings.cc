// Embeddings on upstreams of OpenAI's dialect. They are never streamed; a client's `stream` is an
// unknown member like any other.
#include "translate/factories.h"
#include "translate/openai_passthrough.h"

namespace gw::translate {

std::unique_ptr<Translator> MakeOpenAiEmbeddings(const ClientRequest& request,
                                                 const AttemptTarget& target) {
  return std::make_unique<OpenAiPassthrough>(request, target, "/embeddings",
                                             OpenAiStream::Schema::kText);
}

}  // namespace gw::translate
