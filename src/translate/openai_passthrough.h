// A client of OpenAI's schema on an upstream of the same schema: nothing is translated, only
// spliced. One class serves chat, text completions and embeddings; the files openai_completions
// and openai_embeddings hold what is special to those.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "translate/openai_answer.h"
#include "translate/openai_stream.h"
#include "translate/translator.h"

namespace gw::translate {

class OpenAiPassthrough : public Translator {
 public:
  // `path`: static text, e.g. "/chat/completions".
  OpenAiPassthrough(const ClientRequest& request, const AttemptTarget& target,
                    std::string_view path, OpenAiStream::Schema schema);

  [[nodiscard]] Result<UpstreamRequest> BuildRequest() override;
  [[nodiscard]] Result<std::string> TranslateBody(std::string& body) override;
  [[nodiscard]] Result<StreamProgress> Feed(std::string_view bytes, std::string& out) override;
  [[nodiscard]] Result<StreamProgress> Finish(std::string& out) override;
  void AppendStreamError(const Error& error, std::string& out) const override;
  [[nodiscard]] const api::Usage& usage() override;
  [[nodiscard]] bool content_filtered() const override;

 private:
  // Copies: the object may outlive its maker's stack frame; their views may not dangle.
  const ClientRequest request_;
  const AttemptTarget target_;
  const std::string_view path_;
  OpenAiStream stream_;
  AnswerFacts facts_;
  bool has_body_ = false;  // the answer came whole, not as a stream
};

}  // namespace gw::translate
