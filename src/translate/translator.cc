// Which translator serves a (client endpoint, upstream dialect) pair? The whole table is here.
#include "translate/translator.h"

#include <fmt/format.h>

#include "translate/error_map.h"
#include "translate/factories.h"

namespace gw::translate {

namespace {

std::string_view EndpointName(api::Endpoint endpoint) {
  switch (endpoint) {
    case api::Endpoint::kChat: return "chat completions";
    case api::Endpoint::kCompletions: return "text completions";
    case api::Endpoint::kEmbeddings: return "embeddings";
    case api::Endpoint::kMessages: return "messages";
    case api::Endpoint::kTranscriptions: return "transcriptions";
    case api::Endpoint::kSpeech: return "speech";
  }
  return "this";
}

// A pair that cannot work: every call says so.
class ImpossiblePair final : public Translator {
 public:
  ImpossiblePair(const ClientRequest& request, const AttemptTarget& target)
      : deployment_(target.deployment), endpoint_(request.endpoint) {}

  Result<UpstreamRequest> BuildRequest() override { return Refuse(); }
  Result<std::string> TranslateBody(std::string&) override { return Refuse(); }
  Result<StreamProgress> Feed(std::string_view, std::string&) override { return Refuse(); }
  Result<StreamProgress> Finish(std::string&) override { return Refuse(); }
  void AppendStreamError(const Error& error, std::string& out) const override {
    AppendOpenAiStreamError(error, out);
  }
  const api::Usage& usage() override { return usage_; }

 private:
  [[nodiscard]] Error Refuse() const {
    return MapUnsupported(*deployment_,
                          fmt::format("The provider {} does not serve {}.", deployment_->provider,
                                      EndpointName(endpoint_)));
  }

  const config::Deployment* deployment_;
  api::Endpoint endpoint_;
  api::Usage usage_;
};

std::unique_ptr<Translator> MakeForChat(const ClientRequest& request, const AttemptTarget& target,
                                        config::Dialect dialect) {
  switch (dialect) {
    case config::Dialect::kOpenAi: return MakeOpenAiChat(request, target);
    case config::Dialect::kOllamaChat: return MakeOllamaChat(request, target);
    case config::Dialect::kOllamaGenerate: return MakeOllamaGenerate(request, target);
    case config::Dialect::kAnthropic: return MakeAnthropicChat(request, target);
    case config::Dialect::kOpenAiText: break;
  }
  return std::make_unique<ImpossiblePair>(request, target);
}

std::unique_ptr<Translator> MakeForCompletions(const ClientRequest& request,
                                               const AttemptTarget& target,
                                               config::Dialect dialect) {
  switch (dialect) {
    case config::Dialect::kOpenAi:
    case config::Dialect::kOpenAiText: return MakeOpenAiCompletions(request, target);
    case config::Dialect::kOllamaChat:
    case config::Dialect::kOllamaGenerate:
    case config::Dialect::kAnthropic: break;
  }
  return MakeCompletionsOverChat(request, target);
}

std::unique_ptr<Translator> MakeForEmbeddings(const ClientRequest& request,
                                              const AttemptTarget& target,
                                              config::Dialect dialect) {
  switch (dialect) {
    case config::Dialect::kOpenAi:
    case config::Dialect::kOpenAiText: return MakeOpenAiEmbeddings(request, target);
    case config::Dialect::kOllamaChat:
    case config::Dialect::kOllamaGenerate: return MakeOllamaEmbeddings(request, target);
    case config::Dialect::kAnthropic: break;
  }
  return std::make_unique<ImpossiblePair>(request, target);
}

std::unique_ptr<Translator> MakeForAudio(const ClientRequest& request, const AttemptTarget& target,
                                         config::Dialect dialect) {
  if (dialect != config::Dialect::kOpenAi) return std::make_unique<ImpossiblePair>(request, target);
  if (request.endpoint == api::Endpoint::kSpeech) return MakeOpenAiSpeech(request, target);
  return MakeOpenAiTranscription(request, target);
}

}  // namespace

std::unique_ptr<Translator> MakeTranslator(const ClientRequest& request,
                                           const AttemptTarget& target) {
  const config::ProviderRow* row = target.deployment->row;
  const config::Dialect dialect = row == nullptr ? config::Dialect::kOpenAi : row->dialect;
  switch (request.endpoint) {
    case api::Endpoint::kChat: return MakeForChat(request, target, dialect);
    case api::Endpoint::kCompletions: return MakeForCompletions(request, target, dialect);
    case api::Endpoint::kEmbeddings: return MakeForEmbeddings(request, target, dialect);
    case api::Endpoint::kTranscriptions:
    case api::Endpoint::kSpeech: return MakeForAudio(request, target, dialect);
    case api::Endpoint::kMessages: break;
  }
  if (dialect == config::Dialect::kAnthropic) return MakeMessagesNative(request, target);
  if (dialect == config::Dialect::kOpenAiText)
    return std::make_unique<ImpossiblePair>(request, target);
  return MakeMessagesOverChat(request, target);
}

}  // namespace gw::translate
