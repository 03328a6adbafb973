// How does an OpenAI completions client talk to Ollama or Anthropic?
//
// The prompt becomes one user message (or stays as it is for Ollama's /api/generate, which takes
// prompts), a chat translator does the work, and its chat answer is written as a text completion.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "translate/chat_chunk.h"
#include "translate/sse_decoder.h"
#include "translate/translator.h"

namespace gw::translate {

class CompletionsOverChat final : public Translator {
 public:
  CompletionsOverChat(const ClientRequest& request, const AttemptTarget& target);

  [[nodiscard]] Result<UpstreamRequest> BuildRequest() override;
  [[nodiscard]] Result<std::string> TranslateBody(std::string& body) override;
  [[nodiscard]] Result<StreamProgress> Feed(std::string_view bytes, std::string& out) override;
  [[nodiscard]] Result<StreamProgress> Finish(std::string& out) override;
  void AppendStreamError(const Error& error, std::string& out) const override;
  [[nodiscard]] const api::Usage& usage() override { return chat_->usage(); }
  [[nodiscard]] bool content_filtered() const override { return chat_->content_filtered(); }

 private:
  [[nodiscard]] StreamProgress Forward(std::string& out);
  void OnChunk(std::string_view data, std::string& out);
  void OpenChunk(const ChatChunk& chunk, std::string& out);

  const AttemptTarget target_;
  std::optional<Error> refused_;  // a prompt that cannot be a message
  std::string chat_body_;         // the chat translator's request points into it
  std::unique_ptr<Translator> chat_;

  std::string chat_out_;  // what the chat translator wrote last; reused
  SseDecoder chat_events_;
  std::vector<ChatEvent> deltas_;
  bool has_content_ = false;
  bool done_ = false;
};

}  // namespace gw::translate
