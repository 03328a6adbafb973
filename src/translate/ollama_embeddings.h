// How do OpenAI embeddings requests and answers map to Ollama's POST /api/embed?
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "translate/translator.h"

namespace gw::translate {

class OllamaEmbeddings final : public Translator {
 public:
  OllamaEmbeddings(const ClientRequest& request, const AttemptTarget& target)
      : request_(request), target_(target) {}

  [[nodiscard]] Result<UpstreamRequest> BuildRequest() override;
  [[nodiscard]] Result<std::string> TranslateBody(std::string& body) override;
  // Embeddings are never streamed; both fail.
  [[nodiscard]] Result<StreamProgress> Feed(std::string_view bytes, std::string& out) override;
  [[nodiscard]] Result<StreamProgress> Finish(std::string& out) override;
  void AppendStreamError(const Error& error, std::string& out) const override;
  [[nodiscard]] const api::Usage& usage() override { return usage_; }

 private:
  void CountPrompt(std::optional<int64_t> reported);

  const ClientRequest request_;
  const AttemptTarget target_;
  api::Usage usage_;
};

}  // namespace gw::translate
